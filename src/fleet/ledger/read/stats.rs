//! The queue in numbers: cheap ones that never read history, and exact ones that count every row.

use serde::Serialize;
use std::collections::BTreeMap;
use tokio_postgres::{Error, GenericClient, Row};

/// The cheap statistics count runnable jobs of a lane up to here.
pub const DUE_CAP: i64 = 100_000;

/// One lane.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LaneStats {
    /// Pending jobs that could run now. Not exact: at most [`DUE_CAP`].
    pub runnable: i64,
    /// Pending jobs that are held, by reason.
    pub held: BTreeMap<String, i64>,
    /// Jobs that a broker message points to.
    pub queued: i64,
    /// Jobs that a worker holds.
    pub processing: i64,
    /// Done. None: not counted, ask for exact statistics.
    pub completed: Option<i64>,
    /// Ended by a non-retryable error.
    pub failed: i64,
    /// Ended by the last attempt.
    pub dead_letter: i64,
    /// Ended by an operator or a handler. None: not counted.
    pub cancelled: Option<i64>,
    /// For how long the oldest runnable job has been due, or been on its way to a worker. Cheap: the oldest among the heads of
    /// each priority, and of the messages that nobody has claimed. None of a paused lane's that was not sent yet.
    pub oldest_runnable_age_seconds: Option<f64>,
    /// Age of the oldest dead letter.
    pub oldest_dead_letter_age_seconds: Option<f64>,
    /// Messages in flight: unclaimed ones and those with jobs that are processed.
    pub messages_in_flight: i64,
}

impl LaneStats {
    /// Held jobs, whatever the reason.
    #[must_use]
    pub fn held_total(&self) -> i64 {
        self.held.values().sum()
    }

    /// All jobs of the lane, as far as they were counted.
    #[must_use]
    pub fn total(&self) -> i64 {
        let ended = self.completed.unwrap_or(0) + self.failed + self.dead_letter + self.cancelled.unwrap_or(0);
        self.runnable + self.held_total() + self.queued + self.processing + ended
    }
}

/// All lanes that have jobs. As JSON it has the fields of [`Totals`](super::Totals) too.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueStats {
    /// Every row was counted, in one snapshot.
    pub exact: bool,
    /// By lane.
    pub lanes: BTreeMap<String, LaneStats>,
}

const FLIGHT: &str = "\
select lane, worker_id is not null, count(*), coalesce(sum(cardinality(jobs)), 0)::bigint,
       greatest(extract(epoch from now() - min(queued_at)), 0)::float8
from job_messages group by 1, 2";
const HELD: &str = "select lane, hold::text, count(*) from jobs where hold is not null group by 1, 2";
const ENDED: &str = "\
select lane, status::text, count(*), greatest(extract(epoch from now() - min(failed_at)), 0)::float8
from jobs where failed_at is not null group by 1, 2";
/// Walks the due index from lane to lane and, within one, over at most 64 priorities: a few index descents each.
const DUE: &str = "\
with recursive lanes(lane) as (
  select min(lane) from jobs where due
  union all
  select (select min(j.lane) from jobs j where j.due and j.lane > l.lane) from lanes l where l.lane is not null
), levels(lane, priority, n) as (
  select l.lane, (select max(j.priority) from jobs j where j.due and j.lane = l.lane), 1 from lanes l where l.lane is not null
  union all
  select v.lane, (select max(j.priority) from jobs j where j.due and j.lane = v.lane and j.priority < v.priority), n + 1
  from levels v where v.priority is not null and n < 64
), heads as (
  select v.lane, h.since from levels v cross join lateral (
    select coalesce(j.hold_until, j.created_at) as since from jobs j
    where j.due and j.lane = v.lane and j.priority = v.priority order by j.id limit 1) h
)
select l.lane, (select count(*) from (select 1 from jobs j where j.due and j.lane = l.lane limit $1) c),
       (select greatest(extract(epoch from now() - min(h.since)), 0)::float8 from heads h
        where h.lane = l.lane and not exists (select from paused_lanes p where p.lane = l.lane))
from lanes l where l.lane is not null";

/// Cheap statistics: their cost depends on what waits, is in flight or has failed, never on what is done.
///
/// # Errors
/// When the database fails.
pub async fn queue_stats<C: GenericClient + Sync>(client: &C) -> Result<QueueStats, Error> {
    let mut stats = QueueStats::default();
    for row in client.query(DUE, &[&DUE_CAP]).await? {
        let lane = stats.lane(&row);
        lane.runnable = row.get(1);
        lane.oldest_runnable_age_seconds = row.get(2);
    }
    for row in client.query(HELD, &[]).await? {
        stats.lane(&row).held.insert(row.get(1), row.get(2));
    }
    for row in client.query(ENDED, &[]).await? {
        let lane = stats.lane(&row);
        if row.get::<_, &str>(1) == "dead_letter" {
            lane.dead_letter = row.get(2);
            lane.oldest_dead_letter_age_seconds = row.get(3);
        } else {
            lane.failed = row.get(2);
        }
    }
    for row in client.query(FLIGHT, &[]).await? {
        let lane = stats.lane(&row);
        lane.messages_in_flight += row.get::<_, i64>(2);
        if row.get(1) {
            lane.processing = row.get(3);
            continue;
        }
        lane.queued = row.get(3);
        // It was due when it was sent, and waits for a slot since.
        let age = lane.oldest_runnable_age_seconds.into_iter().chain(row.get::<_, Option<f64>>(4));
        lane.oldest_runnable_age_seconds = age.reduce(f64::max);
    }
    Ok(stats)
}

const EXACT: &str = "\
select lane, status::text, hold::text, count(*),
       (greatest(extract(epoch from now() - min(coalesce(hold_until, created_at)) filter (where due)), 0))::float8,
       (greatest(extract(epoch from now() - min(failed_at)), 0))::float8
from jobs group by 1, 2, 3";

/// Exact statistics: one pass over all jobs, so that the numbers of a lane add up to its rows.
///
/// # Errors
/// When the database fails, or the pass exceeds the statement's deadline.
pub async fn exact_stats<C: GenericClient + Sync>(client: &C) -> Result<QueueStats, Error> {
    let mut stats = QueueStats { exact: true, ..QueueStats::default() };
    for row in client.query(EXACT, &[]).await? {
        let count: i64 = row.get(3);
        let lane = stats.lane(&row);
        lane.completed.get_or_insert(0);
        lane.cancelled.get_or_insert(0);
        match (row.get::<_, &str>(1), row.get::<_, Option<String>>(2)) {
            ("pending", None) => {
                lane.runnable = count;
                lane.oldest_runnable_age_seconds = row.get(4);
            }
            ("pending", Some(hold)) => {
                lane.held.insert(hold, count);
            }
            ("queued", _) => lane.queued = count,
            ("processing", _) => lane.processing = count,
            ("completed", _) => lane.completed = Some(count),
            ("cancelled", _) => lane.cancelled = Some(count),
            ("failed", _) => lane.failed = count,
            _ => {
                lane.dead_letter = count;
                lane.oldest_dead_letter_age_seconds = row.get(5);
            }
        }
    }
    for row in client.query(FLIGHT, &[]).await? {
        stats.lane(&row).messages_in_flight += row.get::<_, i64>(2);
    }
    Ok(stats)
}

impl QueueStats {
    fn lane(&mut self, row: &Row) -> &mut LaneStats {
        self.lanes.entry(row.get(0)).or_default()
    }
}
