//! How many jobs wait, by kind: what the limits of the API are compared with.

use std::collections::HashMap;
use tokio_postgres::{Error, GenericClient};

/// No index knows kinds, so this reads the rows; $1 bounds how many. Both parts have an index that holds nothing else,
/// and with the engine's settings the planner takes it.
const PENDING: &str = "\
select kind, count(*), sum(count(*)) over ()::bigint from (
  (select kind from jobs where due limit $1) union all (select kind from jobs where hold is not null limit $1)) p
group by kind";

/// Runnable and held jobs by kind. True: there are `most` or more, and not all were counted.
///
/// # Errors
/// When the database fails.
pub async fn pending_by_kind<C: GenericClient + Sync>(
    client: &C,
    most: i64,
) -> Result<(HashMap<String, u64>, bool), Error> {
    let rows = client.query(PENDING, &[&most]).await?;
    let is_full = rows.first().is_some_and(|row| row.get::<_, i64>(2) >= most);
    Ok((rows.iter().map(|row| (row.get(0), row.get::<_, i64>(1).unsigned_abs())).collect(), is_full))
}
