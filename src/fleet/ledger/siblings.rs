//! Jobs that could be done along with another.

use crate::{db::Statements, fleet::job::JobId};
use serde_json::Value;
use tokio_postgres::{Error, types::Json};

/// Those after the job first: the ones before it are the likelier to be under way.
pub(super) const SIBLINGS: &str = "\
select j.args from jobs j
where j.parent_id = $1 and j.kind = $2 and j.id <> $3 and (j.due or j.status = 'queued') order by j.id < $3, j.id limit $4";

/// The arguments of other jobs of a kind that have the same parent and wait for nothing but a worker, `most` at most.
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
