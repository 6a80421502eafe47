//! A ledger with a history and a backlog, whose statistics know only the history.

use std::ops::Range;
use tokio_postgres::Client;

pub(super) const FAILED: Range<i64> = 49_000..49_500;
pub(super) const DEAD: Range<i64> = 49_500..50_000;
/// Due, with the idempotency key `key ID`.
pub(super) const KEYED: Range<i64> = 50_000..70_000;
pub(super) const QUEUED: Range<i64> = 70_000..74_000;
pub(super) const PROCESSING: Range<i64> = 74_000..78_000;
pub(super) const REQUEUED: Range<i64> = 88_000..89_000;
/// The message of a job in flight is its id and this.
pub(super) const MESSAGES: i64 = 1_000_000;
/// It holds the first thousand jobs in processing.
pub(super) const WORKER: i64 = 7;

/// Disables the guard: rows are born in any state here. Autovacuum stays away, or it would mend the statistics.
const BEFORE: &str = "
alter table jobs disable trigger user;
alter table jobs set (autovacuum_enabled = off);
alter table job_messages set (autovacuum_enabled = off);
insert into jobs (id, kind, status, epoch, message_id, worker_id, queued_at, started_at, finished_at, failed_at, dead_published_gen)
overriding system value
select n, 'plain', s, 3, n, 1, now(), now(), now(), case when s <> 'completed' then now() end, case when s = 'dead_letter' then n % 2 end
from (select n, case when n < 49000 then 'completed' when n < 49500 then 'failed' else 'dead_letter' end::job_status as s
      from generate_series(0, 49999) n) t;
analyze jobs; analyze job_messages; analyze job_events; analyze job_attempts;";

/// 20,000 due; 4,000 queued; 4,000 in processing, each the child of one of 4,000 parents that wait; 6,000 held by time
/// or key; 1,000 requeued.
const AFTER: &str = "
insert into jobs (id, kind, priority, losses, idempotency_key) overriding system value
select n, 'plain', (n % 6) * 40, case when n % 200 = 0 then 2 else 0 end, 'key ' || n from generate_series(50000, 69999) n;
insert into jobs (id, kind, status, epoch, message_id, queued_at) overriding system value
select n, 'plain', 'queued', 1, 1000000 + n, now() from generate_series(70000, 73999) n;
insert into jobs (id, kind, status, epoch, message_id, worker_id, queued_at, started_at, parent_id) overriding system value
select n, 'plain', 'processing', 2, 1000000 + n, case when n < 75000 then 7 else 9 end, now(), now(), n + 4000
from generate_series(74000, 77999) n;
insert into jobs (id, kind, hold, open_children, failed_children) overriding system value
select n, 'parent', 'children', case when n % 40 = 0 then 0 else 1 end, 0 from generate_series(78000, 81999) n;
insert into jobs (id, kind, hold, hold_until) overriding system value
select n, 'plain', 'retry', now() + (n - 83500) * interval '1 s' from generate_series(82000, 84999) n;
insert into jobs (id, kind, hold, hold_key) overriding system value
select n, 'plain', 'paused', 'plain' from generate_series(85000, 87999) n;
insert into jobs (id, kind, epoch, requeued_from, round) overriding system value
select n, 'other', 4, 'failed', 1 from generate_series(88000, 88999) n;
insert into job_events (job_id, epoch, event, detail)
select n, 4, 'requeued', '{\"failures\": 3, \"losses\": 0, \"priority\": 40}' from generate_series(88000, 88999) n;
insert into job_messages (id, lane, kind, band, broker_gen, worker_id, jobs)
select message_id, lane, kind, 1, 1, worker_id, array[id] from jobs where status in ('queued', 'processing');
alter table jobs enable trigger user;";

/// Fills an empty ledger.
pub(super) async fn fill(client: &Client) {
    client.batch_execute(BEFORE).await.unwrap();
    client.batch_execute(AFTER).await.unwrap();
}
