//! `GET /api/jobs` and `GET /api/jobs/{id}`.

use super::database::{Database, client};
use crate::{
    fleet::{
        job::{JobId, Status},
        ledger::read::{self, JobDetail, JobFilter, JobRow, PAGE_MAX, Page},
    },
    http::Problem,
};
use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
};
use serde::Deserialize;

const DEFAULT_LIMIT: i64 = 50;
const HINT: &str = "parameters: status, kind, lane, limit (1 to 500), before (the id of a job)";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    status: Option<String>,
    kind: Option<String>,
    lane: Option<String>,
    limit: Option<i64>,
    before: Option<i64>,
}

pub(super) async fn list(
    State(database): State<Database>,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Json<Page<JobRow, JobId>>, Problem> {
    let Query(params) = params.map_err(|e| Problem::bad_request(e.body_text(), HINT))?;
    let status = params.status.map(|word| word.parse::<Status>()).transpose();
    let filter = JobFilter {
        status: status.map_err(|e| Problem::bad_request(e.to_string(), HINT))?,
        kind: text(params.kind)?,
        lane: text(params.lane)?,
        before: params.before.map(JobId),
    };
    let limit = limit(params.limit)?;
    let read = async move |connection: deadpool_postgres::Object| read::jobs(client(&connection), &filter, limit).await;
    database.ask("api.jobs", read).await.map(Json)
}

pub(super) async fn show(
    State(database): State<Database>,
    id: Result<Path<i64>, PathRejection>,
) -> Result<Json<JobDetail>, Problem> {
    let Path(id) = id.map_err(|_| Problem::bad_request("the id of a job is a whole number", "see /api/jobs"))?;
    let read =
        async move |connection: deadpool_postgres::Object| read::job_detail(client(&connection), JobId(id)).await;
    let found = database.ask("api.job", read).await?;
    let gone = || Problem::not_found(format!("there is no job {id}"), "it never was, or its retention is over");
    found.map(Json).ok_or_else(gone)
}

/// How many rows a page has.
pub(super) fn limit(asked: Option<i64>) -> Result<i64, Problem> {
    match asked.unwrap_or(DEFAULT_LIMIT) {
        limit if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        limit => Err(Problem::bad_request(format!("limit is {limit}, it goes from 1 to {PAGE_MAX}"), HINT)),
    }
}

/// PostgreSQL's text can't hold U+0000, and would call it an error of ours.
fn text(value: Option<String>) -> Result<Option<String>, Problem> {
    match value {
        Some(text) if text.contains('\0') => Err(Problem::bad_request("a name can't contain U+0000", HINT)),
        value => Ok(value),
    }
}
