//! `/api/lanes`: list, pause, resume.

use super::{
    Api,
    database::{Database, client},
};
use crate::{
    fleet::ledger::{
        operate::{self, OperateError},
        read::{self, LaneRow},
    },
    http::{Caller, Problem},
};
use axum::{
    Extension, Json,
    extract::{Path, State, rejection::PathRejection},
};
use serde::Serialize;
use utoipa::ToSchema;

const HINT: &str = "see /api/lanes";

/// The lanes.
#[derive(Serialize, ToSchema)]
pub(super) struct Lanes {
    /// By name.
    items: Vec<LaneRow>,
}

/// A lane after an act.
#[derive(Serialize, ToSchema)]
pub(super) struct LaneTold {
    /// Its name.
    lane: String,
    /// Whether it is paused now.
    paused: bool,
    /// False: it was so before.
    changed: bool,
}

/// The lanes of the configuration, those that hold jobs, and those that are paused
#[utoipa::path(get, path = "/api/lanes", tag = "lanes",
    responses((status = 200, description = "All of them", body = Lanes)))]
pub(super) async fn list(State(api): State<Api>) -> Result<Json<Lanes>, Problem> {
    let read = async move |connection: deadpool_postgres::Object| read::lanes(client(&connection), &api.lanes).await;
    let items = api.database.ask("api.lanes", read).await?;
    Ok(Json(Lanes { items }))
}

/// Start nothing more of a lane
///
/// Holds for every job that is not queued yet, from the answer on. What runs, and what is queued in the broker already
/// (some two seconds' work), ends as it would.
#[utoipa::path(post, path = "/api/lanes/{lane}/pause", tag = "lanes",
    params(("lane" = String, Path, description = "The lane")),
    responses((status = 200, description = "It is paused", body = LaneTold)))]
pub(super) async fn pause(
    State(database): State<Database>,
    Extension(caller): Extension<Caller>,
    lane: Result<Path<String>, PathRejection>,
) -> Result<Json<LaneTold>, Problem> {
    set(&database, &caller, lane, true).await
}

/// Go on with a lane
#[utoipa::path(post, path = "/api/lanes/{lane}/resume", tag = "lanes",
    params(("lane" = String, Path, description = "The lane")),
    responses((status = 200, description = "It goes on", body = LaneTold)))]
pub(super) async fn resume(
    State(database): State<Database>,
    Extension(caller): Extension<Caller>,
    lane: Result<Path<String>, PathRejection>,
) -> Result<Json<LaneTold>, Problem> {
    set(&database, &caller, lane, false).await
}

async fn set(
    database: &Database,
    caller: &Caller,
    lane: Result<Path<String>, PathRejection>,
    paused: bool,
) -> Result<Json<LaneTold>, Problem> {
    let Path(lane) = lane.map_err(|_| Problem::bad_request("the name of a lane is UTF-8", HINT))?;
    let (operation, actor) = (if paused { "api.pause_lane" } else { "api.resume_lane" }, caller.actor());
    let act = async |connection: deadpool_postgres::Object| {
        let client = client(&connection);
        let acted = if paused {
            operate::pause_lane(client, &lane, &actor).await
        } else {
            operate::resume_lane(client, &lane, &actor).await
        };
        named(acted)
    };
    let changed = database.ask(operation, act).await?.map_err(|message| Problem::bad_request(message, HINT))?;
    Ok(Json(LaneTold { lane, paused, changed }))
}

/// The database's errors are the query's; a bad name is an answer.
fn named(result: Result<bool, OperateError>) -> Result<Result<bool, String>, tokio_postgres::Error> {
    match result {
        Ok(changed) => Ok(Ok(changed)),
        Err(OperateError::Database(error)) => Err(error),
        Err(error @ OperateError::Name { .. }) => Ok(Err(error.to_string())),
    }
}
