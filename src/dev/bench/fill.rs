//! Fills the table on the server: ten million rows in minutes.

use super::{
    jobs::TEXT,
    kinds::{Noop, Sleep},
    spec::{BenchError, BenchSpec, Step},
};
use crate::fleet::handler::Handler;
use std::time::Duration;
use tokio_postgres::Client;

/// Rows of a statement: a second or two.
const CHUNK: u64 = 100_000;

/// What every row has: $1 kind, $2 lanes, $3 milliseconds, $4 priority, $5 and $6 the numbers of the rows.
const COLUMNS: &str = "kind, lane, args, priority, base_priority";
const VALUES: &str = "$1::text, ($2::text[])[1 + n % cardinality($2::text[])], \
                      jsonb_build_object('ms', $3::bigint, 'fails', false, 'text', left(repeat(md5(n::text), 6), $7::int)), \
                      $4::smallint, $4::smallint";
const ROWS: &str = "from generate_series($5::bigint, $6::bigint) n";

/// Jobs that wait, of this priority.
pub(super) async fn pending(
    client: &Client,
    (spec, step): (&BenchSpec, Step<'_>),
    (count, work, priority): (u64, Duration, i16),
) -> Result<(), BenchError> {
    let sql = format!("insert into jobs ({COLUMNS}) select {VALUES} {ROWS}");
    insert(client, &sql, (spec, step), (count, work, priority)).await
}

/// Jobs that are completed: the rows look like those that a fleet leaves, dead tuples apart. The guard lets no job begin
/// at its end, so it looks away meanwhile.
pub(super) async fn completed(
    client: &Client,
    (spec, step): (&BenchSpec, Step<'_>),
    count: u64,
) -> Result<(), BenchError> {
    let sql = format!(
        "insert into jobs ({COLUMNS}, status, epoch, queued_at, started_at, finished_at, message_id, worker_id, output) \
         select {VALUES}, 'completed', 3, now(), now(), now(), n, 1, 'null' {ROWS}"
    );
    client.batch_execute("alter table jobs disable trigger job_guard_insert").await?;
    insert(client, &sql, (spec, step), (count, Duration::ZERO, 100)).await?;
    client.batch_execute("alter table jobs enable trigger job_guard_insert").await?;
    Ok(())
}

/// What autovacuum has done to a table that was filled in days: statistics, and pages that are known to be visible.
pub(super) async fn settle(client: &Client) -> Result<(), BenchError> {
    Ok(client.batch_execute("vacuum analyze jobs").await?)
}

async fn insert(
    client: &Client,
    sql: &str,
    (spec, step): (&BenchSpec, Step<'_>),
    (count, work, priority): (u64, Duration, i16),
) -> Result<(), BenchError> {
    let kind = if work.is_zero() { Noop::KIND } else { Sleep::KIND };
    let number = |value| i64::try_from(value).unwrap_or(i64::MAX);
    let (lanes, ms) = (spec.lanes(), i64::try_from(work.as_millis()).unwrap_or(i64::MAX));
    let text = i32::try_from(TEXT).unwrap_or(i32::MAX);
    let statement = client.prepare(sql).await?;
    let mut done: u64 = 0;
    while done < count {
        let last = count.min(done + CHUNK);
        let (from, to) = (number(done + 1), number(last));
        client.execute(&statement, &[&kind, &lanes, &ms, &priority, &from, &to, &text]).await?;
        done = last;
        step.tell(done);
    }
    Ok(())
}
