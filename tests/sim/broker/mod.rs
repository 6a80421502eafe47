//! The simulated broker: queues with prefetch and returns, behind connections that fail.

mod dead;
mod port;
mod queues;

pub(crate) use port::SimBroker;
pub(crate) use queues::{Place, Queues};
