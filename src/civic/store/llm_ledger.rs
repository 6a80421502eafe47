//! What was asked of models, and what it cost. Never changed.

use crate::{civic::llm::Call, db::Statements, fleet::job::JobId};
use tokio_postgres::Error;

/// A call, and for whom it was made.
#[derive(Clone, Copy, Debug)]
pub struct Booking<'a> {
    /// The job.
    pub job: Option<JobId>,
    /// The city's short name; none: unknown.
    pub city: Option<&'a str>,
    /// The call.
    pub call: &'a Call,
}

const BOOK: &str = "\
insert into llm_ledger (job_id, city, provider, model, prompt_type, prompt_version, status, tokens_in, tokens_cached, tokens_out,
                        tokens_thought, estimated, cost_micro_usd, duration_ms)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";

/// Books one call.
///
/// # Errors
/// When the database fails.
pub async fn book<C: Statements>(client: &C, booking: Booking<'_>) -> Result<(), Error> {
    let Booking { job, city, call } = booking;
    let count = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let millis = i32::try_from(call.duration.as_millis()).unwrap_or(i32::MAX);
    let cost = i64::try_from(call.cost).unwrap_or(i64::MAX);
    // The table holds to it: no more cached than read.
    let cached = call.usage.cached.min(call.usage.input);
    client
        .execute(
            BOOK,
            &[
                &job.map(|job| job.0),
                &city,
                &call.provider.as_str(),
                &call.model,
                &call.prompt.as_str(),
                &call.prompt_version,
                &call.status.as_str(),
                &count(call.usage.input),
                &count(cached),
                &count(call.usage.output),
                &count(call.usage.thoughts),
                &call.estimated,
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
