//! `/api/jobs`: list, show, enqueue, cancel, requeue.

use super::{
    Api,
    body::Body,
    database::{Database, client},
    page, refusal,
    wish::{JobBody, refused},
};
use crate::{
    fleet::{
        enqueue::Enqueued,
        job::{JobId, Status},
        ledger::{
            operate::{self, Done},
            read::{self, JobDetail, JobFilter, JobRow, Page},
        },
    },
    http::{Caller, Problem, Role},
};
use axum::{
    Extension, Json,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
};
use hyper::{HeaderMap, StatusCode, header::LOCATION};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

const HINT: &str = "parameters: status, kind, lane, limit (1 to 500), before (the id of a job)";
/// As the header calls it.
const KEY: &str = "idempotency-key";

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Params {
    /// Only this state.
    status: Option<String>,
    /// Only this kind.
    kind: Option<String>,
    /// Only this lane.
    lane: Option<String>,
    /// Rows, 1 to 500.
    limit: Option<i64>,
    /// Older than this job: the `next` of the page before.
    before: Option<i64>,
}

/// Jobs, newest first
#[utoipa::path(get, path = "/api/jobs", tag = "jobs", params(Params),
    responses((status = 200, description = "A page", body = Page<JobRow, JobId>)))]
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
    let limit = page::limit(params.limit, HINT)?;
    let read = async move |connection: deadpool_postgres::Object| read::jobs(client(&connection), &filter, limit).await;
    database.ask("api.jobs", read).await.map(Json)
}

/// A job, its attempts and what happened to it
#[utoipa::path(get, path = "/api/jobs/{id}", tag = "jobs", params(("id" = i64, Path, description = "The job")),
    responses((status = 200, description = "The job", body = JobDetail), (status = 404, description = "`not_found`")))]
pub(super) async fn show(
    State(database): State<Database>,
    id: Result<Path<i64>, PathRejection>,
) -> Result<Json<JobDetail>, Problem> {
    let id = job_id(id)?;
    let read = async move |connection: deadpool_postgres::Object| read::job_detail(client(&connection), id).await;
    let found = database.ask("api.job", read).await?;
    let gone = || Problem::not_found(format!("there is no job {id}"), "it never was, or its retention is over");
    found.map(Json).ok_or_else(gone)
}

/// What became of a job.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Told {
    /// The row.
    id: JobId,
    /// Its state.
    status: Status,
    /// A job with its idempotency key was there already; nothing was enqueued.
    pub(super) existing: bool,
}

impl From<Enqueued> for Told {
    fn from(enqueued: Enqueued) -> Self {
        match enqueued {
            Enqueued::New(id) => Self { id, status: Status::Pending, existing: false },
            Enqueued::Existing(id, status) => Self { id, status, existing: true },
        }
    }
}

/// Enqueue a job
///
/// It is in the database, flushed to disk, before the answer is given.
#[utoipa::path(post, path = "/api/jobs", tag = "jobs", request_body = JobBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same as idempotency_key in the body")),
    responses(
        (status = 201, description = "It is in the ledger; Location says where", body = Told),
        (status = 409, description = "`exists`: a job has this idempotency key; the error has its id and status"),
    ))]
pub(super) async fn create(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Body(mut body): Body<JobBody>,
) -> Result<(StatusCode, [(hyper::header::HeaderName, String); 1], Json<Told>), Problem> {
    body.idempotency_key = key(&headers, body.idempotency_key.take())?;
    if body.is_privileged() {
        caller.needs(Role::Admin, "a priority above 100")?;
    }
    let job = api.gate.kinds().job(body.into()).map_err(|e| refused(&e))?;
    match api.gate.enqueue(job).await.map_err(refusal::gate)? {
        Enqueued::Existing(id, status) => Err(Problem::exists(format!("job {id} has this idempotency key ({status})"))
            .with("id", id.0)
            .with("status", json!(status))),
        new => Ok((StatusCode::CREATED, [(LOCATION, format!("/api/jobs/{}", new.id()))], Json(new.into()))),
    }
}

/// One key, wherever it stands.
fn key(headers: &HeaderMap, in_body: Option<String>) -> Result<Option<String>, Problem> {
    let wrong = |message| Problem::bad_request(message, "send one key: in the header, or in the body");
    let mut in_headers = headers.get_all(KEY).iter();
    let Some(first) = in_headers.next() else { return Ok(in_body) };
    if in_headers.next().is_some() {
        return Err(wrong("there are two headers Idempotency-Key"));
    }
    let first = std::str::from_utf8(first.as_bytes()).map_err(|_| wrong("Idempotency-Key is not UTF-8"))?;
    match in_body {
        Some(other) if other != first => Err(wrong("Idempotency-Key and idempotency_key contradict each other")),
        _ => Ok(Some(first.to_owned())),
    }
}

/// Cancel a job that waits, or ask the worker that runs it to stop
///
/// After the second, the status is still `processing`; the worker answers within seconds.
#[utoipa::path(post, path = "/api/jobs/{id}/cancel", tag = "jobs", params(("id" = i64, Path, description = "The job")),
    responses(
        (status = 200, description = "Done, or asked for", body = Done),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`conflict`: it has ended, or was asked before"),
    ))]
pub(super) async fn cancel(
    State(database): State<Database>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<i64>, PathRejection>,
) -> Result<Json<Done>, Problem> {
    let (ids, actor) = ([job_id(id)?], caller.actor());
    let act =
        async move |connection: deadpool_postgres::Object| operate::cancel(client(&connection), &ids, &actor).await;
    refusal::one(&database.ask("api.cancel", act).await?).map(Json)
}

/// Give a failed job or a dead letter a new round
#[utoipa::path(post, path = "/api/jobs/{id}/requeue", tag = "jobs", params(("id" = i64, Path, description = "The job")),
    responses(
        (status = 200, description = "It is pending again", body = Done),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`conflict`: it has not failed"),
    ))]
pub(super) async fn requeue(
    State(database): State<Database>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<i64>, PathRejection>,
) -> Result<Json<Done>, Problem> {
    let (ids, actor) = ([job_id(id)?], caller.actor());
    let act =
        async move |connection: deadpool_postgres::Object| operate::requeue(client(&connection), &ids, &actor).await;
    refusal::one(&database.ask("api.requeue", act).await?).map(Json)
}

fn job_id(id: Result<Path<i64>, PathRejection>) -> Result<JobId, Problem> {
    let Path(id) = id.map_err(|_| Problem::bad_request("the id of a job is a whole number", "see /api/jobs"))?;
    Ok(JobId(id))
}

/// PostgreSQL's text can't hold U+0000, and would call it an error of ours.
fn text(value: Option<String>) -> Result<Option<String>, Problem> {
    match value {
        Some(text) if text.contains('\0') => Err(Problem::bad_request("a name can't contain U+0000", HINT)),
        value => Ok(value),
    }
}
