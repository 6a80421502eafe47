//! One statement, one commit, and what its silence means.

use super::GateError;
use crate::{
    db::{Pool, describe, record},
    fleet::{
        crash::{self, Point},
        enqueue::{EnqueueError, Enqueued, INSERT, NOTIFY, Notify, enqueue, insert_rows, lanes, settle},
        job::NewJob,
        ledger::classify,
        ports::LedgerError,
    },
};
use deadpool_postgres::Object;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// Jobs for the ledger.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    pool: Pool,
    deadline: Duration,
}

/// What became of each job of a batch. None: a row with its key was there, and is gone; it was not enqueued.
pub(super) type Settled = Vec<Option<Enqueued>>;

impl Writer {
    pub(super) const fn new(pool: Pool, deadline: Duration) -> Self {
        Self { pool, deadline }
    }

    /// Where it takes its connections from.
    pub(super) const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Jobs that don't belong together, checked before. One statement is one commit; the schedulers are told after it,
    /// in the same round trip.
    pub(super) async fn batch(&self, jobs: &[NewJob]) -> Result<Settled, GateError> {
        measured("enqueue_batch", async {
            let connection = self.connection().await?;
            match timeout(self.deadline, batch(&connection, jobs)).await {
                Ok(answer) => answer,
                Err(_) => Err(self.given_up(connection, true)),
            }
        })
        .await
    }

    /// Jobs that belong together: all or none.
    pub(super) async fn all(&self, jobs: &[NewJob]) -> Result<Vec<Enqueued>, GateError> {
        measured("enqueue_all", async {
            let mut connection = self.connection().await?;
            let committing = AtomicBool::new(false);
            match timeout(self.deadline, all(&mut connection, jobs, &committing)).await {
                Ok(answer) => answer,
                Err(_) => Err(self.given_up(connection, committing.into_inner())),
            }
        })
        .await
    }

    async fn connection(&self) -> Result<Object, GateError> {
        self.pool.get().await.map_err(|e| match e {
            deadpool_postgres::PoolError::Backend(e) => GateError::Away(describe(&e)),
            other => GateError::Away(other.to_string()),
        })
    }

    /// Not back into the pool: an answer may still come on it. Without a commit, the server undoes all of it.
    fn given_up(&self, connection: Object, committing: bool) -> GateError {
        drop(Object::take(connection));
        let text = format!("no answer within {:?}", self.deadline);
        if committing { GateError::Unknown(text) } else { GateError::Away(text) }
    }
}

async fn batch(connection: &Object, jobs: &[NewJob]) -> Result<Settled, GateError> {
    let prepare = |sql| async move { connection.prepare_cached(sql).await.map_err(|e| nothing_written(&e)) };
    let (insert, notify) = (prepare(INSERT).await?, prepare(NOTIFY).await?);
    let (client, lanes): (&tokio_postgres::Client, _) = (connection, lanes(jobs));
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&lanes];
    // Sent one behind the other without waiting: a notification of its own needs no flush to disk.
    let (inserted, told) = tokio::join!(insert_rows(client, &insert, jobs), client.execute(&notify, &params));
    let rows = inserted.map_err(|e| meaning(&e))?;
    if let Err(error) = told {
        // They poll each second anyway.
        tracing::debug!(error = describe(&error), "schedulers were not told of new jobs");
    }
    // From here on it is committed.
    crash::point(Point::AfterEnqueue);
    settle(client, jobs, &rows).await.map_err(|e| GateError::Unknown(describe(&e)))
}

async fn all(connection: &mut Object, jobs: &[NewJob], committing: &AtomicBool) -> Result<Vec<Enqueued>, GateError> {
    let transaction = connection.transaction().await.map_err(|e| nothing_written(&e))?;
    let written = enqueue(&*transaction, jobs, Notify::Yes).await.map_err(|error| match error {
        EnqueueError::Database(e) => nothing_written(&e),
        EnqueueError::Job(e) => GateError::Refused(e.to_string()),
        EnqueueError::Vanished(_) => GateError::Repeat(error.to_string()),
    })?;
    committing.store(true, Ordering::Release);
    transaction.commit().await.map_err(|e| meaning(&e))?;
    crash::point(Point::AfterEnqueue);
    Ok(written)
}

/// An error before anything could be committed.
fn nothing_written(error: &tokio_postgres::Error) -> GateError {
    match meaning(error) {
        GateError::Unknown(text) => GateError::Away(text),
        other => other,
    }
}

fn meaning(error: &tokio_postgres::Error) -> GateError {
    match classify(error) {
        LedgerError::Unknown(text) => GateError::Unknown(text),
        LedgerError::Unavailable(text) => GateError::Away(text),
        LedgerError::Repeat(text) => GateError::Repeat(text),
        LedgerError::Refused(text) => GateError::Refused(text),
    }
}

async fn measured<T>(
    operation: &'static str,
    work: impl Future<Output = Result<T, GateError>>,
) -> Result<T, GateError> {
    let begun = Instant::now();
    let answer = work.await;
    record(operation, begun, answer.is_ok());
    answer
}
