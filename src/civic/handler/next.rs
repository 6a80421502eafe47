//! Jobs that follow from a job.

use crate::fleet::{
    enqueue::EnqueueError,
    handler::{Context, ErrorClass, Handler, HandlerError},
    job::NewJob,
};

/// A job of kind `H` in the trace of the job that it follows from.
pub(super) fn next<H: Handler>(args: &H::Args, key: String, ctx: &Context) -> Result<NewJob, HandlerError> {
    let job = H::job(args).map_err(|e| refused(&e.into()))?.idempotency_key(key);
    Ok(match ctx.trace_id {
        Some(trace) => job.trace_id(trace),
        None => job,
    })
}

/// A child of the same parent as the job that it follows from, and as urgent.
pub(super) fn sibling(job: NewJob, ctx: &Context) -> NewJob {
    let job = job.priority(ctx.priority.into());
    match ctx.parent {
        Some(parent) => job.child_of(parent),
        None => job,
    }
}

/// A job that the ledger refuses will be refused again, unless the database was the reason.
pub(super) fn refused(error: &EnqueueError) -> HandlerError {
    let message = error.to_string();
    match error {
        EnqueueError::Database(e) if crate::db::is_passing(e) => HandlerError::DatabaseAway(message),
        EnqueueError::Database(_) | EnqueueError::Vanished(_) => HandlerError::retryable(ErrorClass::Database, message),
        EnqueueError::Job(_) => HandlerError::non_retryable(ErrorClass::Other, message),
    }
}
