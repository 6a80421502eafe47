//! What a handler knows of the job that it runs.

use crate::fleet::job::{Epoch, JobId};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Identity of the attempt, and the signal to stop.
#[derive(Clone, Debug)]
pub struct Context {
    /// The job.
    pub job: JobId,
    /// Its epoch during this attempt.
    pub epoch: Epoch,
    /// 1 for the first attempt of the round.
    pub attempt: i16,
    /// The job that waits for this one.
    pub parent: Option<JobId>,
    /// Priority of the row.
    pub priority: i16,
    /// The trace that the job belongs to.
    pub trace_id: Option<Uuid>,
    /// Fires at the deadline, at a cancel, at a shutdown, and when the lease is lost.
    pub token: CancellationToken,
}

impl Context {
    /// Resolves when the attempt must stop.
    pub async fn cancelled(&self) {
        self.token.cancelled().await;
    }

    /// The key to give to the outside (an API's idempotency key) for one step of this job: the same in each attempt.
    #[must_use]
    pub fn step_key(&self, step: &str) -> String {
        format!("{}/{step}", self.job)
    }
}
