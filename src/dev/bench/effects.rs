//! Scenario `effects`.

use super::{
    Scenario,
    drain::drain,
    ground::Ground,
    jobs::Work,
    kinds::{EFFECT, EFFECTS_TABLE, NOTE},
    meter::rate,
    report::ScenarioReport,
    spec::{BenchError, BenchPlace, BenchSpec, Step},
};
use crate::db;
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};
use tokio::{task::JoinSet, time::Instant};

/// Connections of the plain transactions: few leave the disk idle, many are in each other's way. The best one counts.
const CONNECTIONS: [u32; 3] = [4, 8, 16];

/// Jobs that write a row with their completion, beside plain transactions that write the same rows.
pub(super) async fn effects(
    place: &BenchPlace<'_>,
    ground: &mut Ground,
    (spec, step): (&BenchSpec, Step<'_>),
) -> Result<ScenarioReport, BenchError> {
    let jobs = spec.jobs(Scenario::Effects);
    ground.client.batch_execute(EFFECTS_TABLE).await?;
    let mut plain = 0.0;
    for connections in CONNECTIONS {
        plain = f64::max(plain, rows(ground, jobs, (connections, step.next("plain", jobs.into()))).await?);
    }
    ground.client.batch_execute("truncate bench_effects").await?;
    let work = Work::Insert(spec.work(Scenario::Effects));
    let drained = drain(place, ground, (spec, step.next("measure", jobs.into())), (jobs, work)).await?;
    let written: i64 = ground.client.query_one("select count(*) from bench_effects", &[]).await?.get(0);
    if written.unsigned_abs() != u64::from(jobs) {
        return Err(BenchError::Fleet(format!("{jobs} jobs wrote {written} rows")));
    }
    let mut report = drained.report;
    report.plain_per_second = Some(plain);
    report.compare(plain);
    Ok(report)
}

/// So many rows, each in a transaction of its own. Rows a second.
async fn rows(ground: &Ground, count: u32, (connections, step): (u32, Step<'_>)) -> Result<f64, BenchError> {
    let (left, mut tasks) = (Arc::new(AtomicU32::new(count)), JoinSet::new());
    let mut clients = Vec::new();
    for _ in 0..connections {
        let client = db::connect(&ground.config).await?;
        let statement = client.prepare(EFFECT).await?;
        clients.push((client, statement));
    }
    let begun = Instant::now();
    for (client, statement) in clients {
        let left = left.clone();
        tasks.spawn(async move {
            while left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
                client.execute(&statement, &[&0_i64, &NOTE]).await?;
            }
            Ok::<_, BenchError>(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|e| BenchError::Fleet(e.to_string()))??;
        step.tell((count - left.load(Relaxed)).into());
    }
    Ok(rate(count.into(), begun.elapsed().as_secs_f64()))
}
