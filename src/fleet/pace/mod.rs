//! Paces that the whole fleet shares: how often, and by how many at once, something that belongs to others is asked. A site
//! is not asked faster because more workers were started.
//!
//! A handler asks [`Paces::enter`] before each call, and tells the [`Permit`] how the call ended. A short wait is slept in
//! place; for a longer one the job goes back to the ledger, held by `limit` with the key, without burning an attempt. The
//! rules are pure ([`state`]); PostgreSQL's row lock makes one decision at a time of them (`ledger::paces`); a scheduler
//! lifts as many jobs of a key as have a turn in the next second, the most urgent first, so that thousands don't come at
//! once.

mod gate;
pub mod state;

pub use gate::{Paces, Permit};
pub use state::{Outcome, Rules};
