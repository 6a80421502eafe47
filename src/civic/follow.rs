//! Following cities: each is listed again when its own pace says so.

use super::{
    handler::{SyncError, enqueue_sync_after},
    settings::CivicSettings,
    store::paces,
};
use crate::{
    db::{Pool, Statements},
    fleet::enqueue::Enqueued,
};
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Listings that one tick enqueues at most: a thousand new cities take ten minutes, and are spread from then on.
const MAX_PER_TICK: usize = 100;
/// Between two ticks.
const TICK: Duration = Duration::from_mins(1);
/// Longest tick; the next one does what this one did not.
const MAX_TICK: Duration = Duration::from_secs(30);

/// Enqueues the listings of the cities that are due at `now`, and says how many are new. Any number of schedulers may ask
/// at once: the key of a listing names the one before it, so it is enqueued once.
///
/// # Errors
/// When the database fails, or a city can't be used.
pub async fn tick<C: Statements>(client: &C, settings: &CivicSettings, now: Timestamp) -> Result<usize, SyncError> {
    let since = now.checked_sub(settings.sync_every).unwrap_or(Timestamp::MIN);
    let mut enqueued = 0;
    for pace in paces::paces(client, now, since).await? {
        if pace.due_at(settings.sync_every, now).is_some_and(|due| due > now) {
            continue;
        }
        let asked = enqueue_sync_after(client, &pace.city.city.slug, pace.listing, settings, now).await?;
        enqueued += usize::from(matches!(asked, Enqueued::New(_)));
        if enqueued == MAX_PER_TICK {
            break;
        }
    }
    Ok(enqueued)
}

/// Ticks each minute until `shutdown`.
pub async fn follow(pool: Pool, settings: CivicSettings, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        let ticked = shutdown.run_until_cancelled(timeout(MAX_TICK, one(&pool, &settings))).await;
        match ticked {
            Some(Ok(Err(error))) => {
                tracing::warn!(
                    event = "civic.not_followed",
                    error,
                    "no listing was enqueued, trying again in a minute"
                );
            }
            Some(Err(_)) => {
                tracing::warn!(
                    event = "civic.not_followed",
                    error = "no answer in time",
                    "no listing was enqueued, trying again in a minute"
                );
            }
            Some(Ok(Ok(_))) | None => {}
        }
        shutdown.run_until_cancelled(sleep(TICK)).await;
    }
}

async fn one(pool: &Pool, settings: &CivicSettings) -> Result<usize, String> {
    let client = pool.get().await.map_err(|error| error.to_string())?;
    tick(&*client, settings, Timestamp::now()).await.map_err(|error| error.to_string())
}
