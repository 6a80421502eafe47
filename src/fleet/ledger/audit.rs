//! What the audit reads of the ledger, what it mends, and where it keeps its verdict. Nothing here reads history.

use crate::fleet::job::{Band, Pointer};
use serde_json::Value;
use std::collections::BTreeMap;
use tokio_postgres::{Client, Error, GenericClient, Row, types::Json};

/// Rows of one list at most: the counts made of them stand for "at least" from there on.
pub(in crate::fleet) const LIST_MAX: i64 = 1000;
/// Held by the one process that audits.
pub(in crate::fleet) const LOCK: &str = "docket.audit";
const WATERMARK: &str = "select last_value + 65536, (select generation from broker_state) from job_message_seq";
const FLIGHTS: &str = "\
select lane, band, count(*), count(*) filter (where id < $1) from job_messages
where worker_id is null and broker_gen is not null group by 1, 2";
const OLDEST: &str = "\
select id, cardinality(jobs)::bigint from job_messages
where worker_id is null and broker_gen is not null and lane = $1 and band = $2::smallint and id < $3 order by id limit $4";
/// A job that is in an unclaimed message and whose row says another, or that its message's worker does not hold.
pub(super) const DOUBLES: &str = "\
select count(*) from (
  select distinct u.id from (select * from job_messages where id < $1 order by id limit $2) m cross join lateral unnest(m.jobs) u(id)
  cross join lateral (select j.status, j.message_id, j.worker_id from jobs j where j.id = u.id offset 0) j
  where case when m.worker_id is null then j.message_id <> m.id and j.status in ('queued', 'processing')
             else j.message_id = m.id and j.status = 'processing' and j.worker_id <> m.worker_id end) d";
/// What each worker holds, by its messages.
pub(super) const HELD_BY: &str = "\
select m.worker_id, count(distinct m.id), count(*) from job_messages m cross join lateral unnest(m.jobs) u(id)
cross join lateral (select 1 from jobs j where j.id = u.id and j.message_id = m.id and j.status in ('queued', 'processing') offset 0) j
where m.worker_id is not null group by 1";
const WORKERS: &str = "\
select id, beat, slots, lanes, kinds, state = 'up' from workers where state in ('up', 'draining') and slots > 0";
/// The head of a lane's line, as the pick would take it.
pub(super) const HEAD: &str = "\
select id, epoch from jobs
where due and lane = $1 and kind = any($2) and losses < $3 and $1 <> all(array(select lane from paused_lanes))
  and kind <> all(array(select kind from paused_kinds))
order by priority desc, id limit $4";
const DUE: &str = "\
select case when priority > 100 then 2 when priority > 0 then 1 else 0 end::smallint, count(*)
from (select priority from jobs where due and lane = $1 limit $2) t group by 1";
/// Parents that wait, with what their children say. A child that its parent has not counted has not ended.
pub(super) const WAITING: &str = "\
select p.id, p.epoch from (select id, epoch, open_children, failed_children from jobs
  where hold is not null and hold_until is null and hold = 'children' limit $1) p
cross join lateral (select count(*) filter (where not c.counted) as open, count(*) filter (where c.counted and c.status <> 'completed') as bad
                    from jobs c where c.parent_id = p.id) c
where coalesce(p.open_children, 0) <> c.open or c.open = 0 or coalesce(p.failed_children, 0) < c.bad";
const DEAD: &str = "select count(*) from jobs where dead_published_gen is not null";

const LOCK_PARENT: &str = "select 1 from jobs where id = $1 and epoch = $2 and status = 'pending' and coalesce(hold = 'children', false) for update";
/// A statement of its own after the lock: it sees every child that had ended before.
pub(super) const RECOUNT: &str = "\
with c as (
  select (count(*) filter (where not counted))::int as open, (count(*) filter (where counted and status <> 'completed'))::int as bad
  from jobs where parent_id = $1
), x as (
  update jobs p set open_children = c.open, failed_children = greatest(coalesce(p.failed_children, 0), c.bad) from c
  where p.id = $1 returning p.id, p.epoch, c.open
)
insert into job_events (job_id, epoch, event, actor, detail)
select id, epoch, 'children_recounted', 'audit', jsonb_build_object('open', open) from x";

const KEEP: &str = "\
insert into audit_verdict (verdict) values ($1) on conflict (one) do update set judged_at = now(), verdict = excluded.verdict";
const KEPT: &str = "select verdict, greatest(extract(epoch from now() - judged_at), 0)::float8 from audit_verdict";

/// A worker that has not signed off.
#[derive(Clone, Debug)]
pub(in crate::fleet) struct AuditedWorker {
    /// Its heartbeat's counter.
    pub(in crate::fleet) beat: i64,
    /// Jobs at once.
    pub(in crate::fleet) slots: i64,
    /// Lanes.
    pub(in crate::fleet) lanes: Vec<String>,
    /// Kinds.
    pub(in crate::fleet) kinds: Vec<String>,
    /// It takes work.
    pub(in crate::fleet) takes_work: bool,
}

impl AuditedWorker {
    /// Takes work of this lane.
    pub(in crate::fleet) fn serves(&self, lane: &str) -> bool {
        self.takes_work && self.lanes.iter().any(|served| served == lane)
    }
}

/// What a worker holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::fleet) struct Holding {
    /// Messages and leases: each takes a slot.
    pub(in crate::fleet) messages: i64,
    /// Jobs in them that have not ended.
    pub(in crate::fleet) jobs: i64,
}

