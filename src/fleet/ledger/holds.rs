//! Holds: what lifts them, and what a scheduler puts on rows that nobody could run.

use super::{breakers::LIFT_BREAKERS, paces::LIFT_PACES, pg::PgLedger};
use crate::{db::Params, fleet::ports::LedgerResult};

/// Time has come.
pub(super) const LIFT_TIME: &str = "\
with h as (select ctid as tid from jobs where hold is not null and hold_until <= now() order by hold_until limit $1 for update skip locked)
update jobs j set hold = null, hold_key = null from h where j.ctid = h.tid and j.status = 'pending' returning j.id";

/// Parents whose children have all ended, or that never got any: the completing child lifts its parent itself, this is
/// for the rest. Waiting parents have no time, so they stand together at the end of the index.
pub(super) const LIFT_PARENTS: &str = "\
with h as (select ctid as tid from jobs where hold is not null and hold_until is null and hold = 'children'
             and coalesce(open_children, 0) = 0 limit $1 for update skip locked)
update jobs j set hold = null, hold_until = now() from h where j.ctid = h.tid and j.status = 'pending' returning j.id";

/// $1 kinds that may run again, $3 in this lane: another lane's workers may know other kinds. The `coalesce` keeps the planner off the index of held rows: it would read all of it.
pub(super) const LIFT_KINDS: &str = "\
with h as (select ctid as tid from jobs where hold_key is not null and hold_key = any($1) and lane = $3 and coalesce(hold in ('paused', 'unknown_kind'), false)
           limit $2 for update skip locked)
update jobs j set hold = null, hold_key = null, hold_until = now() from h where j.ctid = h.tid and j.status = 'pending' returning j.id";

/// $1 lane, $2 kinds that a live worker knows, $3 paused kinds. Looks at the 2,000 most urgent due rows: what stands
/// further back comes forward when these have gone.
pub(super) const PARK: &str = "\
with h as (
  select ctid as tid, kind from jobs where status = 'pending' and hold is null and ctid = any (array(
    select t.tid from (select ctid as tid, kind from jobs where due and lane = $1 order by priority desc, id limit 2000) t
    where t.kind <> all($2) or t.kind = any($3)))
  for update skip locked
)
update jobs j set hold = case when h.kind = any($3) then 'paused' else 'unknown_kind' end::job_hold, hold_key = h.kind, hold_until = null
from h where j.ctid = h.tid returning j.id";

const PAUSED: &str = "select kind from paused_kinds";

impl PgLedger {
    pub(super) async fn lift_time_and_parents(&self, bound: i32) -> LedgerResult<u64> {
        let bound = i64::from(bound);
        let params: Params<'_> = &[&bound];
        let (time, parents) =
            tokio::try_join!(self.run("lift_due", LIFT_TIME, params), self.run("lift_parents", LIFT_PARENTS, params))?;
        Ok((time.len() + parents.len()) as u64)
    }

    pub(super) async fn lift_free_kinds(&self, lane: &str, kinds: &[String], bound: i32) -> LedgerResult<u64> {
        Ok(self.run("lift_kinds", LIFT_KINDS, &[&kinds, &i64::from(bound), &lane]).await?.len() as u64)
    }

    pub(super) async fn lift_behind_breakers(&self, bound: i32) -> LedgerResult<u64> {
        Ok(self.run("lift_breakers", LIFT_BREAKERS, &[&i64::from(bound)]).await?.len() as u64)
    }

    pub(super) async fn lift_at_their_pace(&self, bound: i32) -> LedgerResult<u64> {
        Ok(self.run("lift_paces", LIFT_PACES, &[&i64::from(bound)]).await?.len() as u64)
    }

    pub(super) async fn park_rows(&self, lane: &str, known: &[String], paused: &[String]) -> LedgerResult<u64> {
        Ok(self.run("park", PARK, &[&lane, &known, &paused]).await?.len() as u64)
    }

    pub(super) async fn list_paused(&self) -> LedgerResult<Vec<String>> {
        Ok(self.run("paused_kinds", PAUSED, &[]).await?.iter().map(|row| row.get(0)).collect())
    }
}
