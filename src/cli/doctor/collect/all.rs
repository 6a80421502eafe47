//! All parts at once.

use super::{
    super::{
        super::exit::Failure,
        facts::{Facts, Role, Service},
    },
    broker, database, machine, management, settings,
};
use crate::config::{ConfigError, Environment};
use std::{future::Future, time::Duration};
use tokio::time::timeout;

/// No part takes longer, whatever hangs.
const LIMIT: Duration = Duration::from_secs(14);

/// Everything that can be found out.
pub(in crate::cli::doctor) async fn collect(env: &Environment, roles: Vec<Role>, refused: Vec<ConfigError>) -> Facts {
    let read = settings::read(env, &roles, refused);
    let (database, broker, management, machine) = tokio::join!(
        within("the database", Box::pin(database::ask(read.database, &roles))),
        within("the broker", Box::pin(broker::ask(read.amqp, &read.fleet))),
        within(
            "the management API",
            Box::pin(management::ask(read.management, read.settings.account.as_ref(), &read.fleet.topology)),
        ),
        machine::look(&read.endpoint, read.ocr_language.as_deref(), &roles),
    );
    Facts { roles, settings: read.settings, database, broker, management, machine }
}

async fn within<T>(what: &str, part: impl Future<Output = Service<T>>) -> Service<T> {
    timeout(LIMIT, part)
        .await
        .unwrap_or_else(|_| Service::Failed(Failure::unavailable(format!("{what} gives no answer within {LIMIT:?}"))))
}
