//! graphile_worker 0.14.1 for Rust, on PostgreSQL. It deletes a job when it is done.
//!
//! Options are those of its own throughput bench, `benches/perf_test.rs` in the crate: 500 jobs at once, a local queue
//! of 5,000, completions of 5 ms together, the driver tokio-postgres, which that bench prefers. A local queue is for
//! "many small jobs" (docs/src/guides/local-queue.md), a completion delay of "1-5ms is recommended" and "can
//! significantly improve throughput" (`WorkerOptions::complete_job_batch_delay`). One process uses all processors.
//! Enqueued with `add_raw_jobs`, the guide's way for many jobs (docs/src/guides/batch-jobs.md).

use graphile_worker::{
    Database, IntoTaskHandlerResult, JobSpec, LocalQueueConfig, RawJobSpec, TaskHandler, WorkerContext, WorkerOptions,
    WorkerUtils, tokio_postgres::TokioPostgresDatabase,
};
use peers::{BATCH, Payload};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

const SCHEMA: &str = "graphile_worker";

#[derive(Clone, Deserialize, Serialize)]
struct Noop(Payload);

impl TaskHandler for Noop {
    const IDENTIFIER: &'static str = "noop";

    async fn run(self, _ctx: WorkerContext) -> impl IntoTaskHandlerResult {
        peers::ran();
        Ok::<(), String>(())
    }
}

#[tokio::main]
async fn main() {
    let database: Database = TokioPostgresDatabase::from_url(&peers::database_url(), 20).expect("a database").into();
    let utils = WorkerUtils::new(database.clone(), SCHEMA);
    utils.migrate().await.expect("the schema");

    let jobs: Vec<RawJobSpec> = Payload::some(peers::jobs())
        .into_iter()
        .map(|payload| RawJobSpec {
            identifier: Noop::IDENTIFIER.to_owned(),
            payload: serde_json::to_value(payload).expect("a payload is JSON"),
            spec: JobSpec::default(),
        })
        .collect();
    let begun = Instant::now();
    for batch in jobs.chunks(BATCH) {
        utils.add_raw_jobs(batch).await.expect("enqueued");
    }
    let enqueue = begun.elapsed();

    let client = peers::connect().await;
    let worker = WorkerOptions::default()
        .database(database)
        .schema(SCHEMA)
        .concurrency(500)
        .poll_interval(Duration::from_millis(5))
        .complete_job_batch_delay(Duration::from_millis(5))
        .local_queue(LocalQueueConfig::default().with_size(5000))
        .define_job::<Noop>()
        .init()
        .await
        .expect("a worker");
    let worker = Arc::new(worker);
    let begun = Instant::now();
    let running = Arc::clone(&worker);
    tokio::spawn(async move { running.run().await });
    peers::drained(&client, "select exists (select from graphile_worker._private_jobs)").await;
    peers::report(enqueue, begun.elapsed());
}
