//! What RabbitMQ tells over AMQP.

use super::super::{
    super::exit::Failure,
    facts::{Broker, Service},
};
use crate::{
    config::FleetConfig,
    fleet::broker::{AmqpBroker, BrokerSettings, greeting},
};
use secrecy::SecretString;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Until both connections are open, a second try included.
const READY: Duration = Duration::from_secs(8);
/// To connect once, and for one question.
const LIMIT: Duration = Duration::from_secs(4);

pub(super) async fn ask(url: Option<SecretString>, fleet: &FleetConfig) -> Service<Broker> {
    let Some(url) = url else { return Service::Unnamed };
    let settings = BrokerSettings {
        name: "docket doctor".to_owned(),
        connect_deadline: LIMIT,
        rpc_deadline: LIMIT,
        ..BrokerSettings::from(&fleet.protocol)
    };
    let shutdown = CancellationToken::new();
    let broker = match AmqpBroker::start(&url, settings, &shutdown) {
        Ok(broker) => broker,
        Err(error) => return Service::Failed(Failure::usage(format!("AMQP_URL: {error}"))),
    };
    let (version, ready) = tokio::join!(greeting(&url, LIMIT), broker.wait_ready(READY));
    if let Err(error) = ready {
        let refusal = broker.status().last_error.is_some_and(|reason| is_refusal(&reason));
        let text = format!("AMQP_URL: {error}");
        return Service::Failed(if refusal { Failure::usage(text) } else { Failure::unavailable(text) });
    }
    let topology = broker.check_topology(&fleet.topology).await;
    let heartbeat = broker.heartbeat().map_err(|error| error.to_string());
    // It closes when dropped; nobody waits for it.
    shutdown.cancel();
    Service::Answers(Broker { version: version.map_err(|error| error.to_string()), heartbeat, topology })
}

/// Whether the broker answered, and refused.
fn is_refusal(reason: &str) -> bool {
    reason.contains("refuses the user") || reason.contains("has no virtual host")
}
