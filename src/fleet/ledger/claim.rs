//! From queued, or straight from due, to processing.

use super::{
    pg::PgLedger,
    sql::{CLAIMED, IS_PROCESSING, IS_QUEUED},
};
use crate::{
    db::describe,
    fleet::{
        job::{Envelope, JobId, MessageId, Pointer, WorkerId},
        ports::{Claimed, LedgerResult},
    },
};
use std::{collections::HashSet, error::Error, sync::LazyLock, time::Duration};
use tokio_postgres::Row;

/// $1 ids, $2 epochs, $3 worker, $4 the message of each pointer. The message rows are locked first, as R1 and R3 do:
/// no deadlock with them. The status keeps a forged pointer from failing its batch at the guard; how it is asked for stands
/// in `sql`.
pub(super) static CLAIM: LazyLock<String> = LazyLock::new(|| {
    format!(
        "with m as materialized (
  update job_messages set worker_id = $3, claimed_at = now() where id = any($4) and worker_id is null returning 1
)
update jobs j set status = 'processing', epoch = j.epoch + 1, worker_id = $3, started_at = now(), requeued_from = null
from unnest($1::bigint[], $2::int[], $4::bigint[]) u(id, epoch, m)
where j.id = u.id and j.epoch = u.epoch and j.message_id = u.m and {IS_QUEUED} and (select count(*) from m) >= 0
returning {CLAIMED}, {OF_MESSAGE}"
    )
});

/// The same after an answer that never came: what an earlier call claimed is returned as well. `again` sees the rows as
/// they were before this statement, so nothing is returned twice.
pub(super) static CLAIM_AGAIN: LazyLock<String> = LazyLock::new(|| {
    format!(
        "with u as materialized (select * from unnest($1::bigint[], $2::int[], $4::bigint[]) u(id, epoch, m)
), mine as materialized (
  update job_messages set worker_id = $3, claimed_at = now() where id = any($4) and worker_id is null returning 1
), again as (
  select {CLAIMED}, {OF_MESSAGE} from u join jobs j on j.id = u.id and j.epoch = u.epoch + 1
  where j.message_id = u.m and j.worker_id = $3 and {IS_PROCESSING}
), x as (
  update jobs j set status = 'processing', epoch = j.epoch + 1, worker_id = $3, started_at = now(), requeued_from = null
  from u where j.id = u.id and j.epoch = u.epoch and j.message_id = u.m and {IS_QUEUED}
    and (select count(*) from mine) >= 0
  returning {CLAIMED}, {OF_MESSAGE}
)
select * from x union all select * from again"
    )
});

/// Pointers whose rows are behind them, or, unless completions delete theirs ($3 false), not there.
pub(super) const AHEAD: &str = "\
select u.id, u.epoch from unnest($1::bigint[], $2::int[]) u(id, epoch) left join jobs j on j.id = u.id
where (j.epoch is null and $3) or j.epoch < u.epoch";

/// How many jobs the message was written for.
const OF_MESSAGE: &str = "(select cardinality(t.jobs) from job_messages t where t.id = j.message_id) as of_message";

/// $1 lane, $2 rows, $3 kinds, $4 worker, $5 losses that make a suspect, $6 rows of the oldest. One message row is the
/// lease of all of it.
///
/// As the pick does: $2 rows by priority, and $6 of the oldest among those that follow, found by a walk over the distinct
/// priorities from the lowest up. Where $2 is 0, all follow. A lease is small and often, so the walk looks at no more than
/// 16 levels, and at twice its rows on each: a crowd of paused jobs down there costs it its turn, not the database's time.
pub(super) static LEASE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "with recursive top as materialized (
  select ctid as tid, id, priority from jobs where due and lane = $1 and {RUNNABLE} and losses < $5
  order by priority desc, id limit $2 for update skip locked
), last as materialized (
  select coalesce(min(priority), 32767) as priority, coalesce(max(id) filter (where priority = low), 0) as id
  from (select id, priority, min(priority) over () as low from top) t
), level(priority, n) as (
  select (select min(priority) from jobs where due and lane = $1), 1 where $6::bigint > 0
  union all
  select (select min(j.priority) from jobs j where j.due and j.lane = $1 and j.priority > l.priority), n + 1
  from level l where l.priority < (select priority from last) and n < 16
), aged as materialized (
  select ctid as tid, id from jobs
  where status = 'pending' and hold is null and ctid = any (array(
    select x.tid from last cross join level l cross join lateral (
      select y.tid, y.id from (
        select j.ctid as tid, j.id, j.kind, j.losses from jobs j
        where j.due and j.lane = $1 and j.priority = l.priority
          and j.id > case when l.priority = last.priority then last.id else 0 end
        order by j.id limit 2 * $6) y
      where {RUNNABLE} and losses < $5 order by y.id limit $6) x
    where l.priority <= last.priority order by x.id limit $6))
  for update skip locked
), taken as (
  select tid, id from top union all select tid, id from aged
), {LEASE_TAIL} returning {CLAIMED}"
    )
});

