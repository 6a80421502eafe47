//! What happens to one job: picked, claimed, ended.

use crate::fleet::{
    handler::ErrorClass,
    job::{Band, Epoch, Hold, JobId, MessageId, Pointer, Status},
};
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// A picked job, as the headers of its message tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picked {
    /// Row and epoch.
    pub pointer: Pointer,
    /// Priority of the row.
    pub priority: i16,
    /// Failures so far.
    pub failures: i16,
    /// Failures until it is a dead letter.
    pub max_attempts: i16,
    /// Its trace.
    pub trace_id: Option<Uuid>,
}

/// One broker message to be published: a row of `job_messages` and its jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// The row of `job_messages`.
    pub message: MessageId,
    /// Lane of all its jobs.
    pub lane: String,
    /// Band of all its jobs.
    pub band: Band,
    /// Kind of all its jobs.
    pub kind: String,
    /// At least one.
    pub jobs: Vec<Picked>,
}

/// What a scheduler wants to dispatch.
#[derive(Clone, Copy, Debug)]
pub struct PickRequest<'a> {
    /// From this lane.
    pub lane: &'a str,
    /// At most this many rows by priority.
    pub rows: i32,
    /// And at most this many of the oldest, whatever their priority, so that none waits for ever.
    pub aged: i32,
    /// Kinds that a live worker of the lane knows, each with the largest number of pointers in one message.
    pub kinds: &'a [(String, i32)],
    /// Bands whose publishes are healthy.
    pub bands: &'a [Band],
    /// The broker generation that the message will be part of.
    pub generation: i32,
}

/// A job that this worker now holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// The row.
    pub id: JobId,
    /// Its epoch while it is processed: the fence of every write about it.
    pub epoch: Epoch,
    /// The message or lease that it came by.
    pub message: MessageId,
    /// How many jobs that message was written for; 0 says that all of them are claimed. A forged message may name only some
    /// of them, and then the message must outlive them: the sweeps find the others by it.
    pub of_message: usize,
    /// Its kind.
    pub kind: String,
    /// Its lane.
    pub lane: String,
    /// Its arguments, or why they can't be read: the database takes deeper JSON and larger numbers than we do.
    pub args: Result<Value, String>,
    /// Version of the arguments.
    pub args_version: i16,
    /// Its priority.
    pub priority: i16,
    /// Failures in this round, before this attempt.
    pub failures: i16,
    /// Losses in this round, before this attempt.
    pub losses: i16,
    /// Failures until it is a dead letter.
    pub max_attempts: i16,
    /// Its trace.
    pub trace_id: Option<Uuid>,
    /// The job that waits for it.
    pub parent: Option<JobId>,
    /// From when it could have run to its claim.
    pub waited: Duration,
}

/// A job done.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// The row.
    pub id: JobId,
    /// Its epoch while it was processed.
    pub epoch: Epoch,
    /// What the handler returned.
    pub output: Value,
    /// False: the row goes with the completion (a retention of zero). The same for all of a batch.
    pub keep: bool,
}

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The row.
    pub id: JobId,
    /// Its epoch while it was processed.
    pub epoch: Epoch,
    /// False: `failed` at once.
    pub retryable: bool,
    /// What kind of error.
    pub class: ErrorClass,
    /// What happened, cut to a few KiB.
    pub error: String,
    /// How long it waits if it is tried again.
    pub delay: Duration,
}

/// What a failure made of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The row.
    pub id: JobId,
    /// Its new epoch.
    pub epoch: Epoch,
    /// `pending` (to be tried again), `failed`, `dead_letter`, or `cancelled` when that had been asked.
    pub status: Status,
    /// Its new priority.
    pub priority: i16,
    /// Failures so far, this one included.
    pub failures: i16,
    /// The broker generation that this very transaction saw.
    pub generation: i32,
}

/// A job given back without cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// The row.
    pub id: JobId,
    /// Its epoch while it was processed.
    pub epoch: Epoch,
    /// Why it is not due again at once.
    pub hold: Option<ReleaseHold>,
}

/// A hold that comes with a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseHold {
    /// The reason.
    pub hold: Hold,
    /// What frees it, such as a host name.
    pub key: Option<String>,
    /// When it is due at the latest.
    pub delay: Option<Duration>,
}

/// A job that its own handler gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discard {
    /// The row.
    pub id: JobId,
    /// Its epoch while it was processed.
    pub epoch: Epoch,
    /// Why.
    pub reason: String,
}
