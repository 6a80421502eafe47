//! Pieces that several statements share.

/// What the end of children does to the parents that wait for them. Expects a CTE `x (id, parent_id, status)` of the
/// rows that this statement changed.
///
/// `o` is the row as it was before this statement, so `counted` says whether the parent has counted this child already.
/// Parents are locked in the order of their ids, after the jobs: no deadlock among batches. They are looked up one by one
/// (`lateral`), because a join would compare each child's parent with each other's; and without the `coalesce` the planner
/// would read the whole index of held rows, whose predicate `hold = 'children'` implies.
pub(super) const PARENTS: &str = "\
k as materialized (
  select x.parent_id as id, count(*)::int as n, (count(*) filter (where x.status <> 'completed'))::int as bad
  from x join jobs o on o.id = x.id
  where x.parent_id is not null and not o.counted and x.status in ('completed','failed','dead_letter','cancelled') group by 1 order by 1
), c as materialized (
  select k.* from k cross join lateral
    (select 1 from jobs p where p.id = k.id and coalesce(p.hold = 'children', false) for no key update) p
), p as (
  update jobs p set open_children = greatest(p.open_children - c.n, 0), failed_children = p.failed_children + c.bad,
    hold = case when p.open_children <= c.n then null else p.hold end,
    hold_until = case when p.open_children <= c.n then now() end
  from c where p.id = c.id
)";

/// Whether a job `j` that a statement names by `u.id` has this status. Asked plainly, the planner takes the status for a
/// way to find the job: where its statistics know of few such rows, and the table is small, it reads all of it, and for each
/// of them the whole batch (900 jobs of 30,000: 0.5 s). Asked so, it has to find the row by its key first.
pub(super) const IS_QUEUED: &str = "case when j.id = u.id then j.status end = 'queued'";
/// The same.
pub(super) const IS_PROCESSING: &str = "case when j.id = u.id then j.status end = 'processing'";

/// Columns of a claimed job, in the order that `claimed` reads them.
pub(super) const CLAIMED: &str = "\
j.id, j.epoch, j.message_id, j.kind, j.lane, j.args, j.args_version, j.priority, j.failures, j.losses, j.max_attempts, \
j.trace_id, j.parent_id, date_part('epoch', now() - greatest(j.created_at, j.hold_until)) as waited_seconds";
