//! What sweeps, dead letters and retention speak of.

use crate::fleet::job::{Band, Epoch, JobId, MessageId};
use std::time::Duration;
use uuid::Uuid;

/// What of a lane is on its way to a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Distinct unclaimed messages.
    pub messages: i64,
    /// Jobs in them.
    pub jobs: i64,
    /// The oldest of these messages.
    pub oldest: Option<MessageId>,
}

/// Jobs that a sweep gave back, or ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Messages taken out of flight.
    pub messages: u64,
    /// Jobs back to pending.
    pub rescued: u64,
    /// Jobs that ended as dead letters: R5 publishes their copies.
    pub dead_letters: u64,
    /// Workers that R4 declared dead; schedulers, which hold nothing, are none.
    pub workers: u64,
}

/// Which unclaimed messages go back to pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep<'a> {
    /// R1: not confirmed, and older than this watermark.
    Unconfirmed(MessageId),
    /// R2: of a broker generation before this one.
    OlderGeneration(i32),
    /// R3: of this lane and band, and older than this watermark, confirmed or not.
    Forgotten(&'a str, Band, MessageId),
}

/// A dead letter that docket.dead lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The row.
    pub id: JobId,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its kind.
    pub kind: String,
    /// Its lane.
    pub lane: String,
    /// What kind of error ended it.
    pub error_class: String,
    /// The last error.
    pub error: String,
    /// Failures in its last round.
    pub failures: i16,
    /// Losses in its last round.
    pub losses: i16,
    /// Its priority at the end.
    pub priority: i16,
    /// Failures until it was a dead letter.
    pub max_attempts: i16,
    /// Its trace.
    pub trace_id: Option<Uuid>,
}

/// Dead letters, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeadCount {
    /// Rows in `dead_letter`.
    pub dead: i64,
    /// Of these, without a copy in this generation of the broker.
    pub unpublished: i64,
    /// How often a job has left `dead_letter`, ever.
    pub left: i64,
}

/// A message that nobody can read, kept for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Where it came from.
    pub queue: String,
    /// Why it is here.
    pub reason: String,
    /// Up to 64 KiB of the body.
    pub body: Vec<u8>,
    /// Its headers, as text, bounded likewise.
    pub headers: String,
}

/// How long ended jobs are kept. Dead letters are kept until an operator decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Completed jobs. Zero: the completion deletes the row.
    pub completed: Duration,
    /// Failed and cancelled jobs.
    pub failed: Duration,
    /// Kinds whose completed jobs are kept for another time.
    pub kinds: Vec<(String, Duration)>,
}

impl Retention {
    /// Whether completions of any kind delete their rows.
    #[must_use]
    pub fn deletes(&self) -> bool {
        self.completed.is_zero() || self.kinds.iter().any(|(_, age)| age.is_zero())
    }

    /// Whether a completed job of this kind stays for a while. If not, its completion deletes it.
    #[must_use]
    pub fn keeps(&self, kind: &str) -> bool {
        let own = self.kinds.iter().find(|(name, _)| name == kind);
        !own.map_or(self.completed, |(_, age)| *age).is_zero()
    }
}

/// One step of the retention walk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionStep {
    /// Where the next step goes on; none: the walk is at the end.
    pub next: Option<JobId>,
    /// Rows deleted.
    pub deleted: u64,
}
