//! One scenario after another.

use super::{
    drain::drain,
    enqueue::enqueue,
    ground::{Ground, check_empty},
    latency::latency,
    report::{BenchReport, ScenarioReport},
    spec::{BenchError, BenchPlace, BenchSpec, Progress, Scenario},
};

/// Measures what `spec` names. `tell` hears now and then how far it is. Dropped half-way, it leaves a schema
/// `docket_bench_…` behind.
///
/// # Errors
/// The database holds jobs already, database or broker fail, or the fleet gets stuck.
pub async fn run(
    place: &BenchPlace<'_>,
    spec: &BenchSpec,
    tell: &(dyn Fn(Progress) + Send + Sync),
) -> Result<BenchReport, BenchError> {
    check_empty(&place.database).await?;
    let mut scenarios = Vec::with_capacity(spec.scenarios.len());
    for &scenario in &spec.scenarios {
        let mut ground = Ground::make(&place.database).await?;
        let measured = measure(place, &mut ground, spec, (scenario, tell)).await;
        let removed = ground.remove().await;
        scenarios.push(measured?);
        removed?;
    }
    let (workers, slots, seed) = (spec.workers, spec.slots, spec.seed);
    Ok(BenchReport { workers, slots, pointers_max: place.protocol.pointers_max, seed, scenarios })
}

async fn measure(
    place: &BenchPlace<'_>,
    ground: &mut Ground,
    spec: &BenchSpec,
    (scenario, tell): (Scenario, &(dyn Fn(Progress) + Send + Sync)),
) -> Result<ScenarioReport, BenchError> {
    let total = match scenario {
        Scenario::Enqueue | Scenario::Drain | Scenario::Direct => spec.jobs.into(),
        // About: the arrivals are random.
        Scenario::Latency => spec.time.as_secs() * 200,
    };
    let tell = move |done| tell(Progress { scenario, done, total });
    tell(0);
    match scenario {
        Scenario::Enqueue => Box::pin(enqueue(place, ground, spec, &tell)).await,
        Scenario::Drain | Scenario::Direct => Box::pin(drain(place, ground, spec, (scenario, &tell))).await,
        Scenario::Latency => Box::pin(latency(place, ground, spec, &tell)).await,
    }
}
