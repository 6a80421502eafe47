//! From due to queued: the pick, the hand-back, the confirm mark, and what is in flight.

use super::{pg::PgLedger, sql::IS_QUEUED};
use crate::fleet::{
    job::{Band, JobId, MessageId, Pointer},
    ports::{Dispatch, InFlight, LedgerResult, PickRequest, Picked},
};
use std::{collections::BTreeMap, sync::LazyLock, time::Duration};
use tokio_postgres::Row;

/// $1 lane, $2 rows, $3 kinds that a live worker of the lane knows, $4 the largest message of each, $5 broker
/// generation, $6 bands, $7 losses that make a suspect, $8 rows of the oldest.
///
/// Up to $2 rows by priority, and up to $8 more of the oldest below the last priority taken: a walk over the distinct
/// priorities from the lowest up (one index descent each, at most 64), so that it needs no index of its own. The outer
/// query of `aged` must not name `due`: after ANALYZE with nothing due the planner would read the whole due index.
/// A pause, of a kind or of the lane, holds from its commit on, whatever a scheduler still believes (where `top` is
/// empty, so is `aged`). Retries travel alone; suspects don't travel. A
/// message id is given to each group of one band and kind: one more wherever a group begins. Both windows share one sort.
pub(super) const PICK: &str = "\
with recursive top as materialized (
  select ctid as tid, id, priority, kind, failures, losses from jobs
  where due and lane = $1 and $1 <> all(array(select lane from paused_lanes))
    and kind = any($3) and kind <> all(array(select kind from paused_kinds)) and losses < $7
    and case when priority > 100 then 2 when priority > 0 then 1 else 0 end = any($6)
  order by priority desc, id limit $2 for update skip locked
), level(priority, n) as (
  select (select min(priority) from jobs where due and lane = $1), 1 where $8::bigint > 0
  union all
  select (select min(j.priority) from jobs j where j.due and j.lane = $1 and j.priority > l.priority), n + 1
  from level l where l.priority < (select min(priority) from top) and n < 64
), aged as materialized (
  select ctid as tid, id, priority, kind, failures, losses from jobs
  where status = 'pending' and hold is null and ctid = any (array(
    select x.tid from level l cross join lateral (
      select j.ctid as tid, j.id from jobs j
      where j.due and j.lane = $1 and j.priority = l.priority and j.kind = any($3) and j.losses < $7
        and j.kind <> all(array(select kind from paused_kinds))
        and case when j.priority > 100 then 2 when j.priority > 0 then 1 else 0 end = any($6)
      order by j.id limit $8) x
    where l.priority < (select min(priority) from top) order by x.id limit $8))
  for update skip locked
), g as (
  select t.*, case when priority > 100 then 2 when priority > 0 then 1 else 0 end as band, failures > 0 or losses > 0 as alone
  from (select * from top union all select * from aged) t
), r as (
  select g.*, k.k, row_number() over (partition by band, g.kind, alone order by priority desc, id) - 1 as n
  from g join unnest($3::text[], $4::int[]) k(kind, k) on k.kind = g.kind
), s as materialized (
  select nextval('job_message_seq') as base where exists (select 1 from top)   -- materialized: once, not once a row
), m as materialized (
  select r.*, s.base + count(*) filter (where alone or n % k = 0)
    over (order by band, kind, alone, priority desc, id rows unbounded preceding) as message_id from r, s
), w as (
  insert into job_messages (id, lane, kind, band, broker_gen, jobs)
  select message_id, $1, min(kind), min(band), $5::int, array_agg(id) from m group by message_id
)
update jobs j set status = 'queued', epoch = j.epoch + 1, queued_at = now(), message_id = m.message_id
from m where j.ctid = m.tid
returning j.message_id, j.id, j.epoch, j.kind, j.priority, m.band, j.failures, j.max_attempts, j.trace_id";

/// Whole messages that no worker has: queued → pending. The row's message id is the fence.
pub(super) static HAND_BACK: LazyLock<String> = LazyLock::new(|| {
    format!(
        "with d as (delete from job_messages where id = any($1) and worker_id is null returning id, jobs)
update jobs j set status = 'pending', epoch = j.epoch + 1, message_id = null, queued_at = null
from (select d.id as m, unnest(d.jobs) as id from d) u
where j.id = u.id and j.message_id = u.m and {IS_QUEUED}
returning j.id"
    )
});

