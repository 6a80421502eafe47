//! Jobs that could be done along with another.

use crate::{db::Statements, fleet::job::JobId};
use serde_json::Value;
use tokio_postgres::{Error, types::Json};

/// Those after the job first, the nearest of them first: the ones before it are the likelier to be under way. One that waits for
/// a limit has begun once, so that nothing it needs is missing. One that failed goes on alone.
pub(super) const SIBLINGS: &str = "\
select j.args from jobs j
where j.parent_id = $1 and j.kind = $2 and j.id <> $3 and (j.due or j.status = 'queued' or j.hold = 'limit')
  and j.failures = 0 and j.losses = 0
order by j.id < $3, abs(j.id - $3) limit $4";

/// The arguments of other jobs of a kind that have the same parent, have not failed, and wait for nothing but a worker or a
/// limit; `most` at most.
///
/// # Errors
/// When the database fails.
pub async fn siblings<C: Statements>(
    client: &C,
    (parent, job): (JobId, JobId),
    kind: &str,
    most: usize,
) -> Result<Vec<Value>, Error> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = client.query(SIBLINGS, &[&parent.0, &kind, &job.0, &most]).await?;
    Ok(rows.iter().map(|row| row.get::<_, Json<Value>>(0).0).collect())
}
