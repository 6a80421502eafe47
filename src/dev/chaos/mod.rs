//! Proof under faults: real processes under load, hurt at random from a seed, and a checker that believes only what was
//! written down.
//!
//! - [`kinds`]: jobs that succeed, fail, hang, kill their worker, call out, write effects;
//! - [`witness`]: what a handler did, in a file of its process, on disk before the handler goes on: it knows nothing of the
//!   database;
//! - [`run`](run()): a private fleet, a load, a nemesis (first a fixed set of faults, then random ones), a quiet end;
//! - [`evidence`]: the files that a run leaves behind;
//! - [`check`]: the verdict, from the evidence alone.
//!
//! A seed fixes the load and the faults and their order, not how processes interleave.

pub mod check;
pub mod evidence;
pub mod kinds;
mod load;
mod nemesis;
mod run;
pub mod samples;
mod sink;
mod spec;
mod stage;
mod watch;
pub mod witness;

pub use run::{News, run};
pub use spec::ChaosSpec;
