//! One job and its story.

use super::{
    super::super::job::{JobId, WorkerId},
    rows::{AttemptRow, EventRow, JOB_COLUMNS, JobDetail, JobRow},
};
use serde_json::Value;
use tokio_postgres::{Error, GenericClient};

/// Attempts and events of one answer: a job that was requeued for years has many.
pub const HISTORY_MAX: i64 = 200;

const HISTORY: &str = "\
select epoch, round, attempt, worker_id, started_at, ended_at, outcome, error_class, error
from job_history where job_id = $1 order by epoch desc limit $2";

const EVENTS: &str = "\
select at, epoch, event, actor, detail from job_events where job_id = $1 order by id desc limit $2";

/// The job, its attempts and its events; none when there is no such row.
///
/// # Errors
/// When the database fails.
pub async fn job_detail<C: GenericClient + Sync>(client: &C, id: JobId) -> Result<Option<JobDetail>, Error> {
    let query = format!(
        "select {JOB_COLUMNS}, j.args::text as args, j.args_version, j.output::text as output from jobs j where j.id = $1"
    );
    let Some(row) = client.query_opt(&query, &[&id.0]).await? else { return Ok(None) };
    let history = client.query(HISTORY, &[&id.0, &HISTORY_MAX]).await?;
    let events = client.query(EVENTS, &[&id.0, &HISTORY_MAX]).await?;
    let attempt = |row: &tokio_postgres::Row| AttemptRow {
        epoch: row.get(0),
        round: row.get(1),
        attempt: row.get(2),
        worker_id: row.get::<_, Option<i64>>(3).map(WorkerId),
        started_at: row.get(4),
        ended_at: row.get(5),
        outcome: row.get(6),
        error_class: row.get(7),
        error: row.get(8),
    };
    let event = |row: &tokio_postgres::Row| EventRow {
        at: row.get(0),
        epoch: row.get(1),
        event: row.get(2),
        actor: row.get(3),
        detail: row.get(4),
    };
    Ok(Some(JobDetail {
        job: JobRow::read(&row),
        args: json(row.get("args")),
        args_version: row.get("args_version"),
        output: row.get::<_, Option<String>>("output").map(json),
        history: history.iter().map(attempt).collect(),
        events: events.iter().map(event).collect(),
    }))
}

/// The database takes deeper JSON and larger numbers than we can read: such a value is shown as text.
fn json(text: String) -> Value {
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}
