//! `failed` and `dead_letter` back to pending.

use super::{Acted, RefusedBecause, acted::act};
use crate::fleet::job::JobId;
use tokio_postgres::{Error, GenericClient};

/// `o` holds the rows as they were, `w` the parents that still wait: only those count their child up again, any other
/// has gone on and keeps what it counted. The `coalesce` keeps the planner off the index of held rows. `hold_until` is since when the job has been due.
pub(in crate::fleet::ledger) const REQUEUE: &str = "\
with o as materialized (
  select id, epoch, status, failures, losses, priority, parent_id, counted from jobs
  where id = any($1) and status in ('failed','dead_letter') order by id for update
), w as materialized (
  select id from jobs where id = any (array(select parent_id from o where counted)) and status = 'pending' and coalesce(hold = 'children', false)
  order by id for no key update
), x as (
  update jobs j set status = 'pending', epoch = j.epoch + 1, requeued_from = o.status,
    failures = 0, losses = 0, priority = j.base_priority, round = j.round + 1,
    counted = j.counted and not exists (select 1 from w where w.id = j.parent_id),
    message_id = null, queued_at = null, finished_at = null, failed_at = null, dead_published_gen = null,
    hold = null, hold_key = null, hold_until = now(), cancel_requested = false
  from o where j.id = o.id and j.epoch = o.epoch
  returning j.id, j.epoch, j.lane, j.parent_id, j.counted, o.counted as was_counted, o.status as was, o.failures, o.losses, o.priority
), e as (
  insert into job_events (job_id, epoch, event, actor, detail)
  select id, epoch, 'requeued', $2, jsonb_build_object('from', was, 'failures', failures, 'losses', losses, 'priority', priority) from x
), p as (
  update jobs p set open_children = p.open_children + c.n, failed_children = greatest(p.failed_children - c.n, 0)
  from (select parent_id, count(*)::int as n from x where was_counted and not counted group by 1) c where p.id = c.parent_id
), b as (
  update broker_state set dead_left = dead_left + c.n from (select count(*) as n from x where was = 'dead_letter') c where c.n > 0
), t as materialized (select pg_notify('docket_' || current_schema(), lane) from (select distinct lane from x) l)
select id, epoch, 'pending' from x where (select count(*) from t) >= 0";

/// Gives jobs a new round: no failures, no losses, their first priority. They are due at once; the schedulers are told.
///
/// # Errors
/// When the database fails; what was done in batches before stays, unless `client` is a transaction.
pub async fn requeue<C: GenericClient + Sync>(client: &C, ids: &[JobId], actor: &str) -> Result<Acted, Error> {
    act(client, REQUEUE, ids, actor, |status| RefusedBecause::WrongStatus { status }).await
}
