//! Dead letters and the broker's generation: what R5 reads and marks.

use super::pg::{PgLedger, get};
use crate::fleet::{
    job::{JobId, Pointer},
    ports::{DeadCount, DeadLetter, LedgerResult, Quarantined},
};
use deadpool_postgres::Object;
use std::collections::HashSet;
use tokio_postgres::Row;

pub(super) const MISSING: &str = "\
select id, epoch, kind, lane, coalesce(error_class, ''), coalesce(last_error, ''), failures, losses, priority, max_attempts, trace_id
from jobs where dead_published_gen is not null and dead_published_gen < $1 order by dead_published_gen, id limit $2";

pub(super) const MARK: &str = "\
update jobs j set dead_published_gen = $3 from unnest($1::bigint[], $2::int[]) u(id, epoch)
where j.id = u.id and j.epoch = u.epoch and j.status = 'dead_letter'";

pub(super) const STILL: &str = "\
select j.id, j.epoch from unnest($1::bigint[], $2::int[]) u(id, epoch) join jobs j on j.id = u.id
where j.epoch = u.epoch and j.status = 'dead_letter'";

pub(super) const MARKED: &str = "\
select id, epoch from jobs where dead_published_gen is not null and dead_published_gen = $1 order by id limit $2";

const COUNT: &str = "\
select (select count(*) from jobs where dead_published_gen is not null),
       (select count(*) from jobs where dead_published_gen is not null and dead_published_gen < $1),
       (select dead_left from broker_state)";

/// One number a schema.
const LOCK: &str = "select pg_try_advisory_lock(hashtext('docket.dead'), hashtext(current_schema()))";
const UNLOCK: &str = "select pg_advisory_unlock(hashtext('docket.dead'), hashtext(current_schema()))";

const GENERATION: &str = "select generation from broker_state";
const ADVANCE: &str = "update broker_state set generation = generation + 1 where generation = $1 returning generation";

/// The table keeps the last thousand.
const QUARANTINE: &str = "\
with q as (insert into quarantine (queue, reason, headers, body) values ($1, $2, $3, $4) returning id)
delete from quarantine where id <= (select id - 1000 from q)";
/// Most bytes of a body, and of the headers, that quarantine keeps.
const QUARANTINE_BYTES: usize = 64 * 1024;

impl PgLedger {
    pub(super) async fn missing_copies(&self, generation: i32, bound: i32) -> LedgerResult<Vec<DeadLetter>> {
        let rows = self.run("dead_missing", MISSING, &[&generation, &i64::from(bound)]).await?;
        Ok(rows.iter().map(dead_letter).collect())
    }

    pub(super) async fn mark_copies(&self, dead: &[Pointer], generation: i32) -> LedgerResult<()> {
        let (ids, epochs) = arrays(dead);
        self.run("dead_mark", MARK, &[&ids, &epochs, &generation]).await.map(drop)
    }

    pub(super) async fn still_dead(&self, dead: &[Pointer]) -> LedgerResult<HashSet<Pointer>> {
        let (ids, epochs) = arrays(dead);
        Ok(pointers(&self.run("dead_still", STILL, &[&ids, &epochs]).await?))
    }

    pub(super) async fn marked_copies(&self, generation: i32, bound: i32) -> LedgerResult<HashSet<Pointer>> {
        Ok(pointers(&self.run("dead_marked", MARKED, &[&generation, &i64::from(bound)]).await?))
    }

    pub(super) async fn count_dead(&self, generation: i32) -> LedgerResult<DeadCount> {
        let row = self.run_one("dead_count", COUNT, &[&generation]).await?;
        Ok(DeadCount { dead: row.get(0), unpublished: row.get(1), left: row.get(2) })
    }

    /// The lock lives as long as its connection, which this ledger keeps out of the pool meanwhile.
    pub(super) async fn lock_dead(&self) -> LedgerResult<bool> {
        let mut held = self.dead_lock.lock().await;
        if held.is_some() {
            return Ok(true);
        }
        let connection = get(&self.effects).await?;
        let row = tokio::time::timeout(self.deadline(), connection.query_one(LOCK, &[])).await;
        match row {
            Ok(Ok(row)) if row.get::<_, bool>(0) => {
                *held = Some(connection);
                Ok(true)
            }
            Ok(Ok(_)) => Ok(false),
            // An answer that never came may have taken the lock: the connection must go.
            _ => {
                drop(Object::take(connection));
                Ok(false)
            }
        }
    }

    pub(super) async fn unlock_dead(&self) {
        if let Some(connection) = self.dead_lock.lock().await.take() {
            let unlocked = tokio::time::timeout(self.deadline(), connection.query_one(UNLOCK, &[])).await;
            if !matches!(unlocked, Ok(Ok(_))) {
                drop(Object::take(connection));
            }
        }
    }

    pub(super) async fn known_generation(&self) -> LedgerResult<i32> {
        Ok(self.run_one("generation", GENERATION, &[]).await?.get(0))
    }

    pub(super) async fn next_generation(&self, from: i32) -> LedgerResult<bool> {
        Ok(!self.run("advance_generation", ADVANCE, &[&from]).await?.is_empty())
    }

    pub(super) async fn keep_unreadable(&self, message: &Quarantined) -> LedgerResult<()> {
        let body = &message.body[..message.body.len().min(QUARANTINE_BYTES)];
        let mut end = message.headers.len().min(QUARANTINE_BYTES);
        while !message.headers.is_char_boundary(end) {
            end -= 1;
        }
        let headers = message.headers[..end].replace('\0', " ");
        self.run("quarantine", QUARANTINE, &[&message.queue, &message.reason, &headers, &body]).await.map(drop)
    }
}

fn arrays(dead: &[Pointer]) -> (Vec<i64>, Vec<i32>) {
    dead.iter().map(|p| (p.id().0, p.epoch())).unzip()
}

fn pointers(rows: &[Row]) -> HashSet<Pointer> {
    rows.iter().map(|row| Pointer(JobId(row.get(0)), row.get(1))).collect()
}

fn dead_letter(row: &Row) -> DeadLetter {
    DeadLetter {
        id: JobId(row.get(0)),
        epoch: row.get(1),
        kind: row.get(2),
        lane: row.get(3),
        error_class: row.get(4),
        error: row.get(5),
        failures: row.get(6),
        losses: row.get(7),
        priority: row.get(8),
        max_attempts: row.get(9),
        trace_id: row.get(10),
    }
}