/// Unclaimed messages of a band.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::fleet) struct Unclaimed {
    /// All of them.
    pub(in crate::fleet) messages: i64,
    /// Those below the watermark that was asked for.
    pub(in crate::fleet) old: i64,
}

/// A number above every message id given so far, and the broker's generation.
pub(in crate::fleet) async fn watermark<C: GenericClient + Sync>(client: &C) -> Result<(i64, i32), Error> {
    let row = client.query_one(WATERMARK, &[]).await?;
    Ok((row.get(0), row.get(1)))
}

/// Unclaimed messages by lane and band.
pub(in crate::fleet) async fn unclaimed<C: GenericClient + Sync>(
    client: &C,
    before: i64,
) -> Result<BTreeMap<(String, Band), Unclaimed>, Error> {
    let rows = client.query(FLIGHTS, &[&before]).await?;
    let flight = |row: &Row| {
        let key = (row.get(0), Band::from_number(row.get(1)));
        (key, Unclaimed { messages: row.get(2), old: row.get(3) })
    };
    Ok(rows.iter().map(flight).collect())
}

/// The oldest unclaimed messages of a band below a watermark, each with its jobs.
pub(in crate::fleet) async fn oldest<C: GenericClient + Sync>(
    client: &C,
    lane: &str,
    band: Band,
    before: i64,
    count: i64,
) -> Result<BTreeMap<i64, i64>, Error> {
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
        [&lane, &band.as_number(), &before, &count.min(LIST_MAX)];
    let rows = client.query(OLDEST, &params).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Jobs in two messages, or under two names, among messages below a watermark.
pub(in crate::fleet) async fn doubles<C: GenericClient + Sync>(client: &C, before: i64) -> Result<i64, Error> {
    Ok(client.query_one(DOUBLES, &[&before, &(10 * LIST_MAX)]).await?.get(0))
}

/// Holdings by worker, also of those that have no row any more.
pub(in crate::fleet) async fn held_by<C: GenericClient + Sync>(client: &C) -> Result<BTreeMap<i64, Holding>, Error> {
    let rows = client.query(HELD_BY, &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), Holding { messages: row.get(1), jobs: row.get(2) })).collect())
}

/// Workers that have not signed off.
pub(in crate::fleet) async fn workers<C: GenericClient + Sync>(
    client: &C,
) -> Result<BTreeMap<i64, AuditedWorker>, Error> {
    let rows = client.query(WORKERS, &[]).await?;
    let worker = |row: &Row| AuditedWorker {
        beat: row.get(1),
        slots: row.get::<_, i32>(2).into(),
        lanes: row.get(3),
        kinds: row.get(4),
        takes_work: row.get(5),
    };
    Ok(rows.iter().map(|row| (row.get(0), worker(row))).collect())
}

/// The runnable jobs at the head of a lane's line.
pub(in crate::fleet) async fn head<C: GenericClient + Sync>(
    client: &C,
    lane: &str,
    kinds: &[String],
    suspect: i16,
) -> Result<Vec<Pointer>, Error> {
    Ok(pointers(&client.query(HEAD, &[&lane, &kinds, &suspect, &LIST_MAX]).await?))
}

/// Due jobs of a lane by band, counted up to a bound.
pub(in crate::fleet) async fn due<C: GenericClient + Sync>(
    client: &C,
    lane: &str,
) -> Result<BTreeMap<Band, i64>, Error> {
    let rows = client.query(DUE, &[&lane, &LIST_MAX]).await?;
    Ok(rows.iter().map(|row| (Band::from_number(row.get(0)), row.get(1))).collect())
}

/// Parents whose counters contradict their children.
pub(in crate::fleet) async fn waiting<C: GenericClient + Sync>(client: &C) -> Result<Vec<Pointer>, Error> {
    Ok(pointers(&client.query(WAITING, &[&LIST_MAX]).await?))
}

/// Dead letters.
pub(in crate::fleet) async fn dead<C: GenericClient + Sync>(client: &C) -> Result<i64, Error> {
    Ok(client.query_one(DEAD, &[]).await?.get(0))
}

/// Counts a waiting parent's children again. False: it no longer waits.
pub(in crate::fleet) async fn recount(client: &mut Client, parent: Pointer) -> Result<bool, Error> {
    let tx = client.transaction().await?;
    if tx.query_opt(LOCK_PARENT, &[&parent.id().0, &parent.epoch()]).await?.is_none() {
        return Ok(false);
    }
    let recounted = tx.execute(RECOUNT, &[&parent.id().0]).await?;
    tx.commit().await?;
    Ok(recounted > 0)
}

/// Keeps a verdict.
pub(in crate::fleet) async fn keep<C: GenericClient + Sync>(client: &C, verdict: &Value) -> Result<(), Error> {
    client.execute(KEEP, &[&Json(verdict)]).await.map(drop)
}

/// The verdict that was kept last, and its age in seconds.
pub(in crate::fleet) async fn kept<C: GenericClient + Sync>(client: &C) -> Result<Option<(Value, f64)>, Error> {
    let row = client.query_opt(KEPT, &[]).await?;
    Ok(row.map(|row| (row.get::<_, Json<Value>>(0).0, row.get(1))))
}

fn pointers(rows: &[Row]) -> Vec<Pointer> {
    rows.iter().map(|row| Pointer(crate::fleet::job::JobId(row.get(0)), row.get(1))).collect()
}
