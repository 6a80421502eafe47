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
    let (lane, actor) = (name(lane)?, caller.actor());
    let act = {
        let lane = lane.clone();
        async move |connection: deadpool_postgres::Object| {
            inner(operate::pause_lane(client(&connection), &lane, &actor).await)
        }
    };
    let changed = outer(database.ask("api.pause_lane", act).await?)?;
    Ok(Json(LaneTold { lane, paused: true, changed }))
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
    let (lane, actor) = (name(lane)?, caller.actor());
    let act = {
        let lane = lane.clone();
        async move |connection: deadpool_postgres::Object| {
            inner(operate::resume_lane(client(&connection), &lane, &actor).await)
        }
    };
    let changed = outer(database.ask("api.resume_lane", act).await?)?;
    Ok(Json(LaneTold { lane, paused: false, changed }))
}

fn name(lane: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    let Path(lane) = lane.map_err(|_| Problem::bad_request("the name of a lane is UTF-8", "see /api/lanes"))?;
    Ok(lane)
}

/// The database's errors are the query's; a bad name is an answer.
fn inner(result: Result<bool, OperateError>) -> Result<Result<bool, String>, tokio_postgres::Error> {
    match result {
        Ok(changed) => Ok(Ok(changed)),
        Err(OperateError::Database(error)) => Err(error),
        Err(error @ OperateError::Name { .. }) => Ok(Err(error.to_string())),
    }
}

fn outer(result: Result<bool, String>) -> Result<bool, Problem> {
    result.map_err(|message| Problem::bad_request(message, "see /api/lanes"))
}
