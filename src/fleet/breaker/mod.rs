//! Circuit breakers that the whole fleet shares: what many jobs depend on is asked by one of them while it is down, and the
//! others wait in the ledger, held by `breaker`, without burning attempts.
//!
//! A handler asks [`Breakers::enter`] before it calls, and tells the [`Pass`] how the call ended. The rules are pure
//! ([`state`]); PostgreSQL's row lock makes one decision at a time of them (`ledger::breakers`); a scheduler lifts one job
//! when a probe is due, and all when the breaker closes.

mod gate;
pub mod state;

pub use gate::{Breakers, Pass};
pub use state::Rules;
