//! One migration of a schema at a time.

use super::{
    error::MigrateError,
    patience::{Patience, pause},
    up::Tell,
};
use std::time::Duration;
use tokio_postgres::Client;

/// One number a schema. Lives as long as its connection.
const TRY: &str = "select pg_try_advisory_lock(hashtext('docket.migrate'), hashtext(current_schema()))";
const UNLOCK: &str = "select pg_advisory_unlock(hashtext('docket.migrate'), hashtext(current_schema()))";
const HOLDER: &str = "select coalesce(max(pid), 0) from pg_locks where locktype = 'advisory' and granted \
    and classid = hashtext('docket.migrate')::oid and objid = hashtext(current_schema())::oid \
    and database = (select oid from pg_database where datname = current_database())";

/// How often somebody waits before he says so.
const SILENT: u32 = 5;
/// About an hour: longer than any build of an index that was worth waiting for.
const TRIES: u32 = 4000;

/// Takes the lock. It is asked for and not waited for: a statement that waits is a transaction that the concurrent build
/// of an index waits for, and both would stand still.
pub(super) async fn acquire(client: &Client, tell: &Tell<'_>) -> Result<(), MigrateError> {
    for attempt in 0..TRIES {
        if client.query_one(TRY, &[]).await.map_err(MigrateError::of)?.get(0) {
            return Ok(());
        }
        if attempt == SILENT {
            let holder: i32 = client.query_one(HOLDER, &[]).await.map_err(MigrateError::of)?.get(0);
            tell(&format!("another migration of this schema runs (server process {holder}), waiting for it"));
        }
        pause(if attempt < SILENT { Duration::from_millis(50) } else { Duration::from_millis(900) }).await;
    }
    Err(MigrateError::Locked(Patience::holders(client).await))
}

/// Gives it back. A connection that ends does the same.
pub(super) async fn release(client: &Client) -> Result<(), MigrateError> {
    client.query_one(UNLOCK, &[]).await.map(drop).map_err(MigrateError::of)
}
