//! Statements by their text, prepared once a connection.

use deadpool_postgres::ClientWrapper;
use std::future::Future;
use tokio_postgres::{Client, Error, Row, Statement, Transaction, types::ToSql};

/// A client to which statements are given as text.
///
/// `tokio_postgres` has the server parse a text at each call, in a round trip of its own: a third of what a short statement
/// costs. A pooled connection remembers what it has prepared. So texts must be constants, not put together from values; and
/// they keep their plans, so they must be right for a table of any size: through keys, as the pools of the engine and of
/// handlers ask the planner for.
pub trait Statements: Sync {
    /// The statement of this text.
    fn statement(&self, sql: &str) -> impl Future<Output = Result<Statement, Error>> + Send;

    /// The connection.
    fn connection(&self) -> &Client;

    /// Rows affected.
    fn execute(&self, sql: &str, params: Params<'_>) -> impl Future<Output = Result<u64, Error>> + Send {
        async move { self.connection().execute(&self.statement(sql).await?, params).await }
    }

    /// All rows.
    fn query(&self, sql: &str, params: Params<'_>) -> impl Future<Output = Result<Vec<Row>, Error>> + Send {
        async move { self.connection().query(&self.statement(sql).await?, params).await }
    }

    /// The row; an error unless there is exactly one.
    fn query_one(&self, sql: &str, params: Params<'_>) -> impl Future<Output = Result<Row, Error>> + Send {
        async move { self.connection().query_one(&self.statement(sql).await?, params).await }
    }

    /// The row, if there is one; an error if there are more.
    fn query_opt(&self, sql: &str, params: Params<'_>) -> impl Future<Output = Result<Option<Row>, Error>> + Send {
        async move { self.connection().query_opt(&self.statement(sql).await?, params).await }
    }
}

/// What stands for $1, $2 and so on.
pub type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Pooled: it remembers.
impl Statements for ClientWrapper {
    async fn statement(&self, sql: &str) -> Result<Statement, Error> {
        self.prepare_cached(sql).await
    }

    fn connection(&self) -> &Client {
        self
    }
}

/// Not pooled, such as a command's only connection: each call prepares.
impl Statements for Client {
    async fn statement(&self, sql: &str) -> Result<Statement, Error> {
        self.prepare(sql).await
    }

    fn connection(&self) -> &Client {
        self
    }
}

/// As its client does: each call prepares.
impl Statements for Transaction<'_> {
    async fn statement(&self, sql: &str) -> Result<Statement, Error> {
        self.prepare(sql).await
    }

    fn connection(&self) -> &Client {
        self.client()
    }
}
