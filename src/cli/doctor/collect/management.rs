//! What RabbitMQ tells over its management API.

use super::super::{
    super::exit::Failure,
    facts::{Account, Service},
};
use crate::fleet::broker::{
    Topology,
    management::{Management, ManagementError, Observed},
};
use secrecy::SecretString;
use std::time::Duration;

/// One question.
const LIMIT: Duration = Duration::from_secs(6);

pub(super) async fn ask(
    url: Option<SecretString>,
    account: Option<&Account>,
    topology: &Topology,
) -> Service<Box<Observed>> {
    // Without the broker's URL nobody knows which virtual host is Docket's.
    let (Some(url), Some(Account { user, vhost })) = (url, account) else { return Service::Unnamed };
    let observed = async {
        let management = Management::new(&url)?.with_deadline(LIMIT);
        management.observe(vhost, topology, &[user]).await
    };
    match observed.await {
        Ok(observed) => Service::Answers(Box::new(observed)),
        Err(error) => Service::Failed(failure(&error)),
    }
}

fn failure(error: &ManagementError) -> Failure {
    if error.is_unavailable() { Failure::unavailable(error) } else { Failure::usage(error) }
}
