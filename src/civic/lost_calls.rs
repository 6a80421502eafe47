//! Calls of models whose workers died: booked by whoever comes first, a job that needs the money or the scheduler.

use super::{llm::meter, store::llm_lost};
use crate::db::{Pool, describe};
use std::time::Duration;
use tokio::time::sleep;
use tokio_postgres::{Client, Error};
use tokio_util::sync::CancellationToken;

/// Between two looks of a scheduler.
const LOOK: Duration = Duration::from_mins(1);

/// Books them, counts them, and tells each.
///
/// # Errors
/// When the database fails.
pub async fn book_lost_calls(client: &mut Client) -> Result<(), Error> {
    for lost in llm_lost::collect(client).await? {
        meter::lost(&lost);
        tracing::warn!(
            event = "llm.lost",
            job.id = lost.job,
            city = lost.city,
            llm.model = lost.model,
            llm.cost_micro_usd = lost.cost,
            "a worker died within a call: it is booked at the most that it can have cost"
        );
    }
    Ok(())
}

/// Looks for them each minute until `shutdown`: a job that needs the money may never come.
pub async fn watch_lost_calls(pool: Pool, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        shutdown.run_until_cancelled(look(&pool)).await;
        shutdown.run_until_cancelled(sleep(LOOK)).await;
    }
}

async fn look(pool: &Pool) {
    let booked = match pool.get().await {
        Ok(mut client) => book_lost_calls(&mut client).await.map_err(|error| describe(&error)),
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = booked {
        tracing::warn!(event = "llm.not_booked", error, "calls of dead workers are not booked for now");
    }
}
