//! The transaction that a job's effects are written in.

use crate::db::Statements;
use deadpool_postgres::Object;
use metrics::Counter;
use tokio_postgres::{Client, Error, Statement};

/// An open transaction on a pooled connection: a job's completion is written already, its effects come now.
///
/// [`enqueue`](crate::fleet::enqueue::enqueue) works on it, and whatever else takes [`Statements`], whose methods run the
/// effects' own statements. They should address rows by key: the planner of this connection is kept from reading tables whole.
///
/// Dropped without a commit, it takes its connection out of the pool and ends it: the server rolls back.
pub struct PgTx {
    connection: Option<Object>,
    counts: Vec<(Counter, u64)>,
}

impl std::fmt::Debug for PgTx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PgTx")
    }
}

impl PgTx {
    /// Opens a transaction by this text.
    pub(super) async fn begin(connection: Object, begin: &str) -> Result<Self, Error> {
        let tx = Self { connection: Some(connection), counts: Vec::new() };
        tx.client().batch_execute(begin).await?;
        Ok(tx)
    }

    /// Adds to a counter when the transaction commits, and only then: effects are written again after one that failed. A
    /// commit whose answer is lost is not counted.
    pub fn count(&mut self, counter: Counter, by: u64) {
        self.counts.push((counter, by));
    }

    /// Commits. On an error without a code the outcome is unknown.
    ///
    /// PostgreSQL answers COMMIT with success also where a statement had failed and somebody swallowed its error: then it
    /// rolls back. The `select` fails there.
    pub(super) async fn commit(mut self) -> Result<(), Error> {
        self.client().batch_execute("select; commit").await?;
        drop(self.connection.take());
        for (counter, by) in self.counts.drain(..) {
            counter.increment(by);
        }
        Ok(())
    }

    /// Rolls back; a connection that can't is ended, which does the same.
    pub(super) async fn rollback(mut self) {
        if self.client().batch_execute("rollback").await.is_ok() {
            drop(self.connection.take());
        }
    }

    fn object(&self) -> &Object {
        self.connection.as_ref().expect("it is taken only by commit, rollback and drop, which end the value")
    }

    /// The connection, for what [`Statements`] doesn't do, such as COPY.
    #[must_use]
    pub fn client(&self) -> &Client {
        self.object()
    }
}

impl Statements for PgTx {
    async fn statement(&self, sql: &str) -> Result<Statement, Error> {
        self.object().prepare_cached(sql).await
    }

    fn connection(&self) -> &Client {
        self.client()
    }
}

impl Drop for PgTx {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            // Not back into the pool: its transaction is still open.
            drop(Object::take(connection));
        }
    }
}
