//! `failed` and `dead_letter` to cancelled.

use super::{Acted, RefusedBecause, acted::act};
use crate::fleet::job::JobId;
use tokio_postgres::{Error, GenericClient};

/// From one terminal state to another: the parent has counted the job already.
pub(in crate::fleet::ledger) const DISCARD: &str = "\
with o as materialized (
  select id, epoch, status from jobs where id = any($1) and status in ('failed','dead_letter') order by id for update
), x as (
  update jobs j set status = 'cancelled', epoch = j.epoch + 1, finished_at = now(), failed_at = null, dead_published_gen = null
  from o where j.id = o.id and j.epoch = o.epoch returning j.id, j.epoch, o.status as was
), e as (
  insert into job_events (job_id, epoch, event, actor, detail)
  select id, epoch, 'discarded', $2, jsonb_build_object('from', was) from x
), b as (
  update broker_state set dead_left = dead_left + c.n from (select count(*) as n from x where was = 'dead_letter') c where c.n > 0
)
select id, epoch, 'cancelled' from x";

/// Gives up jobs that have failed. They stay in the ledger for as long as cancelled ones do.
///
/// # Errors
/// When the database fails; what was done in batches before stays, unless `client` is a transaction.
pub async fn discard<C: GenericClient + Sync>(client: &C, ids: &[JobId], actor: &str) -> Result<Acted, Error> {
    act(client, DISCARD, ids, actor, |status| RefusedBecause::WrongStatus { status }).await
}
