//! Scenarios `city` and `summaries`.

use super::{
    Scenario,
    fleet::BenchFleet,
    ground::Ground,
    kinds::Noop,
    meter::{Meter, number, rate},
    report::ScenarioReport,
    spec::{BenchError, BenchPlace, BenchSpec, Step},
    tally::Tally,
};
use crate::{
    civic::{Services, enqueue_sync, handlers, settings::CivicSettings, store::cities, vendor::http::HttpSettings},
    db::{PoolOptions, PoolPurpose, pool},
    dev::city::{CitySpec, DemoCity},
};
use std::{sync::Arc, time::Duration};

/// Items of business of each meeting: with those of procedure some 20,000 items for 1,000 meetings, of which a seventh
/// is cancelled.
const BUSINESS: usize = 20;
/// Connections of the handlers.
const CONNECTIONS: usize = 8;

/// Items that are stored, and items with which all is done.
const STORED: &str = "select count(*) from agenda_items";
const SUMMARISED: &str = "select count(*) from agenda_items where summary_id is not null or skip_reason is not null";

/// A city's listing and the agendas of all its meetings, until every item is stored; for `summaries`, until every item has its
/// summary or a reason to have none. Nothing slows it down: the site is in this process, answers at once, and its processor
/// time counts as Docket's.
pub(super) async fn city(
    place: &BenchPlace<'_>,
    ground: &Ground,
    (spec, step): (&BenchSpec, Step<'_>),
) -> Result<ScenarioReport, BenchError> {
    let (scenario, tally) = (step.scenario(), Arc::<Tally>::default());
    let done = if scenario == Scenario::Summaries { SUMMARISED } else { STORED };
    let spec = &BenchSpec { lanes: 1, ..spec.clone() };
    let meetings = spec.jobs(scenario) as usize;
    let recipe = CitySpec {
        meetings,
        seed: spec.seed,
        business: BUSINESS,
        faults: false,
        slow: Duration::ZERO,
        ..CitySpec::default()
    };
    let city = DemoCity::start(&recipe).await.map_err(failed)?;
    let (items, http) =
        (city.expected().items as u64, HttpSettings { allowed: vec![city.allowed()], ..HttpSettings::default() });
    let settings = CivicSettings { http, ..CivicSettings::default() };
    let connections = pool(&ground.config, PoolOptions::new(PoolPurpose::Engine, CONNECTIONS));
    let services = Arc::new(Services::new(connections, settings.clone()).map_err(failed)?);
    let kinds = Arc::new(handlers(services).with(Noop(tally.clone())));
    let fleet = BenchFleet::start(place, ground, (spec, scenario), &kinds).await?;
    fleet.warm_up(ground, (spec, scenario), &tally).await?;
    let step = step.next("measure", items);
    cities::add(&ground.client, &city.city()).await.map_err(failed)?;
    let meter = Meter::start(place, &ground.client).await?;
    enqueue_sync(&ground.client, &city.city().slug, &settings).await.map_err(failed)?;
    fleet.rows(ground, (done, items), |rows| step.tell(rows)).await?;
    let mut report = meter.stop(place, &ground.client, (spec, scenario, meetings as u64)).await?;
    fleet.abandon(ground).await?;
    report.drain_per_second = Some(rate(meetings as u64, report.seconds));
    report.items = Some(items);
    report.items_per_second = Some(rate(items, report.seconds));
    report.cpu_ms_per_item = report.cpu_seconds.total().map(|seconds| 1000.0 * seconds / number(items.max(1)));
    Ok(report)
}

fn failed(error: impl std::fmt::Display) -> BenchError {
    BenchError::Fleet(error.to_string())
}
