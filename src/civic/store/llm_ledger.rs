//! What was asked of models, and what it cost. Never changed.

use crate::{civic::llm::Call, db::Statements, fleet::job::JobId};
use tokio_postgres::Error;

/// Books one call.
///
/// # Errors
/// When the database fails.
pub async fn book<C: Statements>(client: &C, job: Option<JobId>, call: &Call) -> Result<(), Error> {
    let count = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let millis = i32::try_from(call.duration.as_millis()).unwrap_or(i32::MAX);
    let cost = i64::try_from(call.cost).unwrap_or(i64::MAX);
    let sql = "insert into llm_ledger (job_id, model, prompt_type, status, tokens_in, tokens_cached, tokens_out, \
               cost_micro_usd, duration_ms) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    client
        .execute(
            sql,
            &[
                &job.map(|job| job.0),
                &call.model,
                &call.prompt.as_str(),
                &call.status.as_str(),
                &count(call.usage.input),
                &count(call.usage.cached),
                &count(call.usage.output),
                &cost,
                &millis,
            ],
        )
        .await
        .map(drop)
}

/// What all calls together cost, in micro-dollars.
///
/// # Errors
/// When the database fails.
pub async fn total<C: Statements>(client: &C) -> Result<i64, Error> {
    let row = client.query_one("select coalesce(sum(cost_micro_usd), 0)::bigint from llm_ledger", &[]).await?;
    Ok(row.get(0))
}
