//! One scenario, each part of it on a ground of its own.

use super::{
    Scenario,
    backlog::{Beside, backlog},
    city::city,
    documents::documents,
    drain::{plain, sleep},
    effects::effects,
    enqueue::enqueue,
    ground::{Ground, check_empty},
    latency::{RATE, URGENT_RATE, latency, urgent},
    mixed::mixed,
    report::{Backlog, ScenarioReport},
    retry::retry,
    spec::{BenchError, BenchPlace, BenchSpec, Listener, Step},
};
use crate::fleet::settings::Protocol;

/// Measures one scenario. `listener` hears now and then how far it is. Dropped half-way, it leaves a schema
/// `docket_bench_…` behind.
///
/// # Errors
/// The database holds jobs already, database or broker fail, or the fleet gets stuck.
pub async fn run(
    place: &BenchPlace<'_>,
    spec: &BenchSpec,
    scenario: Scenario,
    listener: Listener<'_>,
) -> Result<ScenarioReport, BenchError> {
    check_empty(&place.database).await?;
    let step = Step::begin(listener, scenario, "measure", total(spec, scenario));
    match scenario {
        Scenario::Backlog => Box::pin(backlogs(place, spec, step)).await,
        Scenario::Drain if spec.baseline => Box::pin(with_baseline(place, spec, step)).await,
        _ => Box::pin(on_ground(place, spec, step, Beside::Nothing)).await,
    }
}

/// Jobs in all. About, where they come at random.
fn total(spec: &BenchSpec, scenario: Scenario) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate times an hour at most")]
    let coming = |rate: f64| (rate * spec.time.as_secs_f64()) as u64;
    match scenario {
        Scenario::Latency => coming(RATE),
        Scenario::Urgent => coming(URGENT_RATE),
        Scenario::Mixed => 0,
        _ => spec.jobs(scenario).into(),
    }
}

/// The drain, and the same with one pointer a message.
async fn with_baseline(place: &BenchPlace<'_>, spec: &BenchSpec, step: Step<'_>) -> Result<ScenarioReport, BenchError> {
    let mut report = on_ground(place, spec, step, Beside::Nothing).await?;
    let one = BenchPlace {
        protocol: Protocol { pointers_min: 1, pointers_max: 1, ..place.protocol.clone() },
        ..place.clone()
    };
    let step = step.next("one a message", spec.jobs(Scenario::Drain).into());
    report.baseline_k1_per_second = on_ground(&one, spec, step, Beside::Nothing).await?.drain_per_second;
    Ok(report)
}

/// The slowest of the three, and the rates of all.
async fn backlogs(place: &BenchPlace<'_>, spec: &BenchSpec, step: Step<'_>) -> Result<ScenarioReport, BenchError> {
    let mut reports = Vec::new();
    for beside in [Beside::Nothing, Beside::Waiting, Beside::History] {
        reports.push(on_ground(place, spec, step, beside).await?);
    }
    let rate = |report: &ScenarioReport| report.drain_per_second.unwrap_or_default();
    let rates = Backlog { alone: rate(&reports[0]), waiting: rate(&reports[1]), history: rate(&reports[2]) };
    let slowest = reports.into_iter().min_by(|a, b| rate(a).total_cmp(&rate(b)));
    let slowest = slowest.expect("three were measured");
    Ok(ScenarioReport { backlog: Some(rates), ..slowest })
}

async fn on_ground(
    place: &BenchPlace<'_>,
    spec: &BenchSpec,
    step: Step<'_>,
    beside: Beside,
) -> Result<ScenarioReport, BenchError> {
    let mut ground = Ground::make(&place.database).await?;
    let measured = Box::pin(measure(place, &mut ground, (spec, step), beside)).await;
    let removed = ground.remove().await;
    let report = measured?;
    removed?;
    Ok(report)
}

async fn measure(
    place: &BenchPlace<'_>,
    ground: &mut Ground,
    with: (&BenchSpec, Step<'_>),
    beside: Beside,
) -> Result<ScenarioReport, BenchError> {
    match with.1.scenario() {
        Scenario::Drain | Scenario::Direct => Box::pin(plain(place, ground, with)).await,
        Scenario::Sleep => Box::pin(sleep(place, ground, with)).await,
        Scenario::Retry => Box::pin(retry(place, ground, with)).await,
        Scenario::Effects => Box::pin(effects(place, ground, with)).await,
        Scenario::Enqueue => Box::pin(enqueue(place, ground, with)).await,
        Scenario::Mixed => Box::pin(mixed(place, ground, with)).await,
        Scenario::Latency => Box::pin(latency(place, ground, with)).await,
        Scenario::Urgent => Box::pin(urgent(place, ground, with)).await,
        Scenario::Backlog => Box::pin(backlog(place, ground, with, beside)).await,
        Scenario::Documents => Box::pin(documents(place, ground, with)).await,
        Scenario::City | Scenario::Summaries => Box::pin(city(place, ground, with)).await,
    }
}
