//! Deadlines and bounds of the AMQP connections.

use crate::fleet::settings::Protocol;
use std::time::Duration;

/// How a process talks to RabbitMQ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerSettings {
    /// Name of the connections in the management UI; the role is appended.
    pub name: String,
    /// AMQP heartbeat, in whole seconds; a silent broker is noticed after twice as long. The URL's `heartbeat` wins.
    pub heartbeat: Duration,
    /// Deadline of TCP, TLS and the AMQP handshake together.
    pub connect_deadline: Duration,
    /// Deadline of one round trip.
    pub rpc_deadline: Duration,
    /// A publish without an answer for so long is unknown, and its channel is reopened.
    pub confirm_deadline: Duration,
    /// Publishes in flight on the channel: 300 gave the best rate, more only adds latency and memory.
    pub window: usize,
    /// Publishes that wait for a place in the window. Beyond it `publish` waits, up to its deadline.
    pub queue: usize,
    /// When the publishing channel is given up, and at shutdown, answers on their way may still come for so long.
    pub drain: Duration,
    /// First delay before a reconnect; it doubles up to [`BrokerSettings::backoff_max`].
    pub backoff_min: Duration,
    /// Longest delay before a reconnect. Reconnecting never ends.
    pub backoff_max: Duration,
}

impl From<&Protocol> for BrokerSettings {
    fn from(protocol: &Protocol) -> Self {
        Self { confirm_deadline: protocol.confirm_deadline, ..Self::default() }
    }
}

impl Default for BrokerSettings {
    fn default() -> Self {
        Self {
            name: "docket".to_owned(),
            heartbeat: Duration::from_secs(5),
            connect_deadline: Duration::from_secs(5),
            rpc_deadline: Duration::from_secs(8),
            confirm_deadline: Duration::from_secs(20),
            window: 300,
            queue: 1024,
            drain: Duration::from_secs(2),
            backoff_min: Duration::from_millis(200),
            backoff_max: Duration::from_secs(10),
        }
    }
}
