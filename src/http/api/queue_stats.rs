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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    #[serde(default)]
    exact: bool,
}

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
