//! What an attempt's end leaves in metrics and in the log.

use super::outcome::{Attempt, Ended, Verdict};
use crate::{
    fleet::{handler::ErrorClass, job::Status, ports::Failed},
    telemetry::names,
};
use metrics::{counter, gauge, histogram};
use std::time::Duration;

/// An attempt begins.
pub(super) fn started(attempt: &Attempt) {
    gauge!(names::JOBS_IN_FLIGHT).increment(1.0);
    histogram!(names::QUEUE_WAIT, "job_type" => attempt.kind.clone()).record(attempt.waited.as_secs_f64());
}

/// It ended with its effects committed.
pub(super) fn completed(attempt: &Attempt, ran: Duration) {
    ended(attempt, ran, "completed");
    canonical(attempt, ran, "job.completed", None);
}

/// It ended and was booked in a batch.
pub(super) fn completed_batch(one: &Ended) {
    completed(&one.attempt, one.ran);
}

/// It failed; `after` tells what the ledger made of it.
pub(super) fn failed(one: &Ended, after: &Failed) {
    let (status, event) = match after.status {
        Status::Pending => ("retried", "job.retried"),
        Status::DeadLetter => ("dead_letter", "job.dead_letter"),
        Status::Cancelled => ("cancelled", "job.cancelled"),
        _ => ("failed", "job.failed"),
    };
    ended(&one.attempt, one.ran, status);
    let Verdict::Failed { class, error, .. } = &one.verdict else { return };
    counter!(names::ERRORS, "component" => one.attempt.component.as_str(), "type" => class.as_str()).increment(1);
    canonical(&one.attempt, one.ran, event, Some((*class, error)));
}

/// It went back without cost.
pub(super) fn released(one: &Ended) {
    ended(&one.attempt, one.ran, "released");
    canonical(&one.attempt, one.ran, "job.released", None);
}

/// Its handler, or an operator, gave it up.
pub(super) fn discarded(one: &Ended) {
    ended(&one.attempt, one.ran, "cancelled");
    canonical(&one.attempt, one.ran, "job.cancelled", None);
}

/// The ledger refused the verdict: the row had gone to someone else.
pub(super) fn fenced(attempt: &Attempt) {
    gauge!(names::JOBS_IN_FLIGHT).decrement(1.0);
    counter!(names::FENCED).increment(1);
    tracing::warn!(event = "job.fenced", job.id = attempt.id.0, job.kind = %attempt.kind, "a late result was refused");
}

/// The attempt was given up without a verdict.
pub(super) fn lost(_attempt: &Attempt) {
    gauge!(names::JOBS_IN_FLIGHT).decrement(1.0);
}

fn ended(attempt: &Attempt, ran: Duration, status: &'static str) {
    gauge!(names::JOBS_IN_FLIGHT).decrement(1.0);
    counter!(names::JOBS_PROCESSED, "job_type" => attempt.kind.clone(), "status" => status).increment(1);
    histogram!(names::PROCESSING_DURATION, "job_type" => attempt.kind.clone()).record(ran.as_secs_f64());
}

fn canonical(attempt: &Attempt, ran: Duration, event: &'static str, error: Option<(ErrorClass, &str)>) {
    let _ = (attempt, ran, event, error);
}
