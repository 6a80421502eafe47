//! The audit: is every job accounted for? The ledger against the broker, by counts, over several looks.
//!
//! - [`Verdict`] is the answer: jobs that are not where the ledger says, by [`Class`], each with what heals it;
//! - `look` is one look at both, `judge` compares looks: pure, and nothing is believed that one look alone showed;
//! - [`watch`] looks for as long as a scheduler runs, one process at a time, heals what nothing else would, and keeps the
//!   verdict in the ledger; [`once`] does the same looks on demand;
//! - [`deep`] reads every row of one lane that is paused and drained: what no message carries is found there.
//!
//! No look reads history: what waits, is held, is in flight or is dead is all that is counted. A queue is counted, never
//! browsed: each reading of a quorum queue's messages would count as a delivery.

mod deep;
mod judge;
mod look;
mod verdict;
mod watch;

pub use deep::{DeepError, deep};
pub use verdict::{Class, Verdict};
pub use watch::{AuditSettings, once, verdict, watch};
