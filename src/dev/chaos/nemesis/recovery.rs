//! How long it takes until work goes on.
//!
//! From a fault's end until both hold: three jobs that were enqueued then, one for each band, are completed; and each job
//! that was due, queued, run by a worker that is dead, or run as a short one by one that lives at that moment has gone on:
//! its epoch moved.

use crate::dev::chaos::{
    kinds::{BUSY, HANG, KILL, OK, SLOW},
    stage::Stage,
};
use anyhow::Result;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// So long is waited for a recovery; a purge takes a minute in the real profile.
const LIMIT: Duration = Duration::from_mins(3);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Jobs that wait for nothing but the fleet. What runs long by itself, and what runs alone, is none of them. A worker's name
/// in the ledger ends with its process number: $2 are those that live.
const STRANDED: &str = "select j.id, j.epoch from jobs j left join workers w on w.id = j.worker_id \
                        where j.due and j.losses < 2 or j.status = 'queued' or j.status = 'processing' \
                        and (j.kind <> all($1) or split_part(w.name, '/', 2) <> all($2))";

const STILL: &str = "select j.id from unnest($1::bigint[], $2::int[]) u(id, epoch) join jobs j on j.id = u.id \
                     where j.epoch = u.epoch and j.finished_at is null";

const OPEN: &str = "select id from jobs where id = any($1) and finished_at is null";

/// The seconds, and the jobs that had not gone on by then: none, if it recovered.
pub(super) async fn measure(stage: &Stage) -> Result<(f64, Vec<i64>)> {
    let begun = Instant::now();
    let long: Vec<&str> = vec![SLOW, HANG, BUSY, KILL];
    let living: Vec<String> =
        stage.workers.iter().filter_map(|worker| worker.pid()).map(|pid| pid.to_string()).collect();
    let stranded = loop {
        match stage.query(STRANDED, &[&long, &living]).await {
            Ok(rows) => break rows,
            Err(_) if begun.elapsed() < LIMIT => sleep(LOOK).await,
            Err(error) => return Err(error),
        }
    };
    let (ids, epochs): (Vec<i64>, Vec<i32>) =
        stranded.iter().map(|row| (row.get::<_, i64>(0), row.get::<_, i32>(1))).unzip();
    let put = timeout(LIMIT, stage.put(&[(OK, 1, 300), (OK, 1, 100), (OK, 1, -50)])).await;
    let canaries = match put {
        Ok(canaries) => canaries?,
        Err(_) => return Ok((begun.elapsed().as_secs_f64(), vec![0])),
    };
    loop {
        let left = match (stage.query(STILL, &[&ids, &epochs]).await, stage.query(OPEN, &[&canaries]).await) {
            (Ok(still), Ok(open)) => still.iter().chain(&open).map(|row| row.get(0)).collect(),
            // Nobody knows.
            _ => vec![0],
        };
        let seconds = begun.elapsed().as_secs_f64();
        if left.is_empty() || begun.elapsed() > LIMIT {
            return Ok((seconds, left));
        }
        sleep(LOOK).await;
    }
}
