//! Cancelling: at once when nothing runs yet, by request when it does.

use super::{Acted, RefusedBecause, acted::act};
use crate::fleet::job::{JobId, Status};
use tokio_postgres::{Error, GenericClient};

/// A row in processing keeps its status and its epoch: its worker answers. The notification `cancel:<worker>` makes it
/// look at its rows; its heartbeat tells it otherwise.
pub(in crate::fleet::ledger) const CANCEL: &str = "\
with o as materialized (
  select id, epoch, status, parent_id, counted from jobs
  where id = any($1) and (status in ('pending','queued') or status = 'processing' and not cancel_requested) order by id for update
), x as (
  update jobs j set cancel_requested = true,
    status      = case when o.status = 'processing' then j.status else 'cancelled' end,
    epoch       = case when o.status = 'processing' then j.epoch else j.epoch + 1 end,
    finished_at = case when o.status = 'processing' then null else now() end,
    counted     = case when o.status = 'processing' then j.counted else j.counted or j.parent_id is not null end,
    requeued_from = null, hold = null, hold_key = null, hold_until = null
  from o where j.id = o.id and j.epoch = o.epoch
  returning j.id, j.epoch, j.status, j.parent_id, j.worker_id, o.counted as was_counted, o.status as was
), e as (
  insert into job_events (job_id, epoch, event, actor, detail)
  select id, epoch, case when status = 'cancelled' then 'cancelled' else 'cancel_asked' end, $2, jsonb_build_object('from', was) from x
), k as (
  select parent_id as id, count(*)::int as n from x
  where parent_id is not null and status = 'cancelled' and not was_counted group by 1
), c as materialized (
  select p.id, (select n from k where k.id = p.id) as n from jobs p
  where p.id = any (array(select id from k)) and p.id <> all($1) order by p.id for no key update
), p as (
  update jobs p set open_children = greatest(p.open_children - c.n, 0), failed_children = p.failed_children + c.n,
    hold_until = case when p.hold = 'children' and p.open_children <= c.n then now() else p.hold_until end,
    hold       = case when p.hold = 'children' and p.open_children <= c.n then null else p.hold end
  from c where p.id = c.id
), t as materialized (
  select pg_notify('docket_' || current_schema(), 'cancel:' || worker_id)
  from (select distinct worker_id from x where status = 'processing') l
)
select id, epoch, status::text from x where (select count(*) from t) >= 0";

/// Cancels jobs that wait; asks the workers of those that run. A worker that is dead or away can't answer: the job is
/// cancelled when its lease ends.
///
/// # Errors
/// When the database fails; what was done in batches before stays, unless `client` is a transaction.
pub async fn cancel<C: GenericClient + Sync>(client: &C, ids: &[JobId], actor: &str) -> Result<Acted, Error> {
    let explain = |status| match status {
        Status::Processing => RefusedBecause::AlreadyAsked,
        status => RefusedBecause::WrongStatus { status },
    };
    act(client, CANCEL, ids, actor, explain).await
}
