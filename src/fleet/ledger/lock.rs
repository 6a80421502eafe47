//! One of the fleet does it: a lock that belongs to a session, one a schema.

use crate::db::{Pool, describe};
use deadpool_postgres::{ClientWrapper, Object};
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::Client;

const TRY_LOCK: &str = "select pg_try_advisory_lock(hashtext($1), hashtext(current_schema()))";

/// A session that holds the lock of this name, taken out of the pool: the lock, also one whose answer comes after the
/// deadline, ends with it. None: another process holds it. Processes of different versions must agree on the name.
///
/// # Errors
/// When the database fails, or gives no answer in time.
pub(in crate::fleet) async fn locked_session(
    pool: &Pool,
    name: &str,
    deadline: Duration,
) -> Result<Option<ClientWrapper>, String> {
    let connection = pool.get().await.map_err(|e| e.to_string())?;
    let client: &Client = &connection;
    let answer = timeout(deadline, client.query_one(TRY_LOCK, &[&name])).await;
    if matches!(&answer, Ok(Ok(row)) if !row.get::<_, bool>(0)) {
        return Ok(None);
    }
    let session = Object::take(connection);
    answer.map_err(|_| "the database gave no answer in time")?.map_err(|e| describe(&e))?;
    Ok(Some(session))
}
