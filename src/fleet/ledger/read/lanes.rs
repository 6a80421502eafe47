//! The lanes, for people.

use super::{LaneStats, queue_stats};
use crate::fleet::ledger::operate::paused_lanes;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use tokio_postgres::{Error, GenericClient};

/// A lane: whether it goes on, and what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LaneRow {
    /// Its name.
    pub lane: String,
    /// None of its jobs is started.
    pub paused: bool,
    /// Since when.
    pub paused_at: Option<Timestamp>,
    /// Who paused it.
    pub paused_by: Option<String>,
    /// Jobs that could run, counted up to 100,000.
    pub runnable: i64,
    /// Jobs that are held.
    pub held: i64,
    /// Jobs that a broker message points to.
    pub queued: i64,
    /// Jobs that a worker holds.
    pub processing: i64,
}

impl LaneRow {
    fn count(&mut self, stats: &LaneStats) {
        (self.runnable, self.held) = (stats.runnable, stats.held_total());
        (self.queued, self.processing) = (stats.queued, stats.processing);
    }
}

/// These lanes, those that have open or failed jobs, and those that are paused; by name.
///
/// # Errors
/// When the database fails.
pub async fn lanes<C: GenericClient + Sync>(client: &C, configured: &[String]) -> Result<Vec<LaneRow>, Error> {
    let mut lanes: BTreeMap<String, LaneRow> =
        configured.iter().map(|lane| (lane.clone(), LaneRow::default())).collect();
    for (lane, stats) in queue_stats(client).await?.lanes {
        lanes.entry(lane).or_default().count(&stats);
    }
    for paused in paused_lanes(client).await? {
        let row = lanes.entry(paused.lane).or_default();
        (row.paused, row.paused_at, row.paused_by) = (true, Some(paused.paused_at), paused.actor);
    }
    Ok(lanes.into_iter().map(|(lane, row)| LaneRow { lane, ..row }).collect())
}
