//! Scenario `mixed`.

use super::{
    Scenario,
    callers::{Callers, Limit},
    enqueue::CONNECTIONS,
    fleet::{BenchFleet, LOOK},
    ground::Ground,
    jobs::Work,
    kinds::kinds,
    meter::{Meter, rate},
    report::ScenarioReport,
    spec::{BenchError, BenchPlace, BenchSpec, Step},
    tally::Tally,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// Jobs that are open at once: enough for neither side to wait for the other, and no backlog that grows.
const OPEN: u64 = 20_000;
/// What is left out at the beginning and at the end, at most a tenth of the time each. The beginning ends when so many
/// jobs are open that the loop is about to close, or after half of the time.
const EDGE: Duration = Duration::from_secs(1);

/// Jobs are enqueued as fast as the fleet completes them; the rates of both sides in between.
pub(super) async fn mixed(
    place: &BenchPlace<'_>,
    ground: &Ground,
    (spec, step): (&BenchSpec, Step<'_>),
) -> Result<ScenarioReport, BenchError> {
    let tally = Arc::<Tally>::default();
    let fleet = BenchFleet::start(place, ground, (spec, Scenario::Mixed), &kinds(&tally, &tally)).await?;
    fleet.warm_up(ground, (spec, Scenario::Mixed), &tally).await?;
    let work = Work::Sleep(spec.work(Scenario::Mixed));
    let limit = Limit::Open(OPEN, tally.clone());
    let mut callers = Callers::start(ground, (spec, work), (CONNECTIONS, limit)).await?;
    let (edge, started) = (EDGE.min(spec.time / 10), Instant::now());
    sleep(edge).await;
    while callers.committed().saturating_sub(tally.ends()) < OPEN / 2 && started.elapsed() < spec.time / 2 {
        callers.ended(LOOK).await.transpose()?;
    }
    let meter = Meter::start(place, &ground.client).await?;
    let (committed, ended) = (callers.committed(), tally.ends());
    while started.elapsed() + edge < spec.time {
        callers.ended(LOOK).await.transpose()?;
        step.tell(tally.ends() - ended);
    }
    let (committed, ended) = (callers.committed() - committed, tally.ends() - ended);
    let mut report = meter.stop(place, &ground.client, (spec, Scenario::Mixed, ended)).await?;
    sleep(edge).await;
    callers.stop();
    while let Some(ended) = callers.ended(LOOK).await {
        ended?;
    }
    fleet.abandon(ground).await?;
    report.enqueue_per_second = Some(rate(committed, report.seconds));
    report.drain_per_second = Some(rate(ended, report.seconds));
    Ok(report)
}
