//! A queue of version 2, and its writers: they know no dead letters.

use crate::{fleet::toys::Script, support::TestDb};
use docket::db::{self, Upgrade};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;
use tokio_postgres::Client;

/// All that a row of `jobs` had in version 2.
pub(super) const COLUMNS: &str = "id, created_at, parent_id, queued_at, started_at, finished_at, hold_until, message_id, \
    worker_id, epoch, open_children, failed_children, status, hold, requeued_from, priority, base_priority, failures, losses, \
    max_attempts, round, cancel_requested, counted, due, hold_key, error_class, last_error, output, args_version, kind, lane, \
    idempotency_key, trace_id, args";

/// A schema of version 2 without jobs.
pub(super) async fn version2() -> TestDb {
    let db = TestDb::new().await;
    db::upgrade(&db.config(), &Upgrade { to: Some(2), ..Upgrade::default() }).await.unwrap();
    db
}

/// Jobs 1 to `count` in every state of version 2, by the last digit of their number. One in 21 is of a kind that the
/// tests' workers know. Message n is that of job n.
pub(super) async fn fill(client: &Client, count: i64) {
    let args = serde_json::to_string(&Script::default()).unwrap();
    let fill = format!(
        "alter table jobs disable trigger user;
insert into jobs (id, kind, args, status, epoch, message_id, worker_id, queued_at, started_at, finished_at, hold, hold_key,
  hold_until, failures, requeued_from, round, open_children, failed_children, error_class, last_error, output)
overriding system value
select n, case when n % 21 = 0 then 'plain' else 'other' end, '{args}', s::job_status, e,
  case when s in ('queued', 'processing') then n end, case when s in ('processing', 'completed', 'failed') then 1 end,
  case when s <> 'pending' then now() - interval '1 h' end,
  case when s in ('processing', 'completed', 'failed') then now() - interval '50 min' end,
  case when s in ('completed', 'failed', 'cancelled') then now() - n * interval '1 ms' end,
  case when n % 10 = 1 then (case when n % 21 = 0 then 'retry' else (array['scheduled', 'paused', 'retry', 'children'])[1 + n / 10 % 4] end)::job_hold end,
  case when n % 10 = 1 and n % 21 <> 0 and n / 10 % 4 = 1 then 'other' end,
  case when n % 10 = 1 and n % 21 = 0 then now() when n % 10 = 1 and n / 10 % 4 in (0, 2) then now() + interval '1 d' end,
  case when s = 'failed' then 3 when n % 10 = 1 then 1 else 0 end, case when n % 10 = 9 then 'failed' end::job_status,
  case when n % 10 = 9 then 1 else 0 end, case when n % 10 = 1 and n % 21 <> 0 and n / 10 % 4 = 3 then 1 end,
  case when n % 10 = 1 and n % 21 <> 0 and n / 10 % 4 = 3 then 0 end,
  case when s = 'failed' then 'server_error' end, case when s = 'failed' then 'HTTP 500' end,
  case when s = 'completed' then '1' end::jsonb
from (select n, (array['pending', 'pending', 'cancelled', 'queued', 'processing', 'processing', 'completed', 'completed',
      'failed', 'pending'])[1 + n % 10] as s, (array[0, 2, 1, 1, 2, 2, 3, 3, 3, 4])[1 + n % 10] as e
      from generate_series(1, {count}) n) t;
alter table jobs enable trigger user;
insert into workers (slots, name, lanes, kinds) values (64, 'version-2', '{{default}}', '{{plain,other}}');
insert into job_messages (id, lane, kind, band, broker_gen, published_at, worker_id, claimed_at, jobs)
select id, lane, kind, 1, 0, now(), worker_id, started_at, array[id] from jobs where status in ('queued', 'processing');
insert into job_attempts (job_id, epoch, worker_id, round, attempt, outcome, error_class)
select id, epoch - 1, 1, 0, 3, 'failed', 'server_error' from jobs where status = 'failed';
select setval('job_message_seq', 1 + {count}); select setval(pg_get_serial_sequence('jobs', 'id'), {count});
analyze jobs; analyze job_messages"
    );
    client.batch_execute(&fill).await.unwrap();
}

