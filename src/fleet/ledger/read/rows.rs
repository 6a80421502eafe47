//! What a reader gets: plain rows that serialise as they are. Times are RFC 3339 in UTC.

use super::super::super::job::{Epoch, JobId, Status, UnknownStatus, WorkerId};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

/// A job without its arguments and its result.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct JobRow {
    /// The row.
    pub id: JobId,
    /// Which handler runs it.
    pub kind: String,
    /// Which workers take it.
    pub lane: String,
    /// Where it is in its life.
    pub status: Status,
    /// Why it is not due, if it is held.
    pub hold: Option<String>,
    /// What frees it.
    pub hold_key: Option<String>,
    /// When it is due at the latest; not held: since when it has been due, if it ever was held.
    pub hold_until: Option<Timestamp>,
    /// Its priority now.
    pub priority: i16,
    /// Its priority before any failure.
    pub base_priority: i16,
    /// Failures in this round.
    pub failures: i16,
    /// Workers that died with it in this round.
    pub losses: i16,
    /// Failures until it is a dead letter.
    pub max_attempts: i16,
    /// How often it was requeued.
    pub round: i16,
    /// The fence.
    #[schema(value_type = i32)]
    pub epoch: Epoch,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// Its last dispatch.
    pub queued_at: Option<Timestamp>,
    /// Its last claim.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Its last claimant.
    pub worker_id: Option<WorkerId>,
    /// The job that waits for it.
    pub parent_id: Option<JobId>,
    /// Children that have not ended.
    pub open_children: Option<i32>,
    /// Children that ended without success.
    pub failed_children: Option<i32>,
    /// An operator asked to stop it.
    pub cancel_requested: bool,
    /// The state that a requeue took it from, until it starts.
    pub requeued_from: Option<Status>,
    /// Class of its last error.
    pub error_class: Option<String>,
    /// Its last error.
    pub last_error: Option<String>,
    /// Its idempotency key.
    pub idempotency_key: Option<String>,
    /// Its trace.
    pub trace_id: Option<Uuid>,
}

/// The columns of [`JobRow`], for a table called `j`.
pub(super) const JOB_COLUMNS: &str = "\
j.id, j.kind, j.lane, j.status::text, j.hold::text, j.hold_key, j.hold_until, j.priority, j.base_priority, j.failures, \
j.losses, j.max_attempts, j.round, j.epoch, j.created_at, j.queued_at, j.started_at, j.finished_at, j.worker_id, \
j.parent_id, j.open_children, j.failed_children, j.cancel_requested, j.requeued_from::text, j.error_class, j.last_error, \
j.idempotency_key, j.trace_id";

impl JobRow {
    pub(super) fn read(row: &Row) -> Self {
        Self {
            id: JobId(row.get("id")),
            kind: row.get("kind"),
            lane: row.get("lane"),
            status: status(row.get("status")),
            hold: row.get("hold"),
            hold_key: row.get("hold_key"),
            hold_until: row.get("hold_until"),
            priority: row.get("priority"),
            base_priority: row.get("base_priority"),
            failures: row.get("failures"),
            losses: row.get("losses"),
            max_attempts: row.get("max_attempts"),
            round: row.get("round"),
            epoch: row.get("epoch"),
            created_at: row.get("created_at"),
            queued_at: row.get("queued_at"),
            started_at: row.get("started_at"),
            finished_at: row.get("finished_at"),
            worker_id: row.get::<_, Option<i64>>("worker_id").map(WorkerId),
            parent_id: row.get::<_, Option<i64>>("parent_id").map(JobId),
            open_children: row.get("open_children"),
            failed_children: row.get("failed_children"),
            cancel_requested: row.get("cancel_requested"),
            requeued_from: row.get::<_, Option<String>>("requeued_from").map(status),
            error_class: row.get("error_class"),
            last_error: row.get("last_error"),
            idempotency_key: row.get("idempotency_key"),
            trace_id: row.get("trace_id"),
        }
    }
}

/// The database's enum has exactly these states; a test compares the two.
pub(in super::super) fn status(text: String) -> Status {
    text.parse().unwrap_or_else(|UnknownStatus(word)| unreachable!("the enum job_status has no {word:?}"))
}

/// One attempt of a job.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct AttemptRow {
    /// Epoch during the attempt.
    #[schema(value_type = i32)]
    pub epoch: Epoch,
    /// Which round: 0 before any requeue.
    pub round: i16,
    /// Which attempt of the round.
    pub attempt: i16,
    /// Who ran it.
    pub worker_id: Option<WorkerId>,
    /// Its claim.
    pub started_at: Option<Timestamp>,
    /// Its end.
    pub ended_at: Option<Timestamp>,
    /// completed, retry, failed, `dead_letter`, lost, released or cancelled.
    pub outcome: String,
    /// What kind of error.
    pub error_class: Option<String>,
    /// What happened.
    pub error: Option<String>,
}

/// Something that happened to a job.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct EventRow {
    /// When.
    pub at: Timestamp,
    /// The epoch after it.
    #[schema(value_type = i32)]
    pub epoch: Epoch,
    /// What: retry, rescued, `dead_letter`, requeued, …
    pub event: String,
    /// Who: an operator, or the rule of a sweep.
    pub actor: Option<String>,
    /// More about it.
    pub detail: Option<Value>,
}

/// A job with everything that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct JobDetail {
    /// The row.
    #[serde(flatten)]
    pub job: JobRow,
    /// Its arguments; those that can't be read are shown as text.
    pub args: Value,
    /// Version of their shape.
    pub args_version: i16,
    /// What its handler returned.
    pub output: Option<Value>,
    /// Its attempts, newest first, at most [`HISTORY_MAX`](super::HISTORY_MAX).
    pub history: Vec<AttemptRow>,
    /// What happened to it, newest first, at most [`HISTORY_MAX`](super::HISTORY_MAX).
    pub events: Vec<EventRow>,
}

/// A dead letter, as its list shows it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct DeadRow {
    /// The row.
    pub id: JobId,
    /// Its epoch: what its copy in docket.dead carries.
    #[schema(value_type = i32)]
    pub epoch: Epoch,
    /// Its kind.
    pub kind: String,
    /// Its lane.
    pub lane: String,
    /// When it became one.
    pub failed_at: Timestamp,
    /// Failures in its last round.
    pub failures: i16,
    /// Workers that died with it in its last round.
    pub losses: i16,
    /// How often it was requeued before.
    pub round: i16,
    /// What kind of error ended it.
    pub error_class: Option<String>,
    /// The last error.
    pub last_error: Option<String>,
    /// Whether docket.dead has its copy.
    pub in_broker: bool,
}
