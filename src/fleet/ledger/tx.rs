//! The transaction that a job's effects are written in.

use crate::db::Statements;
use deadpool_postgres::Object;
use std::ops::Deref;
use tokio_postgres::{Client, Error, Statement};

/// An open transaction on a pooled connection: a job's completion is written already, its effects come now.
///
/// [`enqueue`](crate::fleet::enqueue::enqueue) works on it, and whatever takes [`Statements`]. It dereferences to [`Client`].
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
    pub(super) async fn begin(connection: Object, begin: &str) -> Result<Self, Error> {
        let tx = Self { connection: Some(connection) };
        tx.batch_execute(begin).await?;
        Ok(tx)
    }

    /// Commits. On an error without a code the outcome is unknown.
    ///
    /// PostgreSQL answers COMMIT with success also where a statement had failed and somebody swallowed its error: then it
    /// rolls back. The `select` fails there.
    pub(super) async fn commit(mut self) -> Result<(), Error> {
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

    fn object(&self) -> &Object {
        self.connection.as_ref().expect("it is taken only by commit, rollback and drop, which end the value")
    }

    /// The connection, for functions that take a [`Client`].
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
