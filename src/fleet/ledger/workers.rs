//! Who works: registration, heartbeat, and the rows that others watch.

use super::pg::PgLedger;
use crate::fleet::{
    job::{JobId, MessageId, WorkerId},
    ports::{Beat, HeldRow, LedgerResult, WorkerRow, WorkerSpec},
};

const REGISTER: &str = "insert into workers (name, slots, lanes, kinds) values ($1, $2, $3, $4) returning id";

/// A worker that was declared dead and beats again is up again: it kept its name, and R6 tells it what it lost.
const BEAT: &str = "\
update workers set beat = beat + 1, beat_at = now(), run_us = $2, state = case when state = 'dead' then 'up' else state end
where id = $1 and state <> 'gone' returning lanes, kinds";

/// R6: what the ledger thinks this worker holds. `offset 0` makes the planner look rows up by key, as in R4.
pub(super) const HELD: &str = "\
select m.id, j.id, j.epoch, j.cancel_requested from job_messages m cross join lateral unnest(m.jobs) u(id)
cross join lateral (select * from jobs j where j.id = u.id and j.message_id = m.id and j.status = 'processing' offset 0) j
where m.worker_id = $1";

/// A suspect of a paused lane is not due: workers would empty themselves for it again and again. The wall clock serves only
/// for a probability here.
const NEWS: &str = "\
select exists (select 1 from jobs where due and losses >= 2 and losses >= $3 and lane = any($1) and kind = any($2)
                 and lane <> all(array(select lane from paused_lanes)) and kind <> all(array(select kind from paused_kinds))),
       greatest(1, (select count(*) from workers where state = 'up' and lanes && $1 and beat_at > now() - $4 * interval '1 s'))";

const DRAIN: &str = "update workers set state = 'draining' where id = $1 and state in ('up', 'dead')";
const DEREGISTER: &str = "update workers set state = 'gone' where id = $1";

/// Those that have not signed off, and those that have but still own a message: a claim may commit late. A worker whose row
/// went with retention while it was cut off has only its messages left.
const WORKERS: &str = "\
select id, beat, slots, lanes, kinds, state = 'up', run_us from workers w
where state in ('up', 'draining') or exists (select 1 from job_messages m where m.worker_id = w.id)
union all
select distinct m.worker_id, 0::bigint, 1, '{}'::text[], '{}'::text[], false, '{}'::int[] from job_messages m
where m.worker_id is not null and not exists (select 1 from workers w where w.id = m.worker_id)";

impl PgLedger {
    pub(super) async fn insert_worker(&self, spec: &WorkerSpec) -> LedgerResult<WorkerId> {
        let row = self.run_one("register", REGISTER, &[&spec.name, &spec.slots, &spec.lanes, &spec.kinds]).await?;
        Ok(WorkerId(row.get(0)))
    }

    pub(super) async fn heart_beat(&self, worker: WorkerId, run_us: &[Option<i32>]) -> LedgerResult<Beat> {
        let rows = self.run_on(&self.heartbeat, "beat", BEAT, &[&worker.0, &run_us]).await?;
        let Some(row) = rows.first() else { return Ok(Beat { gone: true, live_workers: 1, ..Beat::default() }) };
        let (lanes, kinds): (Vec<String>, Vec<String>) = (row.get(0), row.get(1));
        if lanes.is_empty() {
            // A scheduler holds nothing.
            return Ok(Beat { live_workers: 1, ..Beat::default() });
        }
        let suspect = self.protocol.suspect_losses;
        let lease = self.protocol.lease.as_secs_f64();
        let held = self.run_on(&self.heartbeat, "held", HELD, &[&worker.0]).await?;
        let news = self.run_on(&self.heartbeat, "news", NEWS, &[&lanes, &kinds, &suspect, &lease]).await?;
        Ok(Beat {
            gone: false,
            held: held
                .iter()
                .map(|row| HeldRow {
                    message: MessageId(row.get(0)),
                    id: JobId(row.get(1)),
                    epoch: row.get(2),
                    cancel_requested: row.get(3),
                })
                .collect(),
            suspect_due: news.first().is_some_and(|row| row.get(0)),
            live_workers: news.first().map_or(1, |row| row.get(1)),
        })
    }

    pub(super) async fn drain_worker(&self, worker: WorkerId) -> LedgerResult<()> {
        self.run("drain", DRAIN, &[&worker.0]).await.map(drop)
    }

    pub(super) async fn sign_off(&self, worker: WorkerId) -> LedgerResult<()> {
        self.run("deregister", DEREGISTER, &[&worker.0]).await.map(drop)
    }

    pub(super) async fn list_workers(&self) -> LedgerResult<Vec<WorkerRow>> {
        let rows = self.run("workers", WORKERS, &[]).await?;
        Ok(rows
            .iter()
            .map(|row| WorkerRow {
                id: WorkerId(row.get(0)),
                beat: row.get(1),
                slots: row.get(2),
                lanes: row.get(3),
                kinds: row.get(4),
                takes_work: row.get(5),
                run_us: row.get(6),
            })
            .collect())
    }
}
