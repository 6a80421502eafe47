//! Scenarios `drain` and `direct`.

use super::{
    fleet::BenchFleet,
    ground::Ground,
    jobs::{Starts, jobs, put},
    meter::{Meter, rate},
    report::ScenarioReport,
    spec::{BenchError, BenchPlace, BenchSpec, Scenario},
};
use crate::fleet::{enqueue::Notify, job::JobId};
use std::sync::Arc;
use tokio::time::Instant;
use tokio_postgres::Client;

/// A backlog, committed at once in front of a fleet that runs already, until the last of its jobs is completed.
pub(super) async fn drain(
    place: &BenchPlace<'_>,
    ground: &mut Ground,
    spec: &BenchSpec,
    (scenario, tell): (Scenario, &(dyn Fn(u64) + Send + Sync)),
) -> Result<ScenarioReport, BenchError> {
    let made = jobs(spec.jobs as usize, spec.work, spec.seed)?;
    let fleet = BenchFleet::start(place, ground, (spec, scenario), Arc::<Starts>::default()).await?;
    let begun = Instant::now();
    let transaction = ground.client.transaction().await?;
    let ids = put(&transaction, &made, Notify::Yes).await?;
    // Before the commit, and after the last row was written: what follows is the drain.
    let meter = Meter::start(place, &transaction).await?;
    transaction.commit().await?;
    let enqueued = begun.elapsed().as_secs_f64();
    let done = ids.len() as u64;
    fleet.finish(ground, done, tell).await?;
    let mut report = meter.stop(place, &ground.client, (scenario, done)).await?;
    fleet.stop().await;
    report.enqueue_per_second = Some(rate(done, enqueued));
    report.drain_per_second = Some(rate(done, report.seconds));
    ways(&ground.client, ids.first().copied(), &mut report).await?;
    Ok(report)
}

/// How the jobs from this one on came to their workers. A direct lease queues and starts a job at the same time.
pub(super) async fn ways(client: &Client, first: Option<JobId>, report: &mut ScenarioReport) -> Result<(), BenchError> {
    let sql = "select count(*)::float8 / nullif(count(distinct message_id), 0), \
                      count(*) filter (where queued_at = started_at) from jobs where id >= $1";
    let row = client.query_one(sql, &[&first.map_or(0, |id| id.0)]).await?;
    report.k_mean = row.get(0);
    report.leased_directly = row.get::<_, i64>(1).unsigned_abs();
    Ok(())
}
