//! Pausing a lane: nothing more of it is started, by whatever way; what runs ends as it would.
//!
//! No job is changed. The pick and the direct lease ask the table first, so a pause holds for every one of them that
//! begins after its commit. What was queued before is in the broker, some two seconds' work, and still runs.

use super::pause::{OperateError, check};
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::{Error, GenericClient};

/// A lane that is paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PausedLane {
    /// Its name.
    pub lane: String,
    /// Since when.
    pub paused_at: Timestamp,
    /// By whom.
    pub actor: Option<String>,
}

const PAUSE: &str =
    "insert into paused_lanes (lane, actor) values ($1, $2) on conflict (lane) do nothing returning lane";

/// The notification is the lane's name, as after an enqueue: its dispatchers look again.
const RESUME: &str = "\
with x as (delete from paused_lanes where lane = $1 returning lane)
select pg_notify('docket_' || current_schema(), lane) from x";

/// Pauses a lane, also one that has no jobs yet. False: it was paused already, and stays so under its first name.
///
/// # Errors
/// When the name is none, or the database fails.
pub async fn pause_lane<C: GenericClient + Sync>(client: &C, lane: &str, actor: &str) -> Result<bool, OperateError> {
    check("lane", lane)?;
    let changed = client.query_opt(PAUSE, &[&lane, &actor]).await?.is_some();
    if changed {
        tracing::info!(event = "lane.paused", lane, actor, "an operator paused a lane");
    }
    Ok(changed)
}

/// Resumes a lane. False: it was not paused.
///
/// # Errors
/// When the name is none, or the database fails.
pub async fn resume_lane<C: GenericClient + Sync>(client: &C, lane: &str, actor: &str) -> Result<bool, OperateError> {
    check("lane", lane)?;
    let changed = client.query_opt(RESUME, &[&lane]).await?.is_some();
    if changed {
        tracing::info!(event = "lane.resumed", lane, actor, "an operator resumed a lane");
    }
    Ok(changed)
}

/// The paused lanes, by name.
///
/// # Errors
/// When the database fails.
pub async fn paused_lanes<C: GenericClient + Sync>(client: &C) -> Result<Vec<PausedLane>, Error> {
    let rows = client.query("select lane, paused_at, actor from paused_lanes order by lane", &[]).await?;
    Ok(rows.iter().map(|row| PausedLane { lane: row.get(0), paused_at: row.get(1), actor: row.get(2) }).collect())
}
