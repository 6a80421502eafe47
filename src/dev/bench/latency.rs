//! Scenario `latency`.

use super::{
    arrivals::arrivals,
    drain::ways,
    fleet::BenchFleet,
    ground::Ground,
    jobs::{Starts, jobs, put},
    meter::{Meter, rate},
    percentile::Percentiles,
    report::ScenarioReport,
    spec::{BenchError, BenchPlace, BenchSpec, Scenario},
};
use crate::{
    db::{Pool, PoolOptions, PoolPurpose, pool},
    fleet::{
        enqueue::Notify,
        job::{JobId, NewJob},
    },
};
use std::sync::Arc;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// Jobs a second: a fleet that is neither idle nor busy.
const RATE: f64 = 200.0;
/// Connections of the callers.
const CALLERS: usize = 8;

/// Jobs that come one by one, at random: from the commit of each to the start of its handler.
pub(super) async fn latency(
    place: &BenchPlace<'_>,
    ground: &Ground,
    spec: &BenchSpec,
    tell: &(dyn Fn(u64) + Send + Sync),
) -> Result<ScenarioReport, BenchError> {
    let times = arrivals(RATE, spec.time, spec.seed);
    let made = jobs(times.len(), spec.work, spec.seed)?;
    let starts = Arc::<Starts>::default();
    let fleet = BenchFleet::start(place, ground, (spec, Scenario::Latency), starts.clone()).await?;
    let callers = pool(&ground.config, PoolOptions::new(PoolPurpose::General, CALLERS));
    let meter = Meter::start(place, &ground.client).await?;
    let (begun, mut calls) = (Instant::now(), JoinSet::new());
    for (time, job) in times.into_iter().zip(made) {
        sleep_until(begun + time).await;
        calls.spawn(call(callers.clone(), job));
        tell(starts.count());
    }
    let commits = calls.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let enqueued = begun.elapsed().as_secs_f64();
    let done = commits.len() as u64;
    fleet.finish(ground, done, tell).await?;
    let mut report = meter.stop(place, &ground.client, (Scenario::Latency, done)).await?;
    fleet.stop().await;
    report.enqueue_per_second = Some(rate(done, enqueued));
    report.latency_ms = Percentiles::of(starts.since(&commits));
    ways(&ground.client, commits.iter().map(|(job, _)| *job).min(), &mut report).await?;
    Ok(report)
}

/// Enqueues a job, and says when its commit was answered.
async fn call(callers: Pool, job: NewJob) -> Result<(JobId, Instant), BenchError> {
    let mut caller = callers.get().await.map_err(|e| BenchError::Fleet(format!("no connection for a caller: {e}")))?;
    let transaction = caller.transaction().await?;
    let ids = put(&*transaction, &[job], Notify::Yes).await?;
    transaction.commit().await?;
    Ok((ids[0], Instant::now()))
}
