//! `/api/dead-letters`: list, requeue, discard.

use super::{
    body::Body,
    database::{Database, client},
    page,
};
use crate::{
    fleet::{
        job::JobId,
        ledger::{
            operate::{self, Acted, Done, Refused},
            read::{self, Cursor, DeadRow, Page},
        },
    },
    http::{Caller, Problem, Role},
};
use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Error};
use utoipa::{IntoParams, ToSchema};

const HINT: &str = "parameters: limit (1 to 500), before (the `next` of the page before)";
/// Jobs of one act: one statement, and an answer that fits.
const ACT_MAX: usize = operate::BATCH;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Params {
    /// Rows, 1 to 500.
    limit: Option<i64>,
    /// The `next` of the page before.
    before: Option<String>,
}

/// Dead letters, newest first
#[utoipa::path(get, path = "/api/dead-letters", tag = "dead letters", params(Params),
    responses((status = 200, description = "A page", body = Page<DeadRow, String>)))]
pub(super) async fn list(
    State(database): State<Database>,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Json<Page<DeadRow, Cursor>>, Problem> {
    let Query(params) = params.map_err(|e| Problem::bad_request(e.body_text(), HINT))?;
    let before = params.before.map(|text| text.parse::<Cursor>()).transpose();
    let before = before.map_err(|e| Problem::bad_request(e.to_string(), HINT))?;
    let limit = page::limit(params.limit, HINT)?;
    let read =
        async move |connection: deadpool_postgres::Object| read::dead_letters(client(&connection), before, limit).await;
    database.ask("api.dead_letters", read).await.map(Json)
}

/// Which jobs: exactly one of the three.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "fetch_document"}))]
pub(super) struct Selection {
    /// These, at most 1,000. They may have failed for good too.
    ids: Option<Vec<i64>>,
    /// The oldest 1,000 dead letters of this kind.
    kind: Option<String>,
    /// The oldest 1,000 dead letters. Needs the role admin.
    all: Option<bool>,
}

enum Which {
    Ids(Vec<JobId>),
    Kind(String),
    All,
}

/// What was done, and what was left as it is.
#[derive(Serialize, ToSchema)]
pub(super) struct ActedBody {
    /// Changed.
    done: Vec<Done>,
    /// Left as they are, and why.
    refused: Vec<Refused>,
    /// There may be more dead letters of this selection: repeat the request.
    more: bool,
}

/// Give failed jobs and dead letters a new round
#[utoipa::path(post, path = "/api/dead-letters/requeue", tag = "dead letters", request_body = Selection,
    responses((status = 200, description = "What was done", body = ActedBody)))]
pub(super) async fn requeue(
    State(database): State<Database>,
    Extension(caller): Extension<Caller>,
    Body(selection): Body<Selection>,
) -> Result<Json<ActedBody>, Problem> {
    let (which, actor) = (which(selection, &caller)?, caller.actor());
    let act = async move |connection: deadpool_postgres::Object| {
        let (ids, more) = select(client(&connection), which).await?;
        Ok(told(operate::requeue(client(&connection), &ids, &actor).await?, more))
    };
    database.ask("api.dead_requeue", act).await.map(Json)
}

/// Give up failed jobs and dead letters
#[utoipa::path(post, path = "/api/dead-letters/discard", tag = "dead letters", request_body = Selection,
    responses((status = 200, description = "What was done", body = ActedBody)))]
pub(super) async fn discard(
    State(database): State<Database>,
    Extension(caller): Extension<Caller>,
    Body(selection): Body<Selection>,
) -> Result<Json<ActedBody>, Problem> {
    let (which, actor) = (which(selection, &caller)?, caller.actor());
    let act = async move |connection: deadpool_postgres::Object| {
        let (ids, more) = select(client(&connection), which).await?;
        Ok(told(operate::discard(client(&connection), &ids, &actor).await?, more))
    };
    database.ask("api.dead_discard", act).await.map(Json)
}

fn told(acted: Acted, more: bool) -> ActedBody {
    ActedBody { done: acted.done, refused: acted.refused, more }
}

fn which(selection: Selection, caller: &Caller) -> Result<Which, Problem> {
    let wrong = |message: String| Problem::bad_request(message, "give ids (1 to 1,000), kind, or \"all\": true");
    match selection {
        Selection { ids: Some(ids), kind: None, all: None } if (1..=ACT_MAX).contains(&ids.len()) => {
            Ok(Which::Ids(ids.into_iter().map(JobId).collect()))
        }
        Selection { ids: Some(ids), kind: None, all: None } => Err(wrong(format!("there are {} ids", ids.len()))),
        Selection { ids: None, kind: Some(kind), all: None } if kind.contains('\0') => {
            Err(wrong("a kind can't contain U+0000".to_owned()))
        }
        Selection { ids: None, kind: Some(kind), all: None } => Ok(Which::Kind(kind)),
        Selection { ids: None, kind: None, all: Some(true) } => {
            caller.needs(Role::Admin, "an act on all dead letters")?;
            Ok(Which::All)
        }
        _ => Err(wrong("which jobs? exactly one of the three".to_owned())),
    }
}

/// The jobs, and whether there may be more of them.
async fn select(client: &Client, which: Which) -> Result<(Vec<JobId>, bool), Error> {
    let most = i64::try_from(ACT_MAX).unwrap_or(i64::MAX);
    let ids = match which {
        Which::Ids(ids) => return Ok((ids, false)),
        Which::Kind(kind) => operate::dead_of_kind(client, &kind, most).await?,
        Which::All => operate::dead(client, most).await?,
    };
    let more = ids.len() == ACT_MAX;
    Ok((ids, more))
}
