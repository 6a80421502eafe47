//! What operators do to jobs. Each act is one statement: it changes the rows, counts children, and writes an event with
//! the actor's name, or does nothing at all.
//!
//! Locks are taken in the order of the whole ledger: jobs by id, then parents by id, then the broker's row. No act
//! touches `job_messages`: a message whose job was cancelled points to an epoch that has passed, and is dropped.

mod acted;
pub(super) mod cancel;
pub(super) mod discard;
mod lanes;
mod pause;
pub(super) mod requeue;
mod select;
pub(super) mod undo;

pub use acted::{Acted, Done, Refused, RefusedBecause};
pub use cancel::cancel;
pub use discard::discard;
pub use lanes::{PausedLane, pause_lane, paused_lanes, resume_lane};
pub use pause::{NAME_MAX_BYTES, OperateError, PausedKind, pause_kind, paused, resume_kind};
pub use requeue::requeue;
pub use select::{BATCH, SELECT_MAX, dead, dead_of_kind};
pub use undo::undo_requeue;
