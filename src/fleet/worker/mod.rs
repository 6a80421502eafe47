//! From queued to its end: slots, claims, runs, completions, heartbeat.
//!
//! `intake` receives and claims, `bundle` runs a message's jobs in a slot, each an `attempt`, `completer` books; `heartbeat` proves that the worker lives and
//! compares (R6); `suspect` runs what may kill its worker. `held` is what they share.
//!
//! Handlers have `threads` of their own, so that none of them can hold up the heartbeat; `stuck` tells of those that
//! keep theirs.

mod acks;
mod ahead;
mod attempt;
mod bands;
mod bundle;
mod claim;
mod claims;
mod completer;
mod effects;
mod heartbeat;
mod held;
mod in_flight;
mod intake;
mod meters;
mod outcome;
mod polled;
mod report;
mod run;
mod run_times;
mod shared;
mod signal;
mod span;
mod stuck;
mod suspect;
mod threads;
mod unreadable;

pub use run::{Worker, WorkerError, WorkerSettings};