pub(super) const MARK_CONFIRMED: &str = "\
update job_messages set published_at = now() where id = any($1) and published_at is null and worker_id is null";

const IN_FLIGHT: &str = "\
select band, count(*), coalesce(sum(cardinality(jobs)), 0)::bigint, min(id) from job_messages
where lane = $1 and worker_id is null and broker_gen is not null group by band";

pub(super) const OLDEST_DUE: &str = "\
select extract(epoch from now() - greatest(created_at, hold_until))::float8 from jobs
where due and lane = $1 order by priority desc, id limit 1";

impl PgLedger {
    pub(super) async fn pick_rows(&self, request: PickRequest<'_>) -> LedgerResult<Vec<Dispatch>> {
        let kinds: Vec<&str> = request.kinds.iter().map(|(kind, _)| kind.as_str()).collect();
        let largest: Vec<i32> = request.kinds.iter().map(|(_, k)| (*k).max(1)).collect();
        let bands: Vec<i32> = request.bands.iter().map(|band| band.as_number().into()).collect();
        let rows = self
            .run(
                "pick",
                PICK,
                &[
                    &request.lane,
                    &i64::from(request.rows),
                    &kinds,
                    &largest,
                    &request.generation,
                    &bands,
                    &self.protocol.suspect_losses,
                    &i64::from(request.aged),
                ],
            )
            .await?;
        Ok(group(request.lane, &rows))
    }

    pub(super) async fn hand_back_messages(&self, messages: &[MessageId]) -> LedgerResult<u64> {
        let ids: Vec<i64> = messages.iter().map(|m| m.0).collect();
        Ok(self.run("hand_back", &HAND_BACK, &[&ids]).await?.len() as u64)
    }

    pub(super) async fn mark_messages(&self, messages: &[MessageId]) -> LedgerResult<()> {
        let ids: Vec<i64> = messages.iter().map(|m| m.0).collect();
        self.run("mark_confirmed", MARK_CONFIRMED, &[&ids]).await.map(drop)
    }

    pub(super) async fn lane_in_flight(&self, lane: &str) -> LedgerResult<[InFlight; 3]> {
        let mut bands = [InFlight::default(); 3];
        for row in self.run("in_flight", IN_FLIGHT, &[&lane]).await? {
            bands[Band::from_number(row.get(0)).index()] = InFlight {
                messages: row.get(1),
                jobs: row.get(2),
                oldest: row.get::<_, Option<i64>>(3).map(MessageId),
            };
        }
        Ok(bands)
    }

    pub(super) async fn lane_oldest_due(&self, lane: &str) -> LedgerResult<Option<Duration>> {
        let rows = self.run("oldest_due", OLDEST_DUE, &[&lane]).await?;
        Ok(rows.first().map(|row| Duration::try_from_secs_f64(row.get(0)).unwrap_or_default()))
    }
}

/// Rows of the pick, by message, the most urgent first.
fn group(lane: &str, rows: &[Row]) -> Vec<Dispatch> {
    let mut messages: BTreeMap<i64, Dispatch> = BTreeMap::new();
    for row in rows {
        let message = row.get(0);
        let dispatch = messages.entry(message).or_insert_with(|| Dispatch {
            message: MessageId(message),
            lane: lane.to_owned(),
            band: Band::from_number(i16::try_from(row.get::<_, i32>(5)).unwrap_or_default()),
            kind: row.get(3),
            jobs: Vec::new(),
        });
        dispatch.jobs.push(Picked {
            pointer: Pointer(JobId(row.get(1)), row.get(2)),
            priority: row.get(4),
            failures: row.get(6),
            max_attempts: row.get(7),
            trace_id: row.get(8),
        });
    }
    let mut dispatches: Vec<Dispatch> = messages.into_values().collect();
    for dispatch in &mut dispatches {
        dispatch.jobs.sort_by_key(|job| (std::cmp::Reverse(job.priority), job.pointer.id()));
    }
    dispatches
}
