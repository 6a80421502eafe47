//! The transaction that a job's effects are written in.

use deadpool_postgres::Object;
use std::ops::Deref;
use tokio_postgres::Client;

/// An open transaction on a pooled connection: a job's completion is written already, its effects come now.
///
/// It dereferences to [`Client`], so `tx.execute(…)` and [`enqueue`](crate::fleet::enqueue::enqueue) work on it.
///
/// Dropped without a commit, it takes its connection out of the pool and ends it: the server rolls back.
pub struct PgTx {
    connection: Option<Object>,
}

impl std::fmt::Debug for PgTx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PgTx")
    }
}

impl PgTx {
    /// Opens a transaction by this text.
    pub(super) async fn begin(connection: Object, begin: &str) -> Result<Self, tokio_postgres::Error> {
        let tx = Self { connection: Some(connection) };
        tx.batch_execute(begin).await?;
        Ok(tx)
    }

    /// Commits. On an error without a code the outcome is unknown.
    ///
    /// PostgreSQL answers COMMIT with success also where a statement had failed and somebody swallowed its error: then it
    /// rolls back. The `select` fails there.
    pub(super) async fn commit(mut self) -> Result<(), tokio_postgres::Error> {
        self.batch_execute("select; commit").await?;
        drop(self.connection.take());
        Ok(())
    }

    /// Rolls back; a connection that can't is ended, which does the same.
    pub(super) async fn rollback(mut self) {
        if self.batch_execute("rollback").await.is_ok() {
            drop(self.connection.take());
        }
    }

    /// Prepares a statement once a connection.
    ///
    /// # Errors
    /// When the server refuses the statement.
    pub async fn prepare_cached(&self, sql: &str) -> Result<tokio_postgres::Statement, tokio_postgres::Error> {
        self.object().prepare_cached(sql).await
    }

    fn object(&self) -> &Object {
        self.connection.as_ref().expect("it is taken only by commit, rollback and drop, which end the value")
    }

    /// The connection, for functions that take a [`Client`].
    #[must_use]
    pub fn client(&self) -> &Client {
        self.object()
    }
}

impl Deref for PgTx {
    type Target = Client;

    fn deref(&self) -> &Client {
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
