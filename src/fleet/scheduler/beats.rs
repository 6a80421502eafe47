//! Who lives, judged by their counters and our own clock. Pure: the caller brings the time.

use crate::fleet::{job::WorkerId, ports::WorkerRow};
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;

/// Watches heartbeat counters. A wall clock's jump changes nothing: only what this process saw on its own clock counts.
#[derive(Debug)]
pub(super) struct BeatWatch {
    lease: Duration,
    gap: Duration,
    last_look: Option<Instant>,
    seen: HashMap<WorkerId, (i64, Instant)>,
}

/// What one look showed.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Their counters stood still for a lease: R4.
    pub(super) lost: Vec<WorkerId>,
    /// Everybody else.
    pub(super) live: Vec<WorkerRow>,
}

impl BeatWatch {
    /// A watch that calls a worker lost after `lease`, and begins anew after not having looked for `gap`.
    pub(super) fn new(lease: Duration, gap: Duration) -> Self {
        Self { lease, gap, last_look: None, seen: HashMap::new() }
    }

    /// One look. `now` was read before the rows were asked for. Time in which nobody looked doesn't count: after an
    /// outage of the database old counters look dead.
    pub(super) fn look(&mut self, rows: Vec<WorkerRow>, now: Instant) -> Look {
        if self.last_look.is_none_or(|last| now.saturating_duration_since(last) > self.gap) {
            self.seen.clear();
        }
        self.last_look = Some(now);
        let before = std::mem::take(&mut self.seen);
        let mut look = Look::default();
        for row in rows {
            let since = match before.get(&row.id) {
                Some((beat, since)) if *beat == row.beat => *since,
                _ => now,
            };
            self.seen.insert(row.id, (row.beat, since));
            if now.saturating_duration_since(since) >= self.lease {
                look.lost.push(row.id);
            } else {
                look.live.push(row);
            }
        }
        look
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(15);

    fn row(id: i64, beat: i64) -> WorkerRow {
        WorkerRow { id: WorkerId(id), beat, slots: 1, lanes: vec![], kinds: vec![], takes_work: true, run_us: vec![] }
    }

    #[test]
    fn a_counter_that_stands_still_for_a_lease_is_lost() {
        let (mut watch, start) = (BeatWatch::new(LEASE, Duration::from_secs(5)), Instant::now());
        let lost: Vec<bool> = (0..=16)
            .map(|s| {
                !watch.look(vec![row(1, 7), row(2, s)], start + Duration::from_secs(s.unsigned_abs())).lost.is_empty()
            })
            .collect();
        assert_eq!(lost.iter().position(|lost| *lost), Some(15));
        let look = watch.look(vec![row(1, 8), row(2, 99)], start + Duration::from_secs(17));
        assert!(look.lost.is_empty(), "it beats again");
    }

    #[test]
    fn time_without_a_look_does_not_count() {
        let (mut watch, start) = (BeatWatch::new(LEASE, Duration::from_secs(5)), Instant::now());
        watch.look(vec![row(1, 7)], start);
        assert!(watch.look(vec![row(1, 7)], start + Duration::from_secs(60)).lost.is_empty());
        for s in 61..=74 {
            assert!(watch.look(vec![row(1, 7)], start + Duration::from_secs(s)).lost.is_empty(), "second {s}");
        }
        assert_eq!(watch.look(vec![row(1, 7)], start + Duration::from_secs(75)).lost, [WorkerId(1)]);
    }
}
