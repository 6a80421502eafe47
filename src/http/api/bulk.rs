//! `/api/jobs/bulk`.

use super::{
    Api,
    body::{cut, read, unreadable},
    jobs::Told,
    refusal,
    wish::JobBody,
};
use crate::{
    fleet::{gate::Kinds, job::NewJob},
    http::{Caller, Problem, Role},
};
use axum::{
    Extension, Json,
    extract::{Request, State},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Where it is; its body has a limit of its own.
pub(in crate::http) const BULK_PATH: &str = "/api/jobs/bulk";
/// Jobs of one bulk request.
pub const JOBS_MAX: usize = 1000;
/// Bad jobs that an answer names.
const NAMED_MAX: usize = 10;

/// Jobs that are enqueued together.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"jobs": [
    {"kind": "sync_city", "args": {"city": "seattle-wa", "slot": 1}, "idempotency_key": "bulk-1"},
    {"kind": "sync_city", "args": {"city": "seattle-wa", "slot": 2}}
]}))]
pub(super) struct BulkBody {
    /// 1 to 1,000.
    jobs: Vec<JobBody>,
}

/// The same, to find out what is wrong.
#[derive(Deserialize)]
struct Suspect {
    jobs: Vec<Value>,
}

/// What became of them.
#[derive(Serialize, ToSchema)]
pub(super) struct BulkTold {
    /// Jobs that are new.
    enqueued: usize,
    /// Jobs whose idempotency key was there.
    existing: usize,
    /// Each, in the order of the request.
    jobs: Vec<Told>,
}

/// Enqueue up to 1,000 jobs, all or none
///
/// One transaction. A bad job refuses all; a job whose idempotency key is there already doesn't.
#[utoipa::path(post, path = "/api/jobs/bulk", tag = "jobs", request_body = BulkBody,
    responses((status = 200, description = "All are in the ledger", body = BulkTold)))]
pub(super) async fn create(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Json<BulkTold>, Problem> {
    // Before the body is read: it is memory that is scarce.
    let Ok(_slot) = api.bulk.try_acquire() else {
        return Err(Problem::unavailable("too many bulk requests at once", "nothing was enqueued; try again"));
    };
    let wishes = parse(&read(request).await?)?;
    caller.bulk_jobs(wishes.len())?;
    if wishes.iter().any(JobBody::is_privileged) {
        caller.needs(Role::Admin, "a priority above 100")?;
    }
    let jobs = jobs(api.gate.kinds(), wishes)?;
    let told: Vec<Told> =
        api.gate.enqueue_all(&jobs).await.map_err(refusal::gate)?.into_iter().map(Told::from).collect();
    let existing = told.iter().filter(|told| told.existing).count();
    Ok(Json(BulkTold { enqueued: told.len() - existing, existing, jobs: told }))
}

fn parse(bytes: &[u8]) -> Result<Vec<JobBody>, Problem> {
    let jobs = match serde_json::from_slice::<BulkBody>(bytes) {
        Ok(body) => body.jobs,
        Err(error) => return Err(explain(bytes, &error)),
    };
    match jobs.len() {
        1..=JOBS_MAX => Ok(jobs),
        many => {
            Err(Problem::bad_request(format!("there are {many} jobs, 1 to {JOBS_MAX} can be"), "send several requests"))
        }
    }
}

/// One fault.
struct Fault {
    index: usize,
    field: Option<String>,
    message: String,
}

/// Reads again, job by job: which are wrong, and where. If each can be read alone, the parser's own words must do.
fn explain(bytes: &[u8], error: &serde_json::Error) -> Problem {
    let Ok(Suspect { jobs }) = serde_json::from_slice(bytes) else { return unreadable(error) };
    let faults = jobs.iter().enumerate().filter_map(|(index, job)| {
        let error = JobBody::deserialize(job).err()?;
        let field = job.as_object().and_then(JobBody::culprit).map(str::to_owned);
        Some(Fault { index, field, message: cut(&error.to_string()) })
    });
    let faults: Vec<Fault> = faults.take(NAMED_MAX).collect();
    if faults.is_empty() { unreadable(error) } else { bad(&faults) }
}

fn jobs(kinds: &Kinds, wishes: Vec<JobBody>) -> Result<Vec<NewJob>, Problem> {
    let (mut jobs, mut faults) = (Vec::with_capacity(wishes.len()), Vec::new());
    for (index, wish) in wishes.into_iter().enumerate() {
        match kinds.job(wish.into()) {
            Ok(job) => jobs.push(job),
            Err(error) => {
                let (field, message) = (Some(error.field().to_owned()), error.to_string());
                faults.push(Fault { index, field, message });
                if faults.len() == NAMED_MAX {
                    break;
                }
            }
        }
    }
    if faults.is_empty() { Ok(jobs) } else { Err(bad(&faults)) }
}

fn bad(faults: &[Fault]) -> Problem {
    let named: Vec<Value> = faults
        .iter()
        .map(|Fault { index, field, message }| json!({"index": index, "field": field, "message": message}))
        .collect();
    let first = &faults[0];
    let place = first.field.as_ref().map_or_else(String::new, |field| format!(".{field}"));
    let message = format!("jobs[{}]{place}: {}", first.index, first.message);
    Problem::bad_request(message, "nothing was enqueued; \"jobs\" names the first ten that are wrong")
        .with("jobs", named)
}
