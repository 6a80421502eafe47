//! What the scheduler's loops know of the fleet; refreshed with each sweep.

use crate::fleet::ports::WorkerRow;
use std::time::Duration;

/// Live workers and schedulers, paused kinds, the broker's generation.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    pub(super) live: Vec<WorkerRow>,
    pub(super) paused: Vec<String>,
    /// 0: the broker was never seen.
    pub(super) generation: i32,
}

impl View {
    fn workers<'a>(&'a self, lane: &'a str) -> impl Iterator<Item = &'a WorkerRow> {
        self.live.iter().filter(move |row| row.takes_work && row.lanes.iter().any(|l| l == lane))
    }

    /// Slots of the lane's live workers.
    pub(super) fn slots(&self, lane: &str) -> i64 {
        self.workers(lane).map(|row| i64::from(row.slots)).sum()
    }

    /// Live schedulers; at least the one that asks.
    pub(super) fn schedulers(&self) -> i64 {
        let count = self.live.iter().filter(|row| row.slots == 0).count();
        i64::try_from(count).unwrap_or(i64::MAX).max(1)
    }

    /// Kinds that a live worker of the lane knows, paused or not.
    pub(super) fn known(&self, lane: &str) -> Vec<String> {
        let mut kinds: Vec<String> = self.workers(lane).flat_map(|row| row.kinds.iter().cloned()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// Kinds that may be dispatched.
    pub(super) fn runnable(&self, lane: &str) -> Vec<String> {
        let mut kinds = self.known(lane);
        kinds.retain(|kind| !self.paused.contains(kind));
        kinds
    }

    /// The same, each with how long a job of it runs on average where that is longest; none: nobody has measured it.
    pub(super) fn runnable_runs(&self, lane: &str) -> Vec<(String, Option<Duration>)> {
        let with_run = |kind: String| {
            let run = self.workers(lane).filter_map(|row| row.run(&kind)).max();
            (kind, run)
        };
        self.runnable(lane).into_iter().map(with_run).collect()
    }
}
