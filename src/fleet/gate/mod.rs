//! The gate: jobs of callers that have no transaction of their own, such as those of the HTTP API.
//!
//! [`Kinds`] makes a job of what a caller said; [`Pending`] bounds what may wait; single jobs that arrive together share
//! one statement and one commit. An answer is given after the commit, never before.

mod batcher;
mod error;
mod kinds;
mod pending;
mod shared;
mod writer;

pub use error::GateError;
pub use kinds::{Kinds, Wish, WishError};
pub use pending::{COUNTED_MAX, MaxPending, Pending};
pub use shared::Gate;
