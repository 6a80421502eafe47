//! The engine: jobs in PostgreSQL, pointers in RabbitMQ, workers in between. It knows nothing of meetings.
//!
//! In the order of a job's way: [`job`] and [`retry`] are pure; [`handler`] is what the author of a kind writes;
//! [`enqueue`] puts a job into the ledger; [`scheduler`] dispatches it; [`worker`] runs it; [`dead_letter`] keeps what
//! failed for good. [`ports`] is what these loops need of [`ledger`] and [`broker`].

pub mod broker;
pub mod dead_letter;
pub mod enqueue;
pub mod handler;
pub mod job;
pub mod ledger;
pub mod ports;
mod progress;
pub mod retry;
pub mod scheduler;
pub mod settings;
pub mod worker;

pub use progress::Progress;
