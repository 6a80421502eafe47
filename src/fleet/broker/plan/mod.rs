//! What is declared against what the broker has, in words, before anything happens. Pure.
//!
//! [`plan`] compares a [`Topology`](super::Topology) with what the management API told
//! ([`Observed`](super::management::Observed)):
//!
//! - `objects` compares exchanges, queues and bindings, `policies` what applies to them, `rights` who may use them;
//! - `wanted` is the topology in the API's own types, `pattern` reads RabbitMQ's patterns of names;
//! - `story` holds the result: [`Step`]s that can be done, [`Leftover`]s of lanes that are gone, [`Finding`]s that no step
//!   can mend, and what could not be checked.

mod make;
mod objects;
mod pattern;
mod policies;
mod rights;
mod story;
#[cfg(test)]
mod tests;
mod wanted;

pub use make::{Roles, plan};
pub use story::{Finding, Leftover, Plan, Severity, Step};
