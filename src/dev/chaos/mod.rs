//! Proof under faults: kinds of jobs that tell what was done with them, and who writes it down.
//!
//! - [`kinds`]: jobs that succeed, fail, hang, kill their worker, call out, write effects;
//! - [`witness`]: what a handler did, in a file of its process, on disk before the handler goes on: it knows nothing of the
//!   database.

pub mod kinds;
pub mod witness;
