//! apalis-postgres 1.0.0, on PostgreSQL. It keeps a job when it is done.
//!
//! Options as in its own `examples/basic.rs`: `lock_tasks(false)`, which saves a write for each job (it has been marked
//! as queued for this worker when it was fetched), and `parallelize(tokio::spawn)`, with which one worker uses all
//! processors. The batch is larger than the example's 100: "Larger batches can improve throughput by reducing the
//! number of queue operations" (`Config::batch_size`). It polls (`poll_with_strategy` with an interval, as the README
//! has it): woken by notifications alone, the last outcomes of a backlog waited for the next heartbeat, 30 seconds.
//! Results are persisted, the default: without it nothing says that a job is done. Enqueued with `queries::push_tasks`,
//! one statement for a batch, as the README's pubsub example does.

use apalis::prelude::*;
use apalis_postgres::{Config, PgPool, PostgresStorage};
use peers::{BATCH, Payload};
use std::time::Duration;
use tokio::time::Instant;

const QUEUE: &str = "noop";

async fn noop(_payload: Payload) -> Result<(), BoxDynError> {
    peers::ran();
    Ok(())
}

#[tokio::main]
async fn main() {
    let pool = PgPool::connect(&peers::database_url()).await.expect("PostgreSQL answers");
    PostgresStorage::setup(&pool).await.expect("the schema");

    let payloads = Payload::some(peers::jobs());
    let begun = Instant::now();
    for batch in payloads.chunks(BATCH) {
        let tasks = batch.iter().map(|payload| {
            let bytes = serde_json::to_vec(payload).expect("a payload is JSON");
            TaskBuilder::new(bytes).build()
        });
        let mut connection = pool.acquire().await.expect("a connection");
        apalis_postgres::queries::push_tasks(&mut *connection, QUEUE, tasks.collect()).await.expect("enqueued");
    }
    let enqueue = begun.elapsed();

    let client = peers::connect().await;
    let config = Config::default().queue(QUEUE).batch_size(3000).lock_tasks(false);
    let polling = Strategy::new().interval(Duration::from_millis(50));
    let backend = PostgresStorage::<Payload>::new(&pool).with_config(config).poll_with_strategy(polling);
    let worker = WorkerBuilder::new("worker").backend(backend).parallelize(tokio::spawn).build(noop);
    let begun = Instant::now();
    tokio::spawn(worker.run());
    peers::drained(&client, "select exists (select from apalis.jobs where status <> 'Done')").await;
    peers::report(enqueue, begun.elapsed());
}
