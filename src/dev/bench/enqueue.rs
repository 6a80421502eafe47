//! Scenario `enqueue`.

use super::{
    ground::Ground,
    jobs::{jobs, put},
    meter::{Meter, rate},
    report::ScenarioReport,
    spec::{BenchError, BenchPlace, BenchSpec, Scenario},
};
use crate::fleet::enqueue::Notify;

/// Jobs of a transaction: about what one listing of a city brings.
const TRANSACTION: usize = 100;

/// Jobs into the ledger, in transactions one after another, while nothing takes them out.
pub(super) async fn enqueue(
    place: &BenchPlace<'_>,
    ground: &mut Ground,
    spec: &BenchSpec,
    tell: &(dyn Fn(u64) + Send + Sync),
) -> Result<ScenarioReport, BenchError> {
    let made = jobs(spec.jobs as usize, spec.work, spec.seed)?;
    let meter = Meter::start(place, &ground.client).await?;
    let mut done = 0;
    for chunk in made.chunks(TRANSACTION) {
        let transaction = ground.client.transaction().await?;
        done += put(&transaction, chunk, Notify::Yes).await?.len() as u64;
        transaction.commit().await?;
        tell(done);
    }
    let mut report = meter.stop(place, &ground.client, (Scenario::Enqueue, done)).await?;
    report.enqueue_per_second = Some(rate(done, report.seconds));
    Ok(report)
}
