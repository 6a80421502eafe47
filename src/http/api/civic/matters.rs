//! `/api/matters`.

use super::{
    super::{
        database::{Database, client},
        page,
    },
    params,
};
use crate::{
    civic::store::{
        MatterRowId,
        matters::{self, MatterView, MatterWhole},
    },
    fleet::ledger::read::Page,
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
use utoipa::IntoParams;

const HINT: &str =
    "parameters: city, q (words, at most 500 bytes), limit (1 to 500), before (the `next` of the page before)";

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http::api) struct Params {
    /// Only this city.
    city: Option<String>,
    /// Words in the file number or the name.
    q: Option<String>,
    /// Rows, 1 to 500.
    limit: Option<i64>,
    /// The `next` of the page before.
    before: Option<i64>,
}

/// Matters, newest first
#[utoipa::path(get, path = "/api/matters", tag = "matters", params(Params),
    responses((status = 200, description = "A page", body = Page<MatterView, i64>)))]
pub(in crate::http::api) async fn list(
    State(database): State<Database>,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Json<Page<MatterView, i64>>, Problem> {
    let asked = params::query(params, HINT)?;
    let (city, words) = (params::city(asked.city, HINT)?, params::words(asked.q, HINT)?);
    let limit = page::limit(asked.limit, HINT)?;
    let read = async move |connection: deadpool_postgres::Object| {
        matters::list(client(&connection), city.as_ref(), words.as_deref(), asked.before, limit).await
    };
    database.ask("api.matters", read).await?.map(Json).ok_or_else(params::no_city)
}

/// A matter with its appearances and its summary
///
/// Of one that was merged into another, the other one is told.
#[utoipa::path(get, path = "/api/matters/{id}", tag = "matters", params(("id" = i64, Path, description = "The matter")),
    responses((status = 200, description = "The matter", body = MatterWhole), (status = 404, description = "`not_found`")))]
pub(in crate::http::api) async fn show(
    State(database): State<Database>,
    id: Result<Path<i64>, PathRejection>,
) -> Result<Json<MatterWhole>, Problem> {
    let id = params::id(id)?;
    let read =
        async move |connection: deadpool_postgres::Object| matters::show(client(&connection), MatterRowId(id)).await;
    let missing = || params::missing(&format!("matter {id}"), "see /api/matters");
    database.ask("api.matter", read).await?.map(Json).ok_or_else(missing)
}
