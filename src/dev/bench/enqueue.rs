//! Scenario `enqueue`.

use super::{
    Scenario,
    callers::{Callers, Limit},
    fleet::LOOK,
    ground::Ground,
    jobs::Work,
    meter::{Meter, rate},
    report::ScenarioReport,
    spec::{BenchError, BenchPlace, BenchSpec, Step},
};

/// Connections that enqueue at once. The same transactions by pgbench, on two processors that had other work besides,
/// brought 23,000 jobs a second on one connection, 33,000 on two, 44,000 on four and 52,000 on eight. Four, because eight
/// may have won no more than a larger share of those processors.
pub(super) const CONNECTIONS: u64 = 4;

/// Jobs into the ledger while nothing takes them out, as a caller would at his best.
pub(super) async fn enqueue(
    place: &BenchPlace<'_>,
    ground: &Ground,
    (spec, step): (&BenchSpec, Step<'_>),
) -> Result<ScenarioReport, BenchError> {
    let (jobs, work) = (spec.jobs(Scenario::Enqueue), Work::Sleep(spec.work(Scenario::Enqueue)));
    let meter = Meter::start(place, &ground.client).await?;
    let mut callers = Callers::start(ground, (spec, work), (CONNECTIONS, Limit::Total(jobs.into()))).await?;
    while let Some(ended) = callers.ended(LOOK).await {
        ended?;
        step.tell(callers.committed());
    }
    let done = callers.committed();
    let mut report = meter.stop(place, &ground.client, (spec, Scenario::Enqueue, done)).await?;
    report.enqueue_per_second = Some(rate(done, report.seconds));
    Ok(report)
}
