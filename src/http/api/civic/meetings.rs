//! `/api/meetings` and `/api/items`.

use super::{
    super::{
        database::{Database, client},
        page,
    },
    params,
};
use crate::{
    civic::store::read::{self, Cursor, ItemWhole, MeetingFilter, MeetingView, MeetingWhole},
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
use jiff::civil::Date;
use serde::Deserialize;
use utoipa::IntoParams;

const HINT: &str = "parameters: city, from and to (days such as 2026-03-08), status (scheduled, cancelled, postponed, \
                    rescheduled, recessed, held, withdrawn), q (words, at most 500 bytes), limit (1 to 500), before (the \
                    `next` of the page before)";

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http::api) struct Params {
    /// Only this city.
    city: Option<String>,
    /// Not before this day.
    from: Option<String>,
    /// Not after this day.
    to: Option<String>,
    /// Only this status.
    status: Option<String>,
    /// Words in the title or body, an item's title, or one summary; `"quoted together"`, `or`, `-without`.
    q: Option<String>,
    /// Rows, 1 to 500.
    limit: Option<i64>,
    /// The `next` of the page before.
    before: Option<String>,
}

/// Meetings, the latest day first
#[utoipa::path(get, path = "/api/meetings", tag = "meetings", params(Params),
    responses((status = 200, description = "A page", body = Page<MeetingView, String>)))]
pub(in crate::http::api) async fn list(
    State(database): State<Database>,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Json<Page<MeetingView, Cursor<Date>>>, Problem> {
    let asked = params::query(params, HINT)?;
    let filter = MeetingFilter {
        city: params::city(asked.city, HINT)?,
        from: params::parsed(("from", "2026-03-08"), asked.from, HINT)?,
        to: params::parsed(("to", "2026-03-08"), asked.to, HINT)?,
        status: params::status(asked.status, HINT)?,
        words: params::words(asked.q, HINT)?,
        before: params::cursor(asked.before, HINT)?,
    };
    let limit = page::limit(asked.limit, HINT)?;
    let read =
        async move |connection: deadpool_postgres::Object| read::meetings(client(&connection), &filter, limit).await;
    database.ask("api.meetings", read).await?.map(Json).ok_or_else(params::no_city)
}

/// A meeting with its items, summaries and documents
#[utoipa::path(get, path = "/api/meetings/{id}", tag = "meetings",
    params(("id" = i64, Path, description = "The meeting")),
    responses((status = 200, description = "The meeting", body = MeetingWhole), (status = 404, description = "`not_found`")))]
pub(in crate::http::api) async fn show(
    State(database): State<Database>,
    id: Result<Path<i64>, PathRejection>,
) -> Result<Json<MeetingWhole>, Problem> {
    let id = params::id(id)?;
    let read = async move |connection: deadpool_postgres::Object| read::meeting(client(&connection), id).await;
    let missing = || params::missing(&format!("meeting {id}"), "see /api/meetings");
    database.ask("api.meeting", read).await?.map(Json).ok_or_else(missing)
}

/// An agenda item with its summary and documents
#[utoipa::path(get, path = "/api/items/{id}", tag = "meetings", params(("id" = i64, Path, description = "The item")),
    responses((status = 200, description = "The item", body = ItemWhole), (status = 404, description = "`not_found`")))]
pub(in crate::http::api) async fn item(
    State(database): State<Database>,
    id: Result<Path<i64>, PathRejection>,
) -> Result<Json<ItemWhole>, Problem> {
    let id = params::id(id)?;
    let read = async move |connection: deadpool_postgres::Object| read::item(client(&connection), id).await;
    let missing = || params::missing(&format!("item {id}"), "see /api/meetings/{id}");
    database.ask("api.item", read).await?.map(Json).ok_or_else(missing)
}
