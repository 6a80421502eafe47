//! What brings lost work back: R1 to R3 by message, R4 by worker.

use super::{
    pg::PgLedger,
    sql::{IS_QUEUED, PARENTS},
};
use crate::fleet::{
    job::{MessageId, WorkerId},
    ports::{LedgerResult, Sweep, Swept},
};
use std::sync::LazyLock;
use tokio_postgres::Row;

/// `nextval` gave out `last_value`, and with it the 65,535 ids above.
const WATERMARK: &str = "select last_value + 65536 from job_message_seq";

/// $1 is the rule's name; the rule's own condition follows as $2 and more.
fn sweep_sql(condition: &str) -> String {
    format!(
        "with m as (select id from job_messages where worker_id is null and {condition}
           order by id limit $2 for update skip locked
), d as (delete from job_messages t using m where t.id = m.id returning t.id, t.jobs
), x as (
  update jobs j set status = 'pending', epoch = j.epoch + 1, message_id = null, queued_at = null
  from (select d.id as m, unnest(d.jobs) as id from d) u where j.id = u.id and j.message_id = u.m and {IS_QUEUED}
  returning j.id, j.epoch
), e as (insert into job_events (job_id, epoch, event, actor) select id, epoch, 'rescued', $1 from x)
select (select count(*) from d), (select count(*) from x), 0::bigint"
    )
}

pub(super) static UNCONFIRMED: LazyLock<String> =
    LazyLock::new(|| sweep_sql("broker_gen is not null and published_at is null and id < $3::bigint"));
pub(super) static OLDER_GENERATION: LazyLock<String> = LazyLock::new(|| sweep_sql("broker_gen < $3::int"));
pub(super) static FORGOTTEN: LazyLock<String> =
    LazyLock::new(|| sweep_sql("broker_gen is not null and lane = $3 and band = $4::smallint and id < $5::bigint"));

/// R4. $1 workers, $2 bound in messages, $3 losses that end a job, $4 losses that make a suspect.
///
/// A suspect pays only if it was its worker's only row: `alone` counts all the rows that the worker still held, also
/// those beyond the bound. Otherwise it goes back free, and so does a job that is still queued: a forged pointer had taken
/// its message. `offset 0` makes the planner look rows up by key: it takes an array
/// for ten elements, and would rather walk the whole table.
pub(super) static REAP: LazyLock<String> = LazyLock::new(|| {
    format!(
        "with z as (update workers set state = 'dead' where id = any($1) and state not in ('dead','gone') returning lanes
), m as (select id from job_messages where worker_id = any($1) order by id limit $2 for update skip locked
), h as materialized (
  select t.worker_id, count(*) as held from job_messages t cross join lateral unnest(t.jobs) u(id)
  cross join lateral (select 1 from jobs j where j.id = u.id and j.message_id = t.id and j.status = 'processing' offset 0) j
  where t.worker_id = any($1) group by 1
), d as (delete from job_messages t using m where t.id = m.id returning t.id, t.jobs, t.worker_id
), x as (
  update jobs j set epoch = j.epoch + 1, losses = j.losses + u.cost, status = u.st,
    message_id = case when u.st <> 'pending' then j.message_id end,
    queued_at = case when u.st <> 'pending' then j.queued_at end,
    finished_at = case when u.st <> 'pending' then now() end,
    failed_at = case when u.st = 'dead_letter' then now() end,
    dead_published_gen = case when u.st = 'dead_letter' then 0 end,
    last_error = format('worker %s%s was lost with it%s, loss %s of %s', u.worker_id, ' (' || u.name || ')',
                        case when u.held = 1 then ' and nothing else' end, j.losses + u.cost, $3::smallint),
    error_class = 'worker_lost',
    counted = j.counted or (u.st <> 'pending' and j.parent_id is not null)
  from (select v.*, case when v.cancel_requested then 'cancelled' when v.losses + v.cost >= $3 then 'dead_letter'
                    else 'pending' end::job_status as st
        from (select q.id, q.epoch, q.message_id, q.cancel_requested, q.losses, d.worker_id, h.held,
                     (select name from workers where id = d.worker_id), q.status as was,
                     case when q.status = 'queued' or q.losses >= $4 and coalesce(h.held, 0) <> 1 then 0 else 1 end::smallint as cost
              from d cross join lateral unnest(d.jobs) u(id)
              cross join lateral (select * from jobs q where q.id = u.id and q.message_id = d.id offset 0) q
              left join h on h.worker_id = d.worker_id) v) u
  where j.id = u.id and j.epoch = u.epoch and j.message_id = u.message_id and j.status in ('processing', 'queued')
  returning j.id, j.epoch, j.status, j.parent_id, j.failures, j.losses, j.round, j.worker_id, j.started_at, u.cost, u.was
), a as (
  insert into job_attempts (job_id, epoch, worker_id, started_at, round, attempt, outcome, error_class)
  select id, epoch - 1, worker_id, started_at, round, failures + losses,
         case when cost = 0 then 'released' else 'lost' end, 'worker_lost' from x where was = 'processing'
), e as (
  insert into job_events (job_id, epoch, event, actor)
  select id, epoch, case when status = 'pending' then 'rescued' else status::text end, 'R4' from x
), {PARENTS}
select (select count(*) from d), (select count(*) from x where status = 'pending'),
       (select count(*) from x where status = 'dead_letter'), (select count(*) from z where lanes <> '{{}}')"
    )
});

impl PgLedger {
    pub(super) async fn message_watermark(&self) -> LedgerResult<MessageId> {
        Ok(MessageId(self.run_one("watermark", WATERMARK, &[]).await?.get(0)))
    }

    pub(super) async fn sweep_messages(&self, sweep: Sweep<'_>, bound: i32) -> LedgerResult<Swept> {
        let bound = i64::from(bound);
        let row = match sweep {
            Sweep::Unconfirmed(before) => self.run_one("sweep_r1", &UNCONFIRMED, &[&"R1", &bound, &before.0]).await,
            Sweep::OlderGeneration(generation) => {
                self.run_one("sweep_r2", &OLDER_GENERATION, &[&"R2", &bound, &generation]).await
            }
            Sweep::Forgotten(lane, band, before) => {
                self.run_one("sweep_r3", &FORGOTTEN, &[&"R3", &bound, &lane, &band.as_number(), &before.0]).await
            }
        };
        Ok(swept(&row?))
    }

    pub(super) async fn reap_workers(&self, workers: &[WorkerId], bound: i32) -> LedgerResult<Swept> {
        let ids: Vec<i64> = workers.iter().map(|w| w.0).collect();
        let (losses, suspect) = (self.protocol.losses_max, self.protocol.suspect_losses);
        let row = self.run_one("sweep_r4", &REAP, &[&ids, &i64::from(bound), &losses, &suspect]).await?;
        Ok(Swept { workers: u64::try_from(row.get::<_, i64>(3)).unwrap_or_default(), ..swept(&row) })
    }
}

fn swept(row: &Row) -> Swept {
    let count = |index| u64::try_from(row.get::<_, i64>(index)).unwrap_or_default();
    Swept { messages: count(0), rescued: count(1), dead_letters: count(2), workers: 0 }
}
