//! The rows of circuit breakers: one decision at a time, whoever decides.

use super::operate::OperateError;
use crate::fleet::breaker::state::{Breaker, State};
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::{Client, Error, GenericClient, Row};

/// Longest reason that is kept, in characters.
const REASON_CHARS: usize = 300;

const READ: &str = "select state, failures, failed_at, until, now() from breakers where key = $1";

const LOCK: &str =
    "select state, failures, failed_at, until, clock_timestamp() from breakers where key = $1 for update";

const MAKE: &str = "insert into breakers (key, label) values ($1, $2) on conflict (key) do nothing";

const WRITE: &str = "\
update breakers set state = $2, failures = $3, failed_at = $4, until = $5, reason = coalesce($6, reason),
       changed_at = case when state = $2 then changed_at else now() end
where key = $1";

const LIST: &str = "\
select key, label, state, failures, failed_at, until, changed_at, reason,
       (select count(*) from jobs j where j.hold_key = b.key and j.hold = 'breaker') from breakers b order by key";

/// The breakers that let jobs through, and their jobs: all of a closed one, one of one whose probe is due. Which one is chance:
/// a job that fails by its own fault must not be the probe each time.
pub(super) const LIFT_BREAKERS: &str = "\
with free as (
  select key, case when state = 'closed' then $1::bigint else 1 end as n from breakers where state = 'closed' or until <= now()
), h as (
  select l.tid from free f cross join lateral (
    select j.ctid as tid from jobs j where j.hold_key is not null and j.hold_key = f.key and coalesce(j.hold = 'breaker', false)
    order by case when f.n = 1 then random() end, j.id limit f.n for update skip locked) l
)
update jobs j set hold = null, hold_key = null, hold_until = now() from h where j.ctid = h.tid and j.status = 'pending' returning j.id";

/// What a decision changed.
#[derive(Clone, Debug)]
pub struct Changed<T> {
    /// Whose.
    pub key: String,
    /// The breaker before.
    pub from: Breaker,
    /// The breaker after.
    pub to: Breaker,
    /// What else was decided.
    pub answer: T,
}

/// A breaker as operators see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BreakerRow {
    /// What stands behind it: a vendor, or a host.
    pub key: String,
    /// The label of its metrics.
    pub vendor: String,
    /// `closed`, `open` or `half_open`.
    pub state: String,
    /// Failures since the last success.
    pub failures: i32,
    /// The last of them.
    pub failed_at: Option<Timestamp>,
    /// When an open one lets a probe through, or a probe is given up.
    pub until: Option<Timestamp>,
    /// Since when it is in its state.
    pub changed_at: Timestamp,
    /// What the last failure was.
    pub reason: Option<String>,
    /// Jobs that wait for it.
    pub held_jobs: i64,
}

/// A breaker; none: nothing ever failed behind it.
///
/// # Errors
/// When the database fails.
pub async fn read<C: GenericClient + Sync>(client: &C, key: &str) -> Result<Option<Breaker>, Error> {
    Ok(client.query_opt(READ, &[&key]).await?.map(|row| of(&row)))
}

/// All breakers.
///
/// # Errors
/// When the database fails.
pub async fn list<C: GenericClient + Sync>(client: &C) -> Result<Vec<BreakerRow>, Error> {
    let rows = client.query(LIST, &[]).await?;
    let row = |row: &Row| BreakerRow {
        key: row.get(0),
        vendor: row.get(1),
        state: row.get(2),
        failures: row.get(3),
        failed_at: row.get(4),
        until: row.get(5),
        changed_at: row.get(6),
        reason: row.get(7),
        held_jobs: row.get(8),
    };
    Ok(rows.iter().map(row).collect())
}

/// Decides on a breaker while nobody else can; `now` is the database's clock. A first failure makes the row.
///
/// # Errors
/// When the database fails.
pub async fn change<T>(
    client: &mut Client,
    key: &str,
    label: &str,
    reason: Option<&str>,
    decide: impl FnOnce(Breaker, Timestamp) -> (Breaker, T),
) -> Result<Changed<T>, Error> {
    let tx = client.transaction().await?;
    let mut row = tx.query_opt(LOCK, &[&key]).await?;
    if row.is_none() && reason.is_some() {
        tx.execute(MAKE, &[&key, &label]).await?;
        row = tx.query_opt(LOCK, &[&key]).await?;
    }
    let (from, now) = row.as_ref().map_or_else(|| (Breaker::default(), Timestamp::now()), |row| (of(row), row.get(4)));
    let (to, answer) = decide(from, now);
    if row.is_some() && (from != to || reason.is_some()) {
        let reason = reason.map(|reason| reason.chars().take(REASON_CHARS).collect::<String>());
        tx.execute(WRITE, &[&key, &to.state.as_str(), &to.failures, &to.failed_at, &to.state.until(), &reason]).await?;
    }
    tx.commit().await?;
    Ok(Changed { key: key.to_owned(), from, to, answer })
}

/// What an operator wants of a breaker. None: there is no such breaker, as nothing ever failed behind it.
///
/// # Errors
/// When the database fails.
pub async fn set(
    client: &mut Client,
    key: &str,
    state: impl FnOnce(Timestamp) -> State,
    actor: &str,
) -> Result<Option<Changed<()>>, OperateError> {
    if read(client, key).await?.is_none() {
        return Ok(None);
    }
    let by = format!("by {actor}");
    let changed = change(client, key, "", Some(&by), |breaker, now| match state(now) {
        State::Closed => (Breaker::default(), ()),
        state => (Breaker { state, ..breaker }, ()),
    });
    Ok(Some(changed.await?))
}

/// The schema knows no other names, and no state without its time.
fn of(row: &Row) -> Breaker {
    let until: Option<Timestamp> = row.get(3);
    let state = match (row.get::<_, &str>(0), until) {
        ("open", Some(until)) => State::Open(until),
        ("half_open", Some(until)) => State::HalfOpen(until),
        _ => State::Closed,
    };
    Breaker { state, failures: row.get(1), failed_at: row.get(2) }
}
