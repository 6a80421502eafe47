//! The database, as handlers use it: with a deadline, and errors that tell clients what to do and the log what was.

use crate::{
    db::{Pool, describe, record},
    http::Problem,
};
use std::{future::Future, time::Duration};
use tokio::time::Instant;
use tokio_postgres::{Client, Error, error::SqlState};

/// A pool for requests.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool,
    deadline: Duration,
}

impl Database {
    /// Connection and queries of one request get 5 s together.
    #[must_use]
    pub const fn new(pool: Pool) -> Self {
        Self { pool, deadline: Duration::from_secs(5) }
    }

    /// Another deadline.
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Runs the queries of one request. `operation` names them in the metrics.
    pub(super) async fn ask<T, F>(
        &self,
        operation: &'static str,
        queries: impl FnOnce(deadpool_postgres::Object) -> F + Send,
    ) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let work = async {
            let connection = self.pool.get().await.map_err(|e| away(&e))?;
            queries(connection).await.map_err(|e| failed(&e))
        };
        let started = Instant::now();
        let answer = tokio::time::timeout(self.deadline, work).await.unwrap_or_else(|_| Err(slow()));
        record(operation, started, answer.is_ok());
        answer
    }
}

/// The plain client of a pooled connection.
pub(super) fn client(connection: &deadpool_postgres::Object) -> &Client {
    connection
}

fn away(error: &deadpool_postgres::PoolError) -> Problem {
    let reason = match error {
        deadpool_postgres::PoolError::Backend(e) => describe(e),
        other => other.to_string(),
    };
    tracing::warn!(event = "http.database_away", error = reason, "the database can't be reached");
    Problem::unavailable("the database can't be reached", "try again; if it stays away, see docket doctor")
}

fn slow() -> Problem {
    tracing::warn!(event = "http.database_slow", "a request's queries exceeded their deadline");
    Problem::unavailable("the database did not answer in time", "ask for less: a smaller limit, or another filter")
}

fn failed(error: &Error) -> Problem {
    let code = error.code();
    if code == Some(&SqlState::QUERY_CANCELED) {
        return slow();
    }
    if code == Some(&SqlState::DATETIME_FIELD_OVERFLOW) {
        return Problem::bad_request("a date or time is outside of what a calendar has", "use years from 1 to 9999");
    }
    let gone = [&SqlState::ADMIN_SHUTDOWN, &SqlState::CRASH_SHUTDOWN, &SqlState::CANNOT_CONNECT_NOW];
    if error.is_closed() || code.is_none() || code.is_some_and(|code| gone.contains(&code)) {
        tracing::warn!(event = "http.database_away", error = describe(error), "the database went away");
        return Problem::unavailable("the database went away", "try again");
    }
    tracing::error!(event = "http.failed", error = describe(error), "the database refuses a request's query");
    Problem::internal()
}
