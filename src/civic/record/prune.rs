//! Retention of the record: old rows go in small steps, with a rest between two of them, and bodies with their last row.

use crate::{
    civic::store::responses::{self, STEP_ROWS},
    db::Pool,
};
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Between two steps: the walk must not be felt.
const REST: Duration = Duration::from_millis(50);
/// Between two walks, and after an error.
const WALK: Duration = Duration::from_mins(10);

/// Deletes what is older than so many days, until `shutdown`. Any number of processes may do so at once.
pub async fn prune_record(pool: Pool, days: u32, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        let step = async {
            let client = pool.get().await.map_err(|error| error.to_string())?;
            responses::prune(&*client, days).await.map_err(|error| crate::db::describe(&error))
        };
        let pause = match shutdown.run_until_cancelled(step).await {
            Some(Ok(deleted)) if deleted >= STEP_ROWS => REST,
            Some(Ok(_)) => WALK,
            Some(Err(error)) => {
                tracing::warn!(event = "record.not_pruned", error, "old answers stay for now");
                WALK
            }
            None => return,
        };
        shutdown.run_until_cancelled(sleep(pause)).await;
    }
}
