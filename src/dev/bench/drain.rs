//! A backlog, committed at once in front of a fleet that runs already, until the last of its jobs is completed:
//! scenarios `drain`, `direct` and `sleep`, and what `retry` and `effects` are made of.

use super::{
    Scenario,
    fleet::BenchFleet,
    ground::Ground,
    jobs::{Maker, Work},
    kinds::kinds,
    meter::{Meter, number, rate},
    report::ScenarioReport,
    spec::{BenchError, BenchPlace, BenchSpec, Step},
    tally::Tally,
};
use crate::fleet::job::JobId;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use tokio_postgres::Client;

/// What was drained.
pub(super) struct Drained {
    pub(super) report: ScenarioReport,
    /// The first of its jobs; those before it warmed the fleet up.
    pub(super) first: JobId,
    /// Jobs whose first attempt failed.
    pub(super) failing: u64,
}

/// So many jobs of this kind.
pub(super) async fn drain(
    place: &BenchPlace<'_>,
    ground: &mut Ground,
    (spec, step): (&BenchSpec, Step<'_>),
    (count, work): (u32, Work),
) -> Result<Drained, BenchError> {
    let (scenario, tally) = (step.scenario(), Arc::<Tally>::default());
    let fleet = BenchFleet::start(place, ground, (spec, scenario), &kinds(&tally, &tally)).await?;
    fleet.warm_up(ground, (spec, scenario), &tally).await?;
    let (begun, mut maker) = (Instant::now(), Maker::new(spec, work, spec.seed));
    let transaction = ground.client.transaction().await?;
    let first = maker.put(&transaction, count).await?.unwrap_or(JobId(i64::MAX));
    // Before the commit, and after the last row was written: what follows is the drain.
    let meter = Meter::start(place, &transaction).await?;
    transaction.commit().await?;
    let enqueued = begun.elapsed().as_secs_f64();
    let done = u64::from(count);
    fleet.finish(ground, &tally, done, |ends| step.tell(ends)).await?;
    let mut report = meter.stop(place, &ground.client, (spec, scenario, done)).await?;
    let attempts = tally.starts();
    fleet.stop().await;
    report.enqueue_per_second = Some(rate(done, enqueued));
    report.drain_per_second = Some(rate(done, report.seconds));
    report.attempts = Some(attempts);
    ways(&ground.client, first, &mut report).await?;
    Ok(Drained { report, first, failing: maker.failing })
}

/// Scenarios `drain` and `direct`.
pub(super) async fn plain(
    place: &BenchPlace<'_>,
    ground: &mut Ground,
    (spec, step): (&BenchSpec, Step<'_>),
) -> Result<ScenarioReport, BenchError> {
    let scenario = step.scenario();
    let load = (spec.jobs(scenario), Work::Sleep(spec.work(scenario)));
    Ok(drain(place, ground, (spec, step), load).await?.report)
}

/// Scenario `sleep`: as many jobs as the slots can do in the time.
pub(super) async fn sleep(
    place: &BenchPlace<'_>,
    ground: &mut Ground,
    (spec, step): (&BenchSpec, Step<'_>),
) -> Result<ScenarioReport, BenchError> {
    let work = spec.work(Scenario::Sleep).max(Duration::from_millis(1));
    let rounds = u32::try_from(spec.time.as_millis() / work.as_millis()).unwrap_or(u32::MAX).max(1);
    let count = spec.jobs.unwrap_or_else(|| spec.all_slots().saturating_mul(rounds));
    let ideal = number(spec.all_slots().into()) / work.as_secs_f64();
    let step = step.next("measure", count.into());
    let mut report = drain(place, ground, (spec, step), (count, Work::Sleep(work))).await?.report;
    report.ideal_per_second = Some(ideal);
    report.compare(ideal);
    Ok(report)
}

/// How the jobs from this one on came to their workers. A direct lease queues and starts a job at the same time.
pub(super) async fn ways(client: &Client, first: JobId, report: &mut ScenarioReport) -> Result<(), BenchError> {
    let sql = "select count(*)::float8 / nullif(count(distinct message_id), 0), \
                      count(*) filter (where queued_at = started_at) from jobs where id >= $1";
    let row = client.query_one(sql, &[&first.0]).await?;
    report.k_mean = row.get(0);
    // Without rows nobody can tell.
    report.leased_directly = report.k_mean.map(|_| row.get::<_, i64>(1).unsigned_abs());
    Ok(())
}
