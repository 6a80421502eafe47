//! What a job is: identity, state, priority and the message that points to it. Pure: no I/O, no clock.

mod envelope;
mod hold;
mod id;
mod new;
mod priority;
mod status;

pub use envelope::{Envelope, EnvelopeError, MAX_BODY_BYTES, MAX_POINTERS, Pointer};
pub use hold::Hold;
pub use id::{Epoch, JobId, MessageId, WorkerId};
pub use new::{MAX_ARGS_BYTES, NewJob, NewJobError};
pub use priority::{Band, DEFAULT_PRIORITY, MAX_PRIORITY, MIN_PRIORITY, band_of, clamp, lowered_after_failure};
pub use status::{Status, UnknownStatus, is_legal};
