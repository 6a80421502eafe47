//! Putting jobs into the ledger, inside the caller's own transaction: the job exists if, and only if, what it is about
//! does.

use super::job::{JobId, NewJob, NewJobError, Status};
use crate::db::Statements;
use std::collections::HashMap;
use tokio_postgres::{Client, Row, Statement, types::Json};

/// What became of one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// It is in the ledger now.
    New(JobId),
    /// A job with its idempotency key is there already, and was left as it is.
    Existing(JobId, Status),
}

impl Enqueued {
    /// The row, new or not.
    #[must_use]
    pub const fn id(self) -> JobId {
        match self {
            Self::New(id) | Self::Existing(id, _) => id,
        }
    }
}

/// Whether waiting schedulers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notify {
    /// Once a lane and transaction. A commit with a notification takes a lock that all such commits share.
    Yes,
    /// No: for bulk. Schedulers poll each second anyway.
    No,
}

/// Why nothing was enqueued.
#[derive(Debug, thiserror::Error)]
pub enum EnqueueError {
    /// A job is not acceptable; nothing was written.
    #[error(transparent)]
    Job(#[from] NewJobError),
    /// The database refused or is away.
    #[error("can't enqueue: {}", crate::db::describe(.0))]
    Database(#[from] tokio_postgres::Error),
    /// The row with this key went away while it was looked up; nothing is wrong with trying again.
    #[error("the job with key {0:?} is being deleted: try again")]
    Vanished(String),
}

/// Jobs of one INSERT: more are split.
const CHUNK: usize = 5_000;

pub(super) const INSERT: &str = "\
insert into jobs (kind, lane, args, args_version, priority, base_priority, idempotency_key, hold, hold_until, parent_id, \
                  max_attempts, trace_id, open_children, failed_children)
select kind, lane, args, version, prio, prio, key,
       case when waits then 'children'::job_hold when at > now() then 'scheduled'::job_hold end,
       case when not waits and at > now() then at end, parent, attempts, trace,
       case when waits then 0 end, case when waits then 0 end
from unnest($1::text[], $2::text[], $3::jsonb[], $4::smallint[], $5::smallint[], $6::text[], $7::timestamptz[], $8::bigint[],
            $9::smallint[], $10::uuid[], $11::boolean[])
  with ordinality u(kind, lane, args, version, prio, key, at, parent, attempts, trace, waits, n)
order by n
on conflict (idempotency_key) where idempotency_key is not null do nothing
returning id, idempotency_key";

pub(super) const FOUND: &str = "select id, idempotency_key, status::text from jobs where idempotency_key = any($1)";

/// A parent counts the children that it got, if it still waits; children of one that has gone on are counted already.
/// Written as the ends of children are, for the same reasons: rows one by one through their keys (`lateral`), conditions
/// where the planner can't take them for a way to find the row, locks in the order of the ids.
pub(super) const COUNT: &str = "\
with c as materialized (
  select j.id, j.parent_id from unnest($1::bigint[]) u(id)
  cross join lateral (select j.id, j.parent_id from jobs j where j.id = u.id offset 0) j where j.parent_id is not null
), n as materialized (
  select parent_id as id, count(*)::int as n from c group by 1 order by 1
), w as materialized (
  select n.* from n cross join lateral (
    select 1 from jobs p where p.id = n.id and coalesce(p.status = 'pending' and (p.hold is null or p.hold = 'children'), false)
    for no key update) p
), p as (
  update jobs p set open_children = coalesce(p.open_children, 0) + w.n, failed_children = coalesce(p.failed_children, 0),
    hold = 'children', hold_until = null
  from w where p.id = w.id returning p.id
)
update jobs j set counted = true from c where j.id = c.id and c.parent_id not in (select id from p)";

pub(super) const IS_PENDING: &str = "select status = 'pending' from jobs where id = $1 for share";

pub(super) const NOTIFY: &str = "select pg_notify('docket_' || current_schema(), lane) from unnest($1::text[]) lane";

/// Enqueues jobs, in their order. `client` is the caller's transaction (or a plain connection).
///
/// # Errors
/// When a job is not acceptable, or the database fails. The caller's transaction decides what stays.
pub async fn enqueue<C: Statements>(
    client: &C,
    jobs: &[NewJob],
    notify: Notify,
) -> Result<Vec<Enqueued>, EnqueueError> {
    for job in jobs {
        job.check()?;
    }
    let mut all = Vec::with_capacity(jobs.len());
    for chunk in jobs.chunks(CHUNK) {
        all.extend(insert(client, chunk).await?);
    }
    if notify == Notify::Yes && !jobs.is_empty() {
        client.execute(NOTIFY, &[&lanes(jobs)]).await?;
    }
    Ok(all)
}

/// The lanes of these jobs, each once.
pub(super) fn lanes(jobs: &[NewJob]) -> Vec<&str> {
    let mut lanes: Vec<&str> = jobs.iter().map(|job| job.lane.as_str()).collect();
    lanes.sort_unstable();
    lanes.dedup();
    lanes
}

/// Whether a parent has not begun yet, so that it will see what the caller's transaction writes: it can't begin before
/// that ends.
///
/// # Errors
/// When the database fails.
pub async fn will_begin<C: Statements>(client: &C, parent: JobId) -> Result<bool, tokio_postgres::Error> {
    let row = client.query_opt(IS_PENDING, &[&parent.0]).await?;
    Ok(row.is_some_and(|row| row.get(0)))
}

/// Enqueues one job, and tells the schedulers.
///
/// # Errors
/// As [`enqueue`].
pub async fn enqueue_one<C: Statements>(client: &C, job: NewJob) -> Result<Enqueued, EnqueueError> {
    let enqueued = enqueue(client, &[job], Notify::Yes).await?;
    Ok(*enqueued.first().expect("one job in, one answer out"))
}

async fn insert<C: Statements>(client: &C, jobs: &[NewJob]) -> Result<Vec<Enqueued>, EnqueueError> {
    let rows = insert_rows(client.connection(), &client.statement(INSERT).await?, jobs).await?;
    if jobs.iter().any(|job| job.parent.is_some()) && !rows.is_empty() {
        let ids: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        client.execute(COUNT, &[&ids]).await?;
    }
    let settled = settle(client, jobs, &rows).await?;
    let vanished = |job: &NewJob| EnqueueError::Vanished(job.idempotency_key.clone().unwrap_or_default());
    settled.into_iter().zip(jobs).map(|(enqueued, job)| enqueued.ok_or_else(|| vanished(job))).collect()
}

/// Runs [`INSERT`]: the rows that are new.
pub(super) async fn insert_rows(
    client: &Client,
    insert: &Statement,
    jobs: &[NewJob],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let kinds: Vec<&str> = jobs.iter().map(|j| j.kind.as_str()).collect();
    let lanes: Vec<&str> = jobs.iter().map(|j| j.lane.as_str()).collect();
    let args: Vec<Json<&serde_json::Value>> = jobs.iter().map(|j| Json(&j.args)).collect();
    let versions: Vec<i16> = jobs.iter().map(|j| j.args_version).collect();
    let priorities: Vec<i16> = jobs.iter().map(|j| j.priority).collect();
    let keys: Vec<Option<&str>> = jobs.iter().map(|j| j.idempotency_key.as_deref()).collect();
    let times: Vec<Option<jiff::Timestamp>> = jobs.iter().map(|j| j.run_at).collect();
    let parents: Vec<Option<i64>> = jobs.iter().map(|j| j.parent.map(|p| p.0)).collect();
    let attempts: Vec<i16> = jobs.iter().map(|j| j.max_attempts).collect();
    let traces: Vec<Option<uuid::Uuid>> = jobs.iter().map(|j| j.trace_id).collect();
    let waits: Vec<bool> = jobs.iter().map(|j| j.waits_for_children).collect();
    client
        .query(
            insert,
            &[&kinds, &lanes, &args, &versions, &priorities, &keys, &times, &parents, &attempts, &traces, &waits],
        )
        .await
}

/// What became of each job, in their order, once `rows` are new. None: a row with its key was there, and is gone.
pub(super) async fn settle<C: Statements>(
    client: &C,
    jobs: &[NewJob],
    rows: &[Row],
) -> Result<Vec<Option<Enqueued>>, tokio_postgres::Error> {
    let new: HashMap<String, JobId> =
        rows.iter().filter_map(|row| Some((row.get::<_, Option<String>>(1)?, JobId(row.get(0))))).collect();
    let keys = jobs.iter().filter_map(|job| job.idempotency_key.as_deref());
    let known: Vec<&str> = keys.filter(|key| !new.contains_key(*key)).collect();
    let existing = if known.is_empty() { HashMap::new() } else { find(client, &known).await? };
    Ok(in_order(jobs, rows, new, &existing))
}

async fn find<C: Statements>(
    client: &C,
    keys: &[&str],
) -> Result<HashMap<String, (JobId, Status)>, tokio_postgres::Error> {
    let rows = client.query(FOUND, &[&keys]).await?;
    let parse = |text: String| text.parse().unwrap_or(Status::Pending);
    Ok(rows.iter().map(|row| (row.get(1), (JobId(row.get(0)), parse(row.get(2))))).collect())
}

/// RETURNING keeps the order of the rows that were inserted, so those without a key are the next ids in turn.
fn in_order(
    jobs: &[NewJob],
    rows: &[Row],
    mut new: HashMap<String, JobId>,
    existing: &HashMap<String, (JobId, Status)>,
) -> Vec<Option<Enqueued>> {
    let mut keyless = rows.iter().filter(|row| row.get::<_, Option<String>>(1).is_none()).map(|row| JobId(row.get(0)));
    let mut seen: HashMap<&str, JobId> = HashMap::new();
    jobs.iter()
        .map(|job| {
            let Some(key) = job.idempotency_key.as_deref() else {
                return Some(Enqueued::New(keyless.next().expect("a job without a key is always inserted")));
            };
            if let Some(id) = new.remove(key) {
                seen.insert(key, id);
                return Some(Enqueued::New(id));
            }
            if let Some(&id) = seen.get(key) {
                return Some(Enqueued::Existing(id, Status::Pending));
            }
            existing.get(key).map(|&(id, status)| Enqueued::Existing(id, status))
        })
        .collect()
}
