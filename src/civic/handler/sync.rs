//! Asking for a city to be listed, or for its listings to be parsed again.

use super::{ReparseCity, ReparseCityArgs, SyncCity, SyncCityArgs};
use crate::{
    civic::{
        model::CitySlug,
        settings::CivicSettings,
        store::cities::{self, CityError},
    },
    db::Statements,
    fleet::{
        enqueue::{EnqueueError, Enqueued, enqueue_one},
        handler::Handler,
    },
};
use jiff::Timestamp;
use uuid::Uuid;

/// Why no listing was enqueued.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// No such city.
    #[error(transparent)]
    City(#[from] CityError),
    /// The ledger did not take the job.
    #[error(transparent)]
    Enqueue(#[from] EnqueueError),
}

/// Enqueues the listing of a city's meetings. Within one slot of [`CivicSettings::sync_every`] a city is listed once:
/// a second call returns the job that is there.
///
/// # Errors
/// When nobody added the city, or the database fails.
pub async fn enqueue_sync<C: Statements>(
    client: &C,
    city: &CitySlug,
    settings: &CivicSettings,
) -> Result<Enqueued, SyncError> {
    let city = cities::find(client, city).await?.city.slug;
    let slot = slot(Timestamp::now(), settings);
    let window = format!("-{}+{}", settings.past_days, settings.ahead_days);
    let key = format!("sync:{city}:{window}:{slot}");
    let job = SyncCity::job(&SyncCityArgs { city, slot }).map_err(EnqueueError::from)?;
    // One trace for all that follows from this listing.
    Ok(enqueue_one(client, job.idempotency_key(key).trace_id(Uuid::new_v4())).await?)
}

/// Enqueues the re-parse of what was recorded of a city between two times: once for each run.
///
/// # Errors
/// When the database fails.
pub async fn enqueue_reparse<C: Statements>(
    client: &C,
    city: &CitySlug,
    (since, as_of): (Timestamp, Timestamp),
    run: Uuid,
) -> Result<Enqueued, EnqueueError> {
    let job = ReparseCity::job(&ReparseCityArgs { city: city.clone(), since, as_of, run })?;
    enqueue_one(client, job.idempotency_key(format!("reparse:{run}:{city}")).trace_id(Uuid::new_v4())).await
}

/// Enqueues the listing that follows on listing number `last` of a city; 0: the first one.
///
/// While it waits or runs, or if it ends without a word, a second call returns the job that is there, until the next day.
///
/// # Errors
/// When the database fails.
pub async fn enqueue_sync_after<C: Statements>(
    client: &C,
    city: &CitySlug,
    last: i64,
    settings: &CivicSettings,
    now: Timestamp,
) -> Result<Enqueued, EnqueueError> {
    let day = now.as_second().div_euclid(24 * 60 * 60);
    let args = SyncCityArgs { city: city.clone(), slot: slot(now, settings) };
    let job = SyncCity::job(&args)?.idempotency_key(format!("sync:{city}:after:{last}:{day}"));
    enqueue_one(client, job.trace_id(Uuid::new_v4())).await
}

/// The number of the slot since 1970.
fn slot(now: Timestamp, settings: &CivicSettings) -> i64 {
    let length = i64::try_from(settings.sync_every.as_secs()).unwrap_or(i64::MAX).max(1);
    now.as_second().div_euclid(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn slots_follow_one_another() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let hourly = CivicSettings::default();
        assert_eq!(slot(at(7_199), &hourly), 1);
        assert_eq!(slot(at(7_200), &hourly), 2);
        assert_eq!(slot(at(-1), &hourly), -1);
        let always = CivicSettings { sync_every: Duration::ZERO, ..hourly };
        assert_eq!(slot(at(7_199), &always), 7_199);
    }
}
