//! `GET /api/queue-stats`.

use super::database::{Database, client};
use crate::{
    fleet::ledger::read::{QueueStats, exact_stats, queue_stats},
    http::Problem,
};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Params {
    /// Count every row.
    #[serde(default)]
    exact: bool,
}

/// The queue in numbers, by lane and state
#[utoipa::path(get, path = "/api/queue-stats", tag = "queue", params(Params),
    responses((status = 200, description = "Totals, and under `lanes` the same for each", body = Object)))]
pub(super) async fn show(
    State(database): State<Database>,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Json<QueueStats>, Problem> {
    let Query(params) = params.map_err(|e| Problem::bad_request(e.body_text(), "the only parameter is exact=true"))?;
    let read = async move |connection: deadpool_postgres::Object| {
        let client = client(&connection);
        if params.exact { exact_stats(client).await } else { queue_stats(client).await }
    };
    database.ask("api.queue_stats", read).await.map(Json)
}
