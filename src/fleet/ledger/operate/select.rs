//! Which jobs an act is about.

use crate::fleet::job::JobId;
use tokio_postgres::{Error, GenericClient};

/// Jobs of one statement: its locks and its write-ahead log stay small.
pub const BATCH: usize = 1000;

/// Most jobs that one selection returns.
pub const SELECT_MAX: i64 = 100_000;

const DEAD_OF_KIND: &str = "\
select id from jobs where failed_at is not null and status = 'dead_letter' and kind = $1 order by failed_at, id limit $2";
const DEAD: &str = "\
select id from jobs where failed_at is not null and status = 'dead_letter' order by failed_at, id limit $1";

/// The dead letters of a kind, oldest first, at most `limit` (clamped to 1..=[`SELECT_MAX`]).
///
/// # Errors
/// When the database fails.
pub async fn dead_of_kind<C: GenericClient + Sync>(client: &C, kind: &str, limit: i64) -> Result<Vec<JobId>, Error> {
    let rows = client.query(DEAD_OF_KIND, &[&kind, &limit.clamp(1, SELECT_MAX)]).await?;
    Ok(rows.iter().map(|row| JobId(row.get(0))).collect())
}

/// All dead letters, oldest first, at most `limit` (clamped to 1..=[`SELECT_MAX`]).
///
/// # Errors
/// When the database fails.
pub async fn dead<C: GenericClient + Sync>(client: &C, limit: i64) -> Result<Vec<JobId>, Error> {
    let rows = client.query(DEAD, &[&limit.clamp(1, SELECT_MAX)]).await?;
    Ok(rows.iter().map(|row| JobId(row.get(0))).collect())
}