/// A suspect is found by an index of its own.
pub(super) static LEASE_SUSPECT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "with taken as materialized (
  select ctid as tid, id from jobs where due and losses >= 2 and losses >= $5 and lane = $1 and {RUNNABLE}
  order by priority desc, id limit $2 for update skip locked
), {LEASE_TAIL} returning {CLAIMED}"
    )
});

/// Nothing of it is paused: asked in the statement itself, so that a pause holds from its commit on.
const RUNNABLE: &str = "\
$1 <> all(array(select lane from paused_lanes)) and kind = any($3) and kind <> all(array(select kind from paused_kinds))";

const LEASE_TAIL: &str = "\
s as materialized (
  select nextval('job_message_seq') as base where exists (select 1 from taken)
), w as (
  insert into job_messages (id, lane, kind, band, worker_id, claimed_at, jobs)
  select base, $1, '', 1, $4::bigint, now(), array(select id from taken) from s
)
update jobs j set status = 'processing', epoch = j.epoch + 1, queued_at = now(), started_at = now(), message_id = s.base,
  worker_id = $4, requeued_from = null
from taken, s where j.ctid = taken.tid";

impl PgLedger {
    pub(super) async fn claim_messages(
        &self,
        worker: WorkerId,
        messages: &[Envelope],
        repeat: bool,
    ) -> LedgerResult<Vec<Claimed>> {
        let (mut ids, mut epochs, mut of) = (Vec::new(), Vec::new(), Vec::new());
        for envelope in messages {
            for pointer in &envelope.jobs {
                ids.push(pointer.id().0);
                epochs.push(pointer.epoch());
                of.push(envelope.message.0);
            }
        }
        let sql: &str = if repeat { &CLAIM_AGAIN } else { &CLAIM };
        let rows = self.run("claim", sql, &[&ids, &epochs, &worker.0, &of]).await?;
        let of_message = |row: &Row| row.get::<_, Option<i32>>("of_message").and_then(|n| usize::try_from(n).ok());
        Ok(rows.iter().map(|row| Claimed { of_message: of_message(row).unwrap_or(0), ..claimed(row) }).collect())
    }

    pub(super) async fn ahead_of_rows(&self, pointers: &[Pointer], all_kept: bool) -> LedgerResult<HashSet<Pointer>> {
        let (ids, epochs): (Vec<i64>, Vec<i32>) = pointers.iter().map(|p| (p.id().0, p.epoch())).unzip();
        let rows = self.run("ahead", AHEAD, &[&ids, &epochs, &all_kept]).await?;
        Ok(rows.iter().map(|row| Pointer(JobId(row.get(0)), row.get(1))).collect())
    }

    pub(super) async fn lease_rows(
        &self,
        worker: WorkerId,
        lane: &str,
        kinds: &[String],
        rows: i32,
        suspect: bool,
    ) -> LedgerResult<Vec<Claimed>> {
        let losses = self.protocol.suspect_losses;
        let rows = if suspect {
            self.run("lease_suspect", &LEASE_SUSPECT, &[&lane, &i64::from(rows), &kinds, &worker.0, &losses]).await?
        } else {
            let aged = aged_share(rows, rand::random());
            let urgent = i64::from(rows) - aged;
            let leased = self.run("lease", &LEASE, &[&lane, &urgent, &kinds, &worker.0, &losses, &aged]).await?;
            if leased.is_empty() && urgent == 0 {
                // Nothing that may run is among the oldest: it was their turn, and the others are still there.
                self.run("lease", &LEASE, &[&lane, &i64::from(rows), &kinds, &worker.0, &losses, &0_i64]).await?
            } else {
                leased
            }
        };
        Ok(rows.iter().map(claimed).collect())
    }
}

/// One in ten leased rows is among the oldest, whatever its priority: of a small lease by chance, because most leases are
/// of one row.
fn aged_share(rows: i32, chance: f64) -> i64 {
    let tenths = rows.max(0);
    let one_more = chance < f64::from(tenths % 10) / 10.0;
    i64::from(tenths / 10) + i64::from(one_more)
}

fn claimed(row: &Row) -> Claimed {
    Claimed {
        id: JobId(row.get(0)),
        epoch: row.get(1),
        message: MessageId(row.get(2)),
        of_message: 0,
        kind: row.get(3),
        lane: row.get(4),
        args: row.try_get(5).map_err(|e| e.source().map_or_else(|| describe(&e), ToString::to_string)),
        args_version: row.get(6),
        priority: row.get(7),
        failures: row.get(8),
        losses: row.get(9),
        max_attempts: row.get(10),
        trace_id: row.get(11),
        parent: row.get::<_, Option<i64>>(12).map(JobId),
        waited: Duration::try_from_secs_f64(row.get(13)).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::aged_share;

    #[test]
    fn a_tenth_is_of_the_oldest() {
        assert_eq!([0, 10, 64].map(|rows| aged_share(rows, 0.99)), [0, 1, 6]);
        assert_eq!([0.0, 0.09, 0.1].map(|chance| aged_share(1, chance)), [1, 1, 0]);
        assert_eq!(aged_share(64, 0.39), 7);
    }
}
