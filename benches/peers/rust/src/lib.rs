//! What both Rust peers share: the payload, the count of jobs that ran, and the line that they print.

use rand::{Rng, distr::Alphanumeric};
use serde::{Deserialize, Serialize};
use std::{
    env,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::time::{Instant, sleep};
use tokio_postgres::{Client, NoTls};

/// Jobs of one call that enqueues.
pub const BATCH: usize = 1000;

/// How long nothing may happen before a drain counts as stuck.
const STUCK: Duration = Duration::from_secs(60);

/// Arguments of about 200 bytes, as `docket bench` has them.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Payload {
    pub ms: u64,
    pub text: String,
}

impl Payload {
    /// So many of them.
    pub fn some(count: usize) -> Vec<Self> {
        let mut random = rand::rng();
        let mut text = || (&mut random).sample_iter(Alphanumeric).take(180).map(char::from).collect();
        (0..count).map(|_| Self { ms: 0, text: text() }).collect()
    }
}

static RAN: AtomicUsize = AtomicUsize::new(0);

/// What a handler does.
pub fn ran() {
    RAN.fetch_add(1, Ordering::Relaxed);
}

pub fn jobs() -> usize {
    variable("PEERS_JOBS").parse().expect("PEERS_JOBS is a number")
}

pub fn database_url() -> String {
    variable("DATABASE_URL")
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("set {name}; scripts/bench-peers does"))
}

/// A connection of the measurement's own, to a database that knows what has been enqueued.
pub async fn connect() -> Client {
    let (client, connection) = tokio_postgres::connect(&database_url(), NoTls).await.expect("PostgreSQL answers");
    tokio::spawn(connection);
    // As autovacuum does some time after a table has grown.
    client.batch_execute("vacuum analyze").await.expect("PostgreSQL answers");
    client
}

/// Waits until every job ran and `is_left` (a query for one boolean) is false: the outcome of all of them is committed.
pub async fn drained(client: &Client, is_left: &str) {
    let (jobs, mut ran, mut since) = (jobs(), 0, Instant::now());
    loop {
        let now = RAN.load(Ordering::Relaxed);
        // The database is asked only when little can be left, so that asking costs the peer nothing.
        if now >= jobs {
            let left: bool = client.query_one(is_left, &[]).await.expect("PostgreSQL answers").get(0);
            if !left {
                return;
            }
        }
        if now != ran {
            (ran, since) = (now, Instant::now());
        }
        assert!(since.elapsed() < STUCK, "{now} of {jobs} jobs ran, then nothing for {STUCK:?}");
        sleep(Duration::from_millis(2)).await;
    }
}

/// Prints the result. The process ends here: an orderly end of the peer is no part of the measurement.
pub fn report(enqueue: Duration, drain: Duration) -> ! {
    let (jobs, ran) = (jobs(), RAN.load(Ordering::Relaxed));
    assert!(ran == jobs, "{ran} jobs ran, {jobs} were enqueued");
    let rate = |time: Duration| jobs as f64 / time.as_secs_f64();
    let line = serde_json::json!({ "enqueue_per_second": rate(enqueue), "drain_per_second": rate(drain) });
    println!("{line}");
    std::process::exit(0)
}
