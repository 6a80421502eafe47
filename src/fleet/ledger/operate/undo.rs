//! A requeue that has not started, undone.

use super::{Acted, RefusedBecause, acted::act};
use crate::fleet::job::{JobId, Status};
use tokio_postgres::{Error, GenericClient};

/// Entering a terminal state again, so the parent counts it, unless it has counted it before: that is for the row as it
/// was to say. A dead letter comes back without a mark: its old copy carries an epoch that has passed.
pub(in crate::fleet::ledger) const UNDO: &str = "\
with o as materialized (
  select j.id, j.epoch, j.requeued_from, j.parent_id, j.counted from jobs j
  where j.id = any($1) and j.status = 'pending' and j.requeued_from is not null order by j.id for update
), r as materialized (
  select o.*, (select t.detail from job_events t where t.job_id = o.id and t.event = 'requeued' order by t.id desc limit 1) as was
  from o
), x as (
  update jobs j set status = r.requeued_from, epoch = j.epoch + 1, requeued_from = null, round = j.round - 1,
    failures = (r.was->>'failures')::smallint, losses = (r.was->>'losses')::smallint,
    priority = (r.was->>'priority')::smallint, counted = j.counted or j.parent_id is not null,
    hold = null, hold_key = null, hold_until = null, finished_at = now(), failed_at = now(),
    dead_published_gen = case when r.requeued_from = 'dead_letter' then 0 end
  from r where j.id = r.id and j.epoch = r.epoch and r.was is not null
  returning j.id, j.epoch, j.status, j.parent_id, r.counted as was_counted
), e as (
  insert into job_events (job_id, epoch, event, actor) select id, epoch, 'requeue_undone', $2 from x
), k as (select parent_id as id, count(*)::int as n from x where parent_id is not null and not was_counted group by 1
), c as materialized (
  select p.id, (select n from k where k.id = p.id) as n from jobs p
  where p.id = any (array(select id from k)) and p.id not in (select id from x) order by p.id for no key update
), p as (
  update jobs p set open_children = greatest(p.open_children - c.n, 0), failed_children = p.failed_children + c.n,
    hold_until = case when p.hold = 'children' and p.open_children <= c.n then now() else p.hold_until end,
    hold       = case when p.hold = 'children' and p.open_children <= c.n then null else p.hold end
  from c where p.id = c.id
)
select id, epoch, status::text from x";

/// Brings requeued jobs that have not started back to where they were, with their failures, losses and priority.
///
/// # Errors
/// When the database fails; what was done in batches before stays, unless `client` is a transaction.
pub async fn undo_requeue<C: GenericClient + Sync>(client: &C, ids: &[JobId], actor: &str) -> Result<Acted, Error> {
    let explain = |status| match status {
        Status::Pending => RefusedBecause::NotRequeued,
        status => RefusedBecause::WrongStatus { status },
    };
    act(client, UNDO, ids, actor, explain).await
}
