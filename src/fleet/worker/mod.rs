//! From queued to its end: slots, claims, runs, completions, heartbeat.
//!
//! `intake` receives and claims, `attempt` runs, `completer` books; `heartbeat` proves that the worker lives and
//! compares (R6); `suspect` runs what may kill its worker. `held` is what they share.

mod acks;
mod ahead;
mod attempt;
mod bands;
mod claim;
mod completer;
mod effects;
mod heartbeat;
mod held;
mod intake;
mod outcome;
mod report;
mod run;
mod shared;
mod suspect;

pub use run::{Worker, WorkerError, WorkerSettings};
