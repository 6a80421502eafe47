//! Pausing a kind: its due jobs are held by the scheduler, its running ones end as they would.

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::GenericClient;

/// Longest name of a kind or an actor.
pub const NAME_MAX_BYTES: usize = 512;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum OperateError {
    /// Not a name.
    #[error("{name:?} is not a {what}: 1 to {NAME_MAX_BYTES} bytes, no control characters")]
    Name {
        /// Kind or lane.
        what: &'static str,
        /// Its beginning.
        name: String,
    },
    /// The database refused or is away.
    #[error("{}", crate::db::describe(.0))]
    Database(#[from] tokio_postgres::Error),
}

/// A kind that is paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PausedKind {
    /// Its name.
    pub kind: String,
    /// Since when.
    pub paused_at: Timestamp,
    /// By whom.
    pub actor: Option<String>,
}

const PAUSE: &str = "\
with x as (insert into paused_kinds (kind, actor) values ($1, $2) on conflict (kind) do nothing returning kind)
select pg_notify('docket_' || current_schema(), 'pause:' || kind) from x";

const RESUME: &str = "\
with x as (delete from paused_kinds where kind = $1 returning kind)
select pg_notify('docket_' || current_schema(), 'resume:' || kind) from x";

/// What PostgreSQL, or a log, would take less kindly.
pub(super) fn check(what: &'static str, name: &str) -> Result<(), OperateError> {
    if name.is_empty() || name.len() > NAME_MAX_BYTES || name.chars().any(char::is_control) {
        return Err(OperateError::Name { what, name: name.chars().take(60).collect() });
    }
    Ok(())
}

/// Pauses a kind, also one that no worker knows yet. False: it was paused already.
///
/// # Errors
/// When the name is none, or the database fails.
pub async fn pause_kind<C: GenericClient + Sync>(client: &C, kind: &str, actor: &str) -> Result<bool, OperateError> {
    check("kind", kind)?;
    Ok(client.query_opt(PAUSE, &[&kind, &actor]).await?.is_some())
}

/// Resumes a kind; the scheduler's sweep frees its jobs. False: it was not paused.
///
/// # Errors
/// When the database fails.
pub async fn resume_kind<C: GenericClient + Sync>(client: &C, kind: &str) -> Result<bool, OperateError> {
    Ok(client.query_opt(RESUME, &[&kind]).await?.is_some())
}

/// The paused kinds, by name.
///
/// # Errors
/// When the database fails.
pub async fn paused<C: GenericClient + Sync>(client: &C) -> Result<Vec<PausedKind>, OperateError> {
    let rows = client.query("select kind, paused_at, actor from paused_kinds order by kind", &[]).await?;
    Ok(rows.iter().map(|row| PausedKind { kind: row.get(0), paused_at: row.get(1), actor: row.get(2) }).collect())
}
