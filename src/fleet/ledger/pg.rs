//! The connections of the ledger, and what a failing statement means.

use crate::{
    db::{Params, Pool, PoolOptions, PoolPurpose, describe, pool, record},
    fleet::{
        ports::{LedgerError, LedgerResult},
        settings::Protocol,
    },
};
use deadpool_postgres::Object;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Mutex, time::Instant};
use tokio_postgres::{Config, Row, error::SqlState};

/// Jobs in PostgreSQL.
///
/// It keeps three pools: one for the engine's statements and one for transactions with effects, whose plans are pinned; one
/// connection for the heartbeat, so that no other traffic can make a living worker look dead.
#[derive(Clone, Debug)]
pub struct PgLedger {
    pub(super) engine: Pool,
    pub(super) effects: Pool,
    pub(super) heartbeat: Pool,
    pub(super) protocol: Arc<Protocol>,
    /// The connection that holds R5's advisory lock.
    pub(super) dead_lock: Arc<Mutex<Option<Object>>>,
}

/// How many connections a process opens at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerConnections {
    /// For the engine's statements.
    pub engine: usize,
    /// For transactions with effects.
    pub effects: usize,
}

/// For the heartbeat, so that no other traffic can make a living worker look dead.
const HEARTBEAT: usize = 2;

impl LedgerConnections {
    /// All connections of a ledger.
    #[must_use]
    pub const fn total(self) -> usize {
        self.engine + self.effects + HEARTBEAT
    }
}

impl Default for LedgerConnections {
    fn default() -> Self {
        Self { engine: 4, effects: 8 }
    }
}

impl PgLedger {
    /// A ledger in this database. It connects when it is first used.
    #[must_use]
    pub fn new(config: &Config, protocol: Protocol, connections: LedgerConnections) -> Self {
        // Whoever stands still for a lease has lost its jobs; R4 needs the rows that its transaction locks.
        let (statement, idle_in_transaction) = (protocol.statement, protocol.lease);
        let with = |purpose, size| {
            pool(config, PoolOptions { statement, idle_in_transaction, ..PoolOptions::new(purpose, size) })
        };
        Self {
            engine: with(PoolPurpose::Engine, connections.engine),
            effects: with(PoolPurpose::Engine, connections.effects),
            heartbeat: with(PoolPurpose::General, HEARTBEAT),
            protocol: Arc::new(protocol),
            dead_lock: Arc::default(),
        }
    }

    /// The pool for transactions with effects: handlers may use it for their reads too.
    #[must_use]
    pub const fn effects_pool(&self) -> &Pool {
        &self.effects
    }

    /// Its pools, by name.
    #[must_use]
    pub const fn pools(&self) -> [(&'static str, &Pool); 3] {
        [("engine", &self.engine), ("effects", &self.effects), ("heartbeat", &self.heartbeat)]
    }

    /// One named statement on the engine's pool.
    pub(super) async fn run(&self, operation: &'static str, sql: &str, params: Params<'_>) -> LedgerResult<Vec<Row>> {
        self.run_on(&self.engine, operation, sql, params).await
    }

    /// One named statement that answers exactly one row.
    pub(super) async fn run_one(&self, operation: &'static str, sql: &str, params: Params<'_>) -> LedgerResult<Row> {
        let mut rows = self.run(operation, sql, params).await?;
        rows.pop().ok_or_else(|| LedgerError::Refused(format!("{operation} answered no row")))
    }

    pub(super) async fn run_on(
        &self,
        pool: &Pool,
        operation: &'static str,
        sql: &str,
        params: Params<'_>,
    ) -> LedgerResult<Vec<Row>> {
        let begun = Instant::now();
        // A connection that can't be had is an error of the statement too.
        let result = async { query(get(pool).await?, sql, params, self.deadline()).await }.await;
        record(operation, begun, result.is_ok());
        result
    }

    /// The server gives up at the statement timeout; a dead network needs a little more patience than that.
    pub(super) fn deadline(&self) -> Duration {
        self.protocol.statement + Duration::from_secs(2)
    }
}

/// A connection. Without one, nothing was committed.
pub(super) async fn get(pool: &Pool) -> LedgerResult<Object> {
    pool.get().await.map_err(|e| match e {
        deadpool_postgres::PoolError::Backend(db) => LedgerError::Unavailable(describe(&db)),
        other => LedgerError::Unavailable(other.to_string()),
    })
}

async fn query(connection: Object, sql: &str, params: Params<'_>, deadline: Duration) -> LedgerResult<Vec<Row>> {
    let work = async {
        let statement = connection.prepare_cached(sql).await.map_err(before_execution)?;
        connection.query(&statement, params).await.map_err(|e| classify(&e))
    };
    match tokio::time::timeout(deadline, work).await {
        Ok(result) => result,
        Err(_) => {
            // Not back into the pool: an answer may still come on it.
            drop(Object::take(connection));
            Err(LedgerError::Unknown(format!("no answer within {deadline:?}")))
        }
    }
}

/// An error while a statement is prepared: nothing was executed.
fn before_execution(e: tokio_postgres::Error) -> LedgerError {
    match classify(&e) {
        LedgerError::Unknown(text) => LedgerError::Unavailable(text),
        other => other,
    }
}

/// What an error of an executed statement means for its commit.
pub(in crate::fleet) fn classify(e: &tokio_postgres::Error) -> LedgerError {
    let text = describe(e);
    let Some(code) = e.code() else { return LedgerError::Unknown(text) };
    if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code) {
        return LedgerError::Repeat(text);
    }
    // Classes 08, 53, 55 and 57: connection, resources, locks, and an operator's intervention (such as a shutdown).
    match &code.code()[..2] {
        "08" | "53" | "55" | "57" => LedgerError::Unavailable(text),
        _ => LedgerError::Refused(text),
    }
}
