//! Coverage: a listing that gives nothing and fails nothing is the commonest fault of all, and the last that anybody
//! notices. Each listing is written down with what the city's own history promised (`store::syncs`); this is the number of
//! suspect cities, as each scheduler exports it.

use crate::{civic::store::syncs, db::Pool, telemetry::names::COVERAGE_SUSPECT};
use metrics::gauge;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Exports the number of cities whose last listing is suspect, until `shutdown`.
pub async fn publish_coverage(pool: Pool, interval: Duration, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        if let Some(Some(suspect)) = shutdown.run_until_cancelled(suspect(&pool)).await {
            gauge!(COVERAGE_SUSPECT).set(suspect);
        }
        shutdown.run_until_cancelled(tokio::time::sleep(interval)).await;
    }
}

/// None: the database is away, and the last number stays.
async fn suspect(pool: &Pool) -> Option<f64> {
    let client = pool.get().await.ok()?;
    let suspect = syncs::suspect(&*client).await.ok()?;
    Some(f64::from(i32::try_from(suspect).unwrap_or(i32::MAX)))
}
