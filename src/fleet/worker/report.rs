//! What an attempt's end leaves in metrics and in the log.

use super::{
    outcome::{Attempt, Ended, Verdict},
    span,
};
use crate::{
    fleet::{
        handler::{Component, ErrorClass},
        job::Status,
        ports::Failed,
    },
    telemetry::{AttemptLine, AttemptOutcome, attempt_line, names},
};
use metrics::counter;
use std::time::Duration;

/// An attempt begins.
pub(super) fn started(attempt: &Attempt) {
    attempt.meters.waited.record(attempt.waited.as_secs_f64());
}

/// It ended with its effects committed.
pub(super) fn completed(attempt: &Attempt, ran: Duration) {
    ended(attempt, ran, AttemptOutcome::Completed, None);
}

/// It ended and was booked in a batch.
pub(super) fn completed_batch(one: &Ended) {
    completed(&one.attempt, one.ran);
}

/// It failed; `after` tells what the ledger made of it.
pub(super) fn failed(one: &Ended, after: &Failed) {
    let outcome = match after.status {
        Status::Pending => AttemptOutcome::Retried,
        Status::DeadLetter => AttemptOutcome::DeadLetter,
        Status::Cancelled => AttemptOutcome::Cancelled,
        _ => AttemptOutcome::Failed,
    };
    let Verdict::Failed { class, error, .. } = &one.verdict else { return };
    one.attempt.component.failed(*class);
    ended(&one.attempt, one.ran, outcome, Some((class.as_str(), error)));
}

/// It went back without cost.
pub(super) fn released(one: &Ended) {
    let is_snooze = matches!(&one.verdict, Verdict::Released(Some(hold)) if hold.delay.is_some());
    let outcome = if is_snooze { AttemptOutcome::Snoozed } else { AttemptOutcome::Released };
    ended(&one.attempt, one.ran, outcome, None);
}

/// Its handler, or an operator, gave it up.
pub(super) fn discarded(one: &Ended) {
    ended(&one.attempt, one.ran, AttemptOutcome::Cancelled, None);
}

/// The ledger refused the verdict: the row had gone to someone else.
pub(super) fn fenced(attempt: &Attempt) {
    counter!(names::FENCED).increment(1);
    span::ended(attempt, attempt.begun.elapsed(), "fenced", Some("fenced"));
    tracing::warn!(event = "job.fenced", job.id = attempt.id.0, job.kind = attempt.kind(), "a late result was refused");
}

/// The attempt was given up without a verdict.
pub(super) fn lost(attempt: &Attempt) {
    Component::Worker.failed(ErrorClass::WorkerLost);
    span::ended(attempt, attempt.begun.elapsed(), "lost", Some(ErrorClass::WorkerLost.as_str()));
    tracing::warn!(
        event = "job.lost",
        job.id = attempt.id.0,
        job.kind = attempt.kind(),
        "the lease is lost; the attempt was given up"
    );
}

fn ended(attempt: &Attempt, ran: Duration, outcome: AttemptOutcome, error: Option<(&str, &str)>) {
    attempt.meters.ended(outcome);
    attempt.meters.ran.record(ran.as_secs_f64());
    span::ended(attempt, ran, outcome.as_str(), error.map(|(class, _)| class));
    attempt_line(&AttemptLine {
        outcome,
        job_id: attempt.id.0,
        kind: attempt.kind(),
        attempt: attempt.number.into(),
        duration: ran,
        wait: attempt.waited,
        trace_id: attempt.trace_id,
        error,
    });
}
