//! What the gate and the acts refuse, as clients see it.

use crate::{
    fleet::{
        gate::GateError,
        ledger::operate::{Acted, Done, RefusedBecause},
    },
    http::Problem,
};
use serde_json::json;

/// Nothing was enqueued, or nobody knows.
pub(super) fn gate(error: GateError) -> Problem {
    const AGAIN: &str = "nothing was enqueued; try again";
    match error {
        GateError::TooManyPending { ref kind, pending, max } => {
            let (kind, message) = (kind.clone(), error.to_string());
            Problem::too_many_pending(message).with("kind", kind).with("pending", pending).with("max", max)
        }
        GateError::Busy => Problem::unavailable("too many requests wait", AGAIN),
        GateError::Away(reason) => {
            tracing::warn!(event = "http.database_away", error = reason, "a job can't be enqueued");
            Problem::unavailable("the database can't be reached", AGAIN)
        }
        GateError::Repeat(reason) => {
            tracing::debug!(error = reason, "the database asks to repeat an enqueue");
            Problem::unavailable("another writer was first", AGAIN)
        }
        GateError::Unknown(reason) => {
            tracing::warn!(event = "http.enqueue_unknown", error = reason, "nobody knows whether a job was enqueued");
            Problem::unknown()
        }
        GateError::Refused(reason) => {
            tracing::error!(event = "http.failed", error = reason, "the database refuses a job");
            Problem::internal()
        }
    }
}

/// The one job that an act was about.
pub(super) fn one(acted: &Acted) -> Result<Done, Problem> {
    if let Some(done) = acted.done.first() {
        return Ok(*done);
    }
    let Some(refused) = acted.refused.first() else { return Err(Problem::internal()) };
    let message = format!("job {}: {}", refused.id, refused.because);
    let problem = match refused.because {
        RefusedBecause::NotFound => Problem::not_found(message, "it never was, or its retention is over"),
        RefusedBecause::WrongStatus { status } => {
            Problem::conflict(message, "it was left as it is; see /api/jobs/{id}").with("status", json!(status))
        }
        _ => Problem::conflict(message, "it was left as it is; see /api/jobs/{id}"),
    };
    Err(problem.with("id", refused.id.0))
}
