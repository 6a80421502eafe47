//! Scenarios `latency` and `urgent`.

use super::{
    Scenario,
    arrivals::arrivals,
    drain::ways,
    fill,
    fleet::BenchFleet,
    ground::Ground,
    jobs::{Maker, Work, put},
    kinds::kinds,
    meter::{Meter, rate},
    percentile::Percentiles,
    report::ScenarioReport,
    spec::{BenchError, BenchPlace, BenchSpec, Step},
    tally::Tally,
};
use crate::{
    db::{Pool, PoolOptions, PoolPurpose, pool},
    fleet::job::{JobId, NewJob},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// Jobs a second of `latency`: a fleet that is neither idle nor busy.
pub(super) const RATE: f64 = 200.0;
/// Urgent jobs a second.
pub(super) const URGENT_RATE: f64 = 10.0;
/// Of the high band.
const URGENT: i32 = 500;
/// Of the low band.
const OTHERS: i16 = 0;
/// Connections of the callers.
const CALLERS: usize = 8;

/// Jobs that come one by one, at random: from the commit of each to the start of its handler.
pub(super) async fn latency(
    place: &BenchPlace<'_>,
    ground: &Ground,
    (spec, step): (&BenchSpec, Step<'_>),
) -> Result<ScenarioReport, BenchError> {
    let (scenario, tally, none) = (Scenario::Latency, Arc::new(Tally::timed()), Arc::<Tally>::default());
    let work = spec.work(scenario);
    // Only jobs that end at once have a tally of their own.
    let kinds = if work.is_zero() { kinds(&tally, &none) } else { kinds(&tally, &tally) };
    let fleet = BenchFleet::start(place, ground, (spec, scenario), &kinds).await?;
    fleet.warm_up(ground, (spec, scenario), &tally).await?;
    let made = Coming::new(spec, Work::Sleep(work), RATE)?;
    let mut report = measure(place, ground, (spec, step), (&fleet, &tally, made)).await?;
    fleet.stop().await;
    let first = report.1;
    ways(&ground.client, first, &mut report.0).await?;
    Ok(report.0)
}

/// Urgent jobs that come one by one while all slots are busy with others, of which there are many more.
pub(super) async fn urgent(
    place: &BenchPlace<'_>,
    ground: &Ground,
    (spec, step): (&BenchSpec, Step<'_>),
) -> Result<ScenarioReport, BenchError> {
    let (scenario, tally, others) = (Scenario::Urgent, Arc::new(Tally::timed()), Arc::<Tally>::default());
    let (waiting, work) = (spec.jobs(scenario), spec.work(scenario).max(Duration::from_millis(1)));
    fill::pending(&ground.client, (spec, step.next("fill", waiting.into())), (waiting.into(), work, OTHERS)).await?;
    fill::settle(&ground.client).await?;
    let fleet = BenchFleet::start(place, ground, (spec, scenario), &kinds(&tally, &others)).await?;
    // By then each slot has been busy once.
    fleet.reach(&others, spec.all_slots().min(waiting).into(), |_| {}).await?;
    let mut made = Coming::new(spec, Work::Sleep(Duration::ZERO), URGENT_RATE)?;
    made.jobs = made.jobs.into_iter().map(|job| job.priority(URGENT)).collect();
    let step = step.next("measure", made.jobs.len() as u64);
    let (mut report, first) = measure(place, ground, (spec, step), (&fleet, &tally, made)).await?;
    ways(&ground.client, first, &mut report).await?;
    fleet.abandon(ground).await?;
    report.rows_beside = Some(waiting.into());
    Ok(report)
}

/// Jobs and their times.
struct Coming {
    times: Vec<Duration>,
    jobs: Vec<NewJob>,
}

impl Coming {
    fn new(spec: &BenchSpec, work: Work, rate: f64) -> Result<Self, BenchError> {
        let times = arrivals(rate, spec.time, spec.seed);
        let jobs = Maker::new(spec, work, spec.seed).make(times.len())?;
        Ok(Self { times, jobs })
    }
}

/// Lets them come, until all have ended. The report, and the first of them.
async fn measure(
    place: &BenchPlace<'_>,
    ground: &Ground,
    (spec, step): (&BenchSpec, Step<'_>),
    (fleet, tally, coming): (&BenchFleet, &Tally, Coming),
) -> Result<(ScenarioReport, JobId), BenchError> {
    let callers = pool(&ground.config, PoolOptions::new(PoolPurpose::General, CALLERS));
    let meter = Meter::start(place, &ground.client).await?;
    let (begun, mut calls) = (Instant::now(), JoinSet::new());
    for (time, job) in coming.times.into_iter().zip(coming.jobs) {
        sleep_until(begun + time).await;
        calls.spawn(call(callers.clone(), job));
        step.tell(tally.ends());
    }
    let commits = calls.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let enqueued = begun.elapsed().as_secs_f64();
    let done = commits.len() as u64;
    fleet.reach(tally, done, |ends| step.tell(ends)).await?;
    let mut report = meter.stop(place, &ground.client, (spec, step.scenario(), done)).await?;
    report.enqueue_per_second = Some(rate(done, enqueued));
    report.latency_ms = Percentiles::of(tally.since(&commits));
    Ok((report, commits.iter().map(|(job, _)| *job).min().unwrap_or(JobId(i64::MAX))))
}

/// Enqueues a job, and says when its commit was answered.
async fn call(callers: Pool, job: NewJob) -> Result<(JobId, Instant), BenchError> {
    let mut caller = callers.get().await.map_err(|e| BenchError::Fleet(format!("no connection for a caller: {e}")))?;
    let transaction = caller.transaction().await?;
    let ids = put(&*transaction, &[job]).await?;
    transaction.commit().await?;
    Ok((ids[0], Instant::now()))
}
