//! `/api/changes`.

use super::{
    super::{
        database::{Database, client},
        page,
    },
    params,
};
use crate::{
    civic::store::read::{self, ChangeFilter, ChangeView, Cursor},
    fleet::ledger::read::Page,
    http::Problem,
};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

const HINT: &str = "parameters: city, since (such as 2026-03-08T09:00:00Z), limit (1 to 500), before (the `next` of the \
                    page before)";

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http::api) struct Params {
    /// Only this city.
    city: Option<String>,
    /// Not before this instant.
    since: Option<String>,
    /// Rows, 1 to 500.
    limit: Option<i64>,
    /// The `next` of the page before.
    before: Option<String>,
}

/// What changed at meetings, newest first
///
/// A change is visible some seconds after its `at` at the latest: whoever follows asks with a `since` a minute before the
/// last answer, and knows by the ids what he has seen.
#[utoipa::path(get, path = "/api/changes", tag = "meetings", params(Params),
    responses((status = 200, description = "A page", body = Page<ChangeView, String>)))]
pub(in crate::http::api) async fn list(
    State(database): State<Database>,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Json<Page<ChangeView, Cursor<Timestamp>>>, Problem> {
    let asked = params::query(params, HINT)?;
    let filter = ChangeFilter {
        city: params::city(asked.city, HINT)?,
        since: params::parsed(("since", "2026-03-08T09:00:00Z"), asked.since, HINT)?,
        before: params::cursor(asked.before, HINT)?,
    };
    let limit = page::limit(asked.limit, HINT)?;
    let read =
        async move |connection: deadpool_postgres::Object| read::changes(client(&connection), &filter, limit).await;
    database.ask("api.changes", read).await?.map(Json).ok_or_else(params::no_city)
}
