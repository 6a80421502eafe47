//! What the loops need from the outside: a [`Ledger`] and a [`Broker`].
//!
//! The scheduler, the worker and the sweeps are generic over both. The real ones are
//! [`PgLedger`](super::ledger::PgLedger) and [`AmqpBroker`](super::broker::AmqpBroker); tests bring simulated ones.
//! Every method is a whole step of the protocol: one statement, or one round trip.

mod broker;
mod error;
mod ledger;
mod upkeep;
mod work;
mod workers;

pub use broker::{Acks, Broker, DeadMessage, DeadPass, Delivery, Outgoing, Prefetch, PublishOutcome, Subscription};
pub use error::{BrokerError, LedgerError};
pub use ledger::{Ledger, LedgerResult};
pub use upkeep::{DeadCount, DeadLetter, InFlight, Quarantined, Retention, RetentionStep, Sweep, Swept};
pub use work::{Claimed, Completion, Discard, Dispatch, Failed, Failure, PickRequest, Picked, Release, ReleaseHold};
pub use workers::{Beat, HeldRow, WorkerRow, WorkerSpec};
