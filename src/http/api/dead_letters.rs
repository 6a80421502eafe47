//! `GET /api/dead-letters`.

use super::{
    database::{Database, client},
    jobs::limit,
};
use crate::{
    fleet::ledger::read::{self, Cursor, DeadRow, Page},
    http::Problem,
};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::Deserialize;

const HINT: &str = "parameters: limit (1 to 500), before (the `next` of the page before)";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    limit: Option<i64>,
    before: Option<String>,
}

pub(super) async fn list(
    State(database): State<Database>,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Json<Page<DeadRow, Cursor>>, Problem> {
    let Query(params) = params.map_err(|e| Problem::bad_request(e.body_text(), HINT))?;
    let before = params.before.map(|text| text.parse::<Cursor>()).transpose();
    let before = before.map_err(|e| Problem::bad_request(e.to_string(), HINT))?;
    let limit = limit(params.limit)?;
    let read =
        async move |connection: deadpool_postgres::Object| read::dead_letters(client(&connection), before, limit).await;
    database.ask("api.dead_letters", read).await.map(Json)
}
