//! Connection pools. Each purpose has one of its own, so that slow handlers can't starve a heartbeat.

use super::connect::tls;
use deadpool_postgres::{ClientWrapper, Hook, HookError, Manager, ManagerConfig, RecyclingMethod, Runtime};
use std::time::Duration;
use tokio_postgres::{Config, NoTls, config::SslMode};

/// A pool of connections.
pub type Pool = deadpool_postgres::Pool;

/// What a pool's connections are for; it decides their settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolPurpose {
    /// The engine's own statements, and those of handlers. Their plans are pinned: statistics are wrong right after a bulk
    /// enqueue, and the planner then sorts a backlog that an index would hand over in order, or keeps for a prepared
    /// statement the plan that was right while the table was small.
    Engine,
    /// The API, the command line: PostgreSQL's defaults.
    General,
}

/// Size and patience of a pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolOptions {
    /// What it is for.
    pub purpose: PoolPurpose,
    /// Most connections.
    pub size: usize,
    /// Deadline of a statement, in the server.
    pub statement: Duration,
    /// How long a caller waits for a connection.
    pub wait: Duration,
    /// How long a session may do nothing in an open transaction before the server ends it. A process that stands still
    /// there, or whose machine is gone without a word, holds up everybody who needs its rows for as long.
    pub idle_in_transaction: Duration,
}

impl PoolOptions {
    /// A pool for `purpose` of `size` connections, with 10 s for a statement, 5 s for a connection, 20 s in a
    /// transaction without a statement.
    #[must_use]
    pub const fn new(purpose: PoolPurpose, size: usize) -> Self {
        let (statement, wait) = (Duration::from_secs(10), Duration::from_secs(5));
        Self { purpose, size, statement, wait, idle_in_transaction: Duration::from_secs(20) }
    }
}

/// `enable_sort` stays on: without it `order by id for update` walks the whole primary key.
///
/// Pages cost nothing, so that plans are compared by the rows that they look at. An autovacuum that comes by while a backlog
/// is being written leaves a table of many pages and few rows; by their pages, a thousand lookups in it are dearer than the
/// whole of it compared with each of a thousand keys, and a prepared statement keeps that plan when the rows are there.
const PINS: &str = "set enable_seqscan = off; set enable_bitmapscan = off; set enable_hashjoin = off; \
                    set enable_mergejoin = off; set seq_page_cost = 0; set random_page_cost = 0";

/// A connection that was given back so lately needs no proof that it still works.
const FRESH: Duration = Duration::from_secs(1);

/// Builds a pool. It connects when it is first used.
#[must_use]
pub fn pool(config: &Config, options: PoolOptions) -> Pool {
    // Fast looks only whether the connection was closed; `verify` asks those that may be half-open.
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = if config.get_ssl_mode() == SslMode::Disable {
        Manager::from_config(config.clone(), NoTls, manager)
    } else {
        Manager::from_config(config.clone(), tls(), manager)
    };
    let settings = settings(options);
    Pool::builder(manager)
        .max_size(options.size.max(1))
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(options.wait))
        .create_timeout(Some(options.wait))
        .recycle_timeout(Some(options.wait))
        .post_create(Hook::async_fn(move |client, _| {
            let settings = settings.clone();
            Box::pin(async move { client.batch_execute(&settings).await.map_err(HookError::Backend) })
        }))
        .pre_recycle(Hook::async_fn(|client, metrics| {
            let idle = metrics.last_used();
            Box::pin(async move { verify(client, idle).await.map_err(HookError::Backend) })
        }))
        .build()
        .expect("a runtime is given, which is all that build() can miss")
}

/// A connection that was used a moment ago is good: asking it would cost the busy ones a round trip a statement. One that
/// idled may be half-open, and must answer before it is handed out.
async fn verify(client: &ClientWrapper, idle: Duration) -> Result<(), tokio_postgres::Error> {
    if idle < FRESH { Ok(()) } else { client.simple_query("").await.map(drop) }
}

fn settings(options: PoolOptions) -> String {
    let (timeout_ms, idle_ms) = (options.statement.as_millis(), options.idle_in_transaction.as_millis());
    let pins = if options.purpose == PoolPurpose::Engine { PINS } else { "" };
    // Compiling a statement takes longer than any of ours runs: 150 of the 195 ms of the gauges' dearest one.
    format!(
        "set statement_timeout = {timeout_ms}; set idle_in_transaction_session_timeout = {idle_ms}; set jit = off; {pins}"
    )
}
