//! All parts of the gate, as a server holds them.

use super::{GateError, Kinds, MaxPending, Pending, batcher::Batcher, writer::Writer};
use crate::{
    db::{Pool, PoolOptions, PoolPurpose, pool},
    fleet::{enqueue::Enqueued, job::NewJob},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio_postgres::Config;
use tokio_util::sync::{CancellationToken, DropGuard};

/// From a connection to the commit. Together with the wait for a turn it stays below the deadline of a request.
const DEADLINE: Duration = Duration::from_secs(5);
/// The server gives up before that, and then says so: nothing was written.
const STATEMENT: Duration = Duration::from_secs(4);
/// How long a caller waits for a connection.
const CONNECTION: Duration = Duration::from_secs(2);
/// One for the batches, the rest for what belongs together.
const CONNECTIONS: usize = 4;

/// The gate of a process. When the last handle goes, its tasks end.
#[derive(Debug)]
pub struct Gate {
    kinds: Kinds,
    pending: Arc<Pending>,
    batcher: Batcher,
    writer: Writer,
    _stop: DropGuard,
}

impl Gate {
    /// Begins to count what is pending; connects when it is first used.
    #[must_use]
    pub fn start(config: &Config, kinds: Kinds, max_pending: MaxPending) -> Self {
        let pool = |purpose, size| {
            let options = PoolOptions::new(purpose, size);
            pool(config, PoolOptions { statement: STATEMENT, wait: CONNECTION, ..options })
        };
        let (stop, pending) = (CancellationToken::new(), Arc::new(Pending::new(max_pending)));
        // The engine's settings: the count must walk the indexes of what waits, never the history.
        tokio::spawn(pending.clone().keep(pool(PoolPurpose::Engine, 1), stop.clone()));
        let batcher = Batcher::start(Writer::new(pool(PoolPurpose::General, 1), DEADLINE));
        let writer = Writer::new(pool(PoolPurpose::General, CONNECTIONS - 1), DEADLINE);
        Self { kinds, pending, batcher, writer, _stop: stop.drop_guard() }
    }

    /// The pool that callers wait for.
    #[must_use]
    pub const fn pool(&self) -> &Pool {
        self.writer.pool()
    }

    /// What can be asked for.
    #[must_use]
    pub const fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// Enqueues one job, together with others that arrive at the same time. Answers after the commit.
    ///
    /// # Errors
    /// When it is one too many, or was not written; [`GateError::Unknown`]: it may have been.
    pub async fn enqueue(&self, job: NewJob) -> Result<Enqueued, GateError> {
        job.check().map_err(|e| GateError::Refused(e.to_string()))?;
        let kind = job.kind.clone();
        self.pending.admit(&BTreeMap::from([(kind.as_str(), 1)]))?;
        let answer = self.batcher.enqueue(job).await;
        if !matches!(answer, Ok(Enqueued::New(_)) | Err(GateError::Unknown(_))) {
            self.pending.release(&kind, 1);
        }
        answer
    }

    /// Enqueues jobs that belong together, in one transaction. Answers after the commit, in their order.
    ///
    /// # Errors
    /// As [`Gate::enqueue`], for all of them.
    pub async fn enqueue_all(&self, jobs: &[NewJob]) -> Result<Vec<Enqueued>, GateError> {
        let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
        for job in jobs {
            *kinds.entry(&job.kind).or_default() += 1;
        }
        self.pending.admit(&kinds)?;
        let answer = match self.writer.all(jobs).await {
            // A deadlock with another writer of the same keys: it has won.
            Err(GateError::Repeat(_)) => self.writer.all(jobs).await,
            answer => answer,
        };
        match &answer {
            Ok(all) => {
                let existing = jobs.iter().zip(all).filter(|(_, enqueued)| matches!(enqueued, Enqueued::Existing(..)));
                existing.for_each(|(job, _)| self.pending.release(&job.kind, 1));
            }
            Err(GateError::Unknown(_)) => {}
            Err(_) => kinds.iter().for_each(|(kind, jobs)| self.pending.release(kind, *jobs)),
        }
        answer
    }
}
