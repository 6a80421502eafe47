//! Lists, paged by key: a page costs the same at the millionth row as at the first.

use super::{
    super::super::job::{JobId, Status},
    rows::{DeadRow, JOB_COLUMNS, JobRow},
};
use jiff::Timestamp;
use serde::Serialize;
use std::{fmt, str::FromStr};
use tokio_postgres::{Error, GenericClient};

/// Rows of one page, at most.
pub const PAGE_MAX: i64 = 500;

/// Some rows, and where to go on.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Page<T, K> {
    /// The rows, newest first.
    pub items: Vec<T>,
    /// Give it as `before` for the next page; none: this was the last one.
    pub next: Option<K>,
}

impl<T, K> Page<T, K> {
    /// `rows` may hold one row more than the page: the proof that there is another one.
    pub fn of(mut rows: Vec<T>, limit: i64, key: impl Fn(&T) -> K) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(key) } else { None };
        Self { items: rows, next }
    }
}

/// Which jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// In this state.
    pub status: Option<Status>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Of this lane.
    pub lane: Option<String>,
    /// Older than this one.
    pub before: Option<JobId>,
}

/// Jobs, newest first. `limit` is clamped to 1..=[`PAGE_MAX`].
///
/// # Errors
/// When the database fails, or a rare filter over a long history exceeds the statement's deadline.
pub async fn jobs<C: GenericClient + Sync>(
    client: &C,
    filter: &JobFilter,
    limit: i64,
) -> Result<Page<JobRow, JobId>, Error> {
    let limit = limit.clamp(1, PAGE_MAX);
    // Lets the planner use the small indexes of failed rows and of dead letters.
    let narrow = match filter.status {
        Some(Status::Failed) => "and j.failed_at is not null",
        Some(Status::DeadLetter) => "and j.dead_published_gen is not null",
        _ => "",
    };
    let query = format!(
        "select {JOB_COLUMNS} from jobs j where ($1::bigint is null or j.id < $1) \
         and ($2::text is null or j.status = $2::text::job_status) and ($3::text is null or j.kind = $3) \
         and ($4::text is null or j.lane = $4) {narrow} order by j.id desc limit $5"
    );
    let status = filter.status.map(Status::as_str);
    let before = filter.before.map(|id| id.0);
    let rows = client.query(&query, &[&before, &status, &filter.kind, &filter.lane, &(limit + 1)]).await?;
    Ok(Page::of(rows.iter().map(JobRow::read).collect(), limit, |job| job.id))
}

/// A place in the list of dead letters: when, and which. As text `<microseconds since 1970>-<id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    at: Timestamp,
    id: JobId,
}

/// Text that is no cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a page: give the `next` of the page before")]
pub struct CursorError(String);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at.as_microsecond(), self.id)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let parse = || {
            let (at, id) = text.split_once('-')?;
            Some(Self { at: Timestamp::from_microsecond(at.parse().ok()?).ok()?, id: JobId(id.parse().ok()?) })
        };
        parse().ok_or_else(|| CursorError(text.chars().take(40).collect()))
    }
}

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

const DEAD: &str = "\
select id, epoch, kind, lane, failed_at, failures, losses, round, error_class, last_error, \
       dead_published_gen > 0 and dead_published_gen = (select generation from broker_state)
from jobs
where failed_at is not null and status = 'dead_letter' and ($1::timestamptz is null or (failed_at, id) < ($1, $2::bigint))
order by failed_at desc, id desc limit $3";

/// Dead letters, newest first. `limit` is clamped to 1..=[`PAGE_MAX`].
///
/// # Errors
/// When the database fails.
pub async fn dead_letters<C: GenericClient + Sync>(
    client: &C,
    before: Option<Cursor>,
    limit: i64,
) -> Result<Page<DeadRow, Cursor>, Error> {
    let limit = limit.clamp(1, PAGE_MAX);
    let (at, id) = before.map(|cursor| (cursor.at, cursor.id.0)).unzip();
    let rows = client.query(DEAD, &[&at, &id, &(limit + 1)]).await?;
    let read = |row: &tokio_postgres::Row| DeadRow {
        id: JobId(row.get(0)),
        epoch: row.get(1),
        kind: row.get(2),
        lane: row.get(3),
        failed_at: row.get(4),
        failures: row.get(5),
        losses: row.get(6),
        round: row.get(7),
        error_class: row.get(8),
        last_error: row.get(9),
        in_broker: row.get(10),
    };
    Ok(Page::of(rows.iter().map(read).collect(), limit, |dead| Cursor { at: dead.failed_at, id: dead.id }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_round_trips_and_anything_else_is_refused() {
        let cursor = Cursor { at: Timestamp::from_microsecond(1_700_000_000_123_456).expect("valid"), id: JobId(42) };
        assert_eq!(cursor.to_string(), "1700000000123456-42");
        assert_eq!("1700000000123456-42".parse(), Ok(cursor));
        for text in ["", "-", "1", "a-1", "1-b", "99999999999999999999-1", "9223372036854775807-1"] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError(text.to_owned())));
        }
    }

    #[test]
    fn the_last_page_has_no_next() {
        assert_eq!(Page::of(vec![3, 2, 1], 2, |n| *n), Page { items: vec![3, 2], next: Some(2) });
        assert_eq!(Page::of(vec![3, 2], 2, |n| *n), Page { items: vec![3, 2], next: None });
        assert_eq!(Page::of(Vec::<i32>::new(), 2, |n| *n), Page { items: vec![], next: None });
    }
}
