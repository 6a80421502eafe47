//! RabbitMQ, as the loops see it.

use super::{BrokerError, DeadLetter, Dispatch};
use crate::fleet::job::{Band, Pointer};
use std::future::Future;

/// What became of a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PublishOutcome {
    /// In the queue, durably.
    Confirmed,
    /// Refused by the queue.
    Nacked,
    /// No queue took it.
    Returned,
    /// Nobody knows. Never publish the same again.
    Unknown,
}

impl PublishOutcome {
    /// All outcomes.
    pub const ALL: [Self; 4] = [Self::Confirmed, Self::Nacked, Self::Returned, Self::Unknown];

    /// The metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Nacked => "nacked",
            Self::Returned => "returned",
            Self::Unknown => "unknown",
        }
    }
}

/// A message to a band of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// Jobs for workers.
    Jobs(Dispatch),
    /// A message without jobs, whose confirm proves that the queue lives.
    Probe {
        /// To this lane.
        lane: String,
        /// To this band.
        band: Band,
    },
    /// The copy of a dead letter, to docket.dead.
    Dead(DeadLetter),
}

/// A message that a worker received.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The broker's tag within this subscription.
    pub tag: u64,
    /// The band whose queue it came from.
    pub band: Band,
    /// The body.
    pub body: Vec<u8>,
    /// The headers as text, for quarantine.
    pub headers: String,
}

/// How many unacknowledged messages each band's consumer may hold (high, normal, low).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefetch(pub [u16; 3]);

/// What to acknowledge at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acks {
    /// This tag and all before it.
    pub up_to: Option<u64>,
    /// These tags only.
    pub single: Vec<u64>,
}

/// A lane's three consumers on one channel. Its end is a fault: subscribe again.
pub trait Subscription: Send + 'static {
    /// The next delivery. None: the subscription is over, whatever the reason. Safe to drop while waiting.
    fn next(&mut self) -> impl Future<Output = Option<Delivery>> + Send;
    /// Acknowledges.
    fn ack(&mut self, acks: Acks) -> impl Future<Output = Result<(), BrokerError>> + Send;
    /// Stops new deliveries; those that are here stay and can be acknowledged.
    fn cancel(&mut self) -> impl Future<Output = Result<(), BrokerError>> + Send;
    /// Closes the channel: what was not acknowledged returns to its queue.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// A message of docket.dead.
#[derive(Clone, Debug)]
pub struct DeadMessage {
    /// The broker's tag within this pass.
    pub tag: u64,
    /// `id:epoch` of the copy, if it is one.
    pub pointer: Option<Pointer>,
    /// The body.
    pub body: Vec<u8>,
    /// The headers as text, for quarantine.
    pub headers: String,
}

/// One pass over docket.dead: what is not acknowledged returns at the end.
pub trait DeadPass: Send {
    /// The next message; none: the queue is empty.
    fn next(&mut self) -> impl Future<Output = Result<Option<DeadMessage>, BrokerError>> + Send;
    /// Removes it from the queue.
    fn ack(&mut self, tag: u64) -> impl Future<Output = Result<(), BrokerError>> + Send;
    /// Ends the pass and returns what was kept.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// RabbitMQ, as the loops see it. Each call has a deadline of its own; none retries.
pub trait Broker: Clone + Send + Sync + 'static {
    /// A lane's consumers.
    type Subscription: Subscription;
    /// A pass over docket.dead.
    type DeadPass: DeadPass;

    /// True: the publishing channel is open, not blocked, and not in backoff.
    fn can_publish(&self) -> bool;
    /// Publishes and waits for the broker's answer.
    fn publish(&self, message: Outgoing) -> impl Future<Output = PublishOutcome> + Send;
    /// Messages ready in a band's queue. 0 is no proof: see the design's R3. [`BrokerError::Topology`]: there is no such
    /// queue.
    fn depth(&self, lane: &str, band: Band) -> impl Future<Output = Result<u64, BrokerError>> + Send;
    /// Messages ready in docket.dead.
    fn dead_depth(&self) -> impl Future<Output = Result<u64, BrokerError>> + Send;
    /// Whether the broker has this generation's exchange. An error means: unknown, change nothing.
    fn has_generation(&self, generation: i32) -> impl Future<Output = Result<bool, BrokerError>> + Send;
    /// Declares a generation's exchange.
    fn declare_generation(&self, generation: i32) -> impl Future<Output = Result<(), BrokerError>> + Send;
    /// Consumes the three bands of a lane.
    fn subscribe(
        &self,
        lane: &str,
        prefetch: Prefetch,
    ) -> impl Future<Output = Result<Self::Subscription, BrokerError>> + Send;
    /// Starts a pass over docket.dead.
    fn dead_pass(&self) -> impl Future<Output = Result<Self::DeadPass, BrokerError>> + Send;
}
