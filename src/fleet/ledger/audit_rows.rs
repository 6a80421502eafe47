//! The audit of a lane's rows: all of them, in the order of their key. Only on request: it reads history.

use tokio_postgres::{Client, Error};

/// Rows of one step.
const STEP: i64 = 10_000;
const RESTING: &str = "\
select exists (select 1 from paused_lanes where lane = $1), (select count(*) from job_messages where lane = $1)";
/// A queued or processing row that its own message does not carry, or that has none.
const SCAN: &str = "\
with s as materialized (select id, epoch, status, lane, message_id from jobs where id > $1 order by id limit $2)
select max(s.id), count(*) filter (where s.lane = $3),
       array_agg(s.id) filter (where stray), array_agg(s.epoch) filter (where stray), array_agg(s.status = 'queued') filter (where stray)
from (select s.*, s.lane = $3 and s.status in ('queued', 'processing') and not exists (
        select 1 from job_messages m where m.id = s.message_id and s.id = any(m.jobs)) as stray from s) s";
/// The scan's own condition once more: what found a message meanwhile is left alone. `offset 0` keeps it a look by key.
pub(super) const GIVE_BACK: &str = "\
with o as materialized (
  select id, epoch, message_id from jobs where id = any($1) and status in ('queued', 'processing') order by id for update
), x as (
  update jobs j set status = 'pending', epoch = j.epoch + 1, message_id = null, queued_at = null
  from o where j.id = o.id and j.epoch = o.epoch and (o.id, o.epoch) in (select * from unnest($1::bigint[], $2::int[]))
    and not exists (select 1 from job_messages m where m.id = o.message_id and o.id = any(m.jobs) offset 0)
  returning j.id, j.epoch
)
insert into job_events (job_id, epoch, event, actor) select id, epoch, 'rescued', 'audit' from x";

/// Whether a lane rests.
#[derive(Clone, Copy, Debug)]
pub(in crate::fleet) struct Resting {
    /// An operator paused it.
    pub(in crate::fleet) paused: bool,
    /// Messages and leases in flight.
    pub(in crate::fleet) messages: i64,
}

/// A row that nothing in flight stands for.
#[derive(Clone, Copy, Debug)]
pub(in crate::fleet) struct Stray {
    id: i64,
    epoch: i32,
    /// Queued; otherwise processing.
    pub(in crate::fleet) queued: bool,
}

/// One step of the scan.
#[derive(Debug)]
pub(in crate::fleet) struct Step {
    /// Where the next one goes on; none: that was all.
    pub(in crate::fleet) next: Option<i64>,
    /// Rows of the lane.
    pub(in crate::fleet) rows: u64,
    /// Those that nothing in flight stands for.
    pub(in crate::fleet) strays: Vec<Stray>,
}

/// Whether the lane is paused and drained.
pub(in crate::fleet) async fn resting(client: &Client, lane: &str) -> Result<Resting, Error> {
    let row = client.query_one(RESTING, &[&lane]).await?;
    Ok(Resting { paused: row.get(0), messages: row.get(1) })
}

/// The rows after this id.
pub(in crate::fleet) async fn scan(client: &Client, lane: &str, after: i64) -> Result<Step, Error> {
    let row = client.query_one(SCAN, &[&after, &STEP, &lane]).await?;
    let ids: Vec<i64> = row.get::<_, Option<_>>(2).unwrap_or_default();
    let epochs: Vec<i32> = row.get::<_, Option<_>>(3).unwrap_or_default();
    let queued: Vec<bool> = row.get::<_, Option<_>>(4).unwrap_or_default();
    let strays = ids.into_iter().zip(epochs).zip(queued).map(|((id, epoch), queued)| Stray { id, epoch, queued });
    let rows = u64::try_from(row.get::<_, i64>(1)).unwrap_or_default();
    Ok(Step { next: row.get(0), rows, strays: strays.collect() })
}

/// Strays back to pending, without cost.
pub(in crate::fleet) async fn give_back(client: &Client, strays: &[Stray]) -> Result<(), Error> {
    if strays.is_empty() {
        return Ok(());
    }
    let (ids, epochs): (Vec<i64>, Vec<i32>) = strays.iter().map(|stray| (stray.id, stray.epoch)).unzip();
    client.execute(GIVE_BACK, &[&ids, &epochs]).await.map(drop)
}
