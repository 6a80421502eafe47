//! Scenario `backlog`: what a deep backlog and a long history cost.

use super::{
    Scenario, fill,
    fleet::BenchFleet,
    ground::Ground,
    kinds::kinds,
    meter::{Meter, rate},
    report::ScenarioReport,
    spec::{BenchError, BenchPlace, BenchSpec, Step},
    tally::Tally,
};
use std::sync::Arc;

/// Completions that are measured.
const MEASURED: u64 = 100_000;

/// What is in the table besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    Nothing,
    Waiting,
    History,
}

/// The rate of completions beside such rows. The fleet starts in front of the filled table, and the first completions
/// bring it up to its speed; what is left at the end is thrown away.
pub(super) async fn backlog(
    place: &BenchPlace<'_>,
    ground: &Ground,
    (spec, step): (&BenchSpec, Step<'_>),
    beside: Beside,
) -> Result<ScenarioReport, BenchError> {
    let jobs = u64::from(spec.jobs(Scenario::Backlog));
    let measured = MEASURED.min(jobs);
    let first = measured / 10;
    let (waiting, history) = match beside {
        Beside::Nothing => (0, 0),
        Beside::Waiting => (jobs, 0),
        Beside::History => (0, jobs),
    };
    fill::completed(&ground.client, (spec, step.next("fill", history)), history).await?;
    // The first and the last of them are not measured.
    let open = first + measured + first + waiting;
    let work = spec.work(Scenario::Backlog);
    fill::pending(&ground.client, (spec, step.next("fill", open)), (open, work, 100)).await?;
    fill::settle(&ground.client).await?;
    let tally = Arc::<Tally>::default();
    let fleet = BenchFleet::start(place, ground, (spec, Scenario::Backlog), &kinds(&tally, &tally)).await?;
    let step = step.next("measure", first + measured);
    let before = fleet.reach(&tally, first, |ends| step.tell(ends)).await?;
    let meter = Meter::start(place, &ground.client).await?;
    let last = (before + measured).min(open);
    let done = fleet.reach(&tally, last, |ends| step.tell(ends)).await? - before;
    if done == 0 {
        return Err(BenchError::Fleet(format!("{measured} jobs ended too soon to be measured: take more (--jobs)")));
    }
    let mut report = meter.stop(place, &ground.client, (spec, Scenario::Backlog, done)).await?;
    fleet.abandon(ground).await?;
    report.drain_per_second = Some(rate(done, report.seconds));
    report.rows_beside = Some(waiting + history);
    Ok(report)
}