/// What a version-2 process does to a job: in words, the jobs that it is for (their number's last two digits), the
/// statement, the state after it.
const ACTS: &[(&str, i64, &str, &str)] = &[
    (
        "claim",
        13,
        "with m as (update job_messages set worker_id = 1, claimed_at = now() where id = $1) \
         update jobs set status = 'processing', epoch = epoch + 1, worker_id = 1, started_at = now(), requeued_from = null \
         where id = $1 and status = 'queued'",
        "processing",
    ),
    (
        "complete",
        14,
        "with d as (delete from job_messages where id = $1) \
         update jobs set status = 'completed', epoch = epoch + 1, finished_at = now(), output = '2' \
         where id = $1 and status = 'processing'",
        "completed",
    ),
    (
        "fail",
        25,
        "with d as (delete from job_messages where id = $1), x as ( \
         update jobs set status = 'failed', epoch = epoch + 1, failures = failures + 1, finished_at = now(), \
           error_class = 'timeout', last_error = 'too late' where id = $1 and status = 'processing' \
         returning id, epoch, worker_id, started_at, round, failures) \
         insert into job_attempts (job_id, epoch, worker_id, started_at, round, attempt, outcome, error_class) \
         select id, epoch - 1, worker_id, started_at, round, failures, 'failed', 'timeout' from x",
        "failed",
    ),
    (
        "retry",
        24,
        "with d as (delete from job_messages where id = $1) \
         update jobs set status = 'pending', epoch = epoch + 1, failures = failures + 1, message_id = null, hold = 'retry', \
           hold_until = now() where id = $1 and status = 'processing'",
        "pending",
    ),
    (
        "requeue",
        18,
        "update jobs set status = 'pending', epoch = epoch + 1, requeued_from = status, message_id = null, queued_at = null, \
           finished_at = null, failures = 0, losses = 0, round = round + 1 where id = $1 and status = 'failed'",
        "pending",
    ),
    (
        "discard",
        28,
        "update jobs set status = 'cancelled', epoch = epoch + 1, finished_at = now() where id = $1 and status = 'failed'",
        "cancelled",
    ),
    (
        "undo",
        39,
        "update jobs set status = 'failed', epoch = epoch + 1, finished_at = now(), failures = 3, requeued_from = null \
         where id = $1 and status = 'pending' and requeued_from = 'failed'",
        "failed",
    ),
];

/// So many jobs of each act are kept for the time after the migration.
const AFTER: usize = 25;

/// Writers of version 2 that work until they are stopped, each on a connection of its own.
pub(super) struct Writers {
    tasks: JoinSet<(&'static str, Vec<i64>)>,
    migrated: Arc<AtomicBool>,
}

impl Writers {
    pub(super) async fn start(db: &TestDb, count: i64) -> Self {
        let (mut tasks, migrated) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        for &(what, digits, sql, then) in ACTS {
            let (client, migrated) = (db.connect().await, Arc::clone(&migrated));
            let jobs: Vec<i64> = (0..count).filter(|n| n % 100 == digits).collect();
            tasks.spawn(async move { (then, act(&client, what, sql, &jobs, &migrated).await) });
        }
        Self { tasks, migrated }
    }

    /// Lets each of them act some more on the new schema. Returns, by job, the state that it was given.
    pub(super) async fn stop(mut self) -> BTreeMap<i64, &'static str> {
        self.migrated.store(true, Ordering::Relaxed);
        let mut touched = BTreeMap::new();
        while let Some(done) = self.tasks.join_next().await {
            let (then, jobs) = done.unwrap();
            touched.extend(jobs.into_iter().map(|id| (id, then)));
        }
        touched
    }
}

/// Each job once. What it finds refused, or missing, ends the test.
async fn act(client: &Client, what: &str, sql: &str, jobs: &[i64], migrated: &AtomicBool) -> Vec<i64> {
    let statement = client.prepare(sql).await.unwrap();
    let (mut done, mut after) = (Vec::new(), 0);
    for &id in jobs {
        while done.len() + AFTER >= jobs.len() && !migrated.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let rows =
            client.execute(&statement, &[&id]).await.unwrap_or_else(|e| panic!("{what} {id}: {}", db::describe(&e)));
        assert_eq!(rows, 1, "{what} {id}");
        done.push(id);
        after += usize::from(migrated.load(Ordering::Relaxed));
        if after >= AFTER {
            return done;
        }
        tokio::time::sleep(Duration::from_millis(4)).await;
    }
    assert!(after > 0, "{what}: nothing was left to do after the migration");
    done
}
