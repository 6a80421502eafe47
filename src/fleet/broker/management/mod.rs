//! RabbitMQ's management API, as far as Docket needs it: HTTP, one virtual host at a time.
//!
//! - `client` sends one request: deadlines, a bound on the answer, no redirects; `error` is what can go wrong, in words;
//! - `read` and `write` are the questions and the orders; `wire` is what the API answers;
//! - `harm` holds the orders that only tests of faults give;
//! - `observe` reads all that a plan compares ([`Observed`]).
//!
//! The URL holds a user and a password: neither it nor they are ever shown. Numbers of messages and consumers are the
//! broker's statistics and up to some seconds old.

mod client;
mod error;
mod harm;
mod observe;
mod read;
mod wire;
mod write;

pub use client::Management;
pub use error::ManagementError;
pub use observe::{Observed, Unread};
pub use read::MAX_QUEUES;
pub use wire::{Binding, Caller, Exchange, FeatureFlag, Limits, Node, Overview, Permission, Policy, Queue};
