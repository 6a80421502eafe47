//! One job, in full.

use super::{
    exit::{Failure, Outcome},
    output,
};
use crate::fleet::{
    job::JobId,
    ledger::read::{JobDetail, job_detail},
};
use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::Client;

/// The job, or a usage error.
pub(super) async fn find(client: &Client, id: i64) -> Result<JobDetail, Failure> {
    let gone = || {
        Failure::usage(format!("there is no job {id}: it never was, or its retention is over; see docket jobs list"))
    };
    job_detail(client, JobId(id)).await?.ok_or_else(gone)
}

/// All of it: one line of JSON, or tables.
pub(super) fn show(detail: &JobDetail, json: bool) -> Outcome {
    if json {
        return output::json(detail);
    }
    output::table(["field", "value"], fields(detail)?)?;
    if !detail.history.is_empty() {
        let rows = detail.history.iter().map(|a| {
            let attempt = format!("{}.{}", a.round, a.attempt);
            [
                attempt,
                time(a.started_at),
                time(a.ended_at),
                a.outcome.clone(),
                opt(a.error_class.clone()),
                opt(a.error.clone()),
            ]
        });
        output::table(["attempt", "from", "to", "outcome", "class", "error"], rows)?;
    }
    if !detail.events.is_empty() {
        let rows = detail.events.iter().map(|e| {
            [time(Some(e.at)), e.event.clone(), opt(e.actor.clone()), opt(e.detail.as_ref().map(Value::to_string))]
        });
        output::table(["at", "event", "actor", "detail"], rows)?;
    }
    Ok(())
}

/// What a person looks for; the rest follows by name.
const FIRST: &[&str] =
    &["id", "kind", "lane", "status", "hold", "hold_until", "error_class", "last_error", "args", "output"];

/// The row's own fields; those without a value would only be noise.
fn fields(detail: &JobDetail) -> Result<Vec<[String; 2]>, Failure> {
    let Value::Object(object) = serde_json::to_value(detail).map_err(Failure::internal)? else {
        return Err(Failure::internal("a job is no JSON object"));
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let told = |name: &str, value: &Value| !value.is_null() && name != "history" && name != "events";
    let mut fields: Vec<_> = object.iter().filter(|(name, value)| told(name, value)).collect();
    fields.sort_by_key(|(name, _)| FIRST.iter().position(|first| first == name).unwrap_or(FIRST.len()));
    Ok(fields.into_iter().map(|(name, value)| [name.clone(), text(value)]).collect())
}

/// A time in a table, to the second.
pub(super) fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

/// A cell that may be empty.
pub(super) fn opt(text: Option<String>) -> String {
    text.unwrap_or_default()
}
