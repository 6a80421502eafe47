//! `/api/cities`.

use super::{
    super::database::{Database, client},
    params,
};
use crate::{
    civic::store::read::{self, CityView, CityWhole},
    http::Problem,
};
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use serde::Serialize;
use utoipa::ToSchema;

/// All of them.
#[derive(Serialize, ToSchema)]
pub(in crate::http::api) struct Cities {
    /// By slug.
    items: Vec<CityView>,
}

/// The cities whose meetings are followed
#[utoipa::path(get, path = "/api/cities", tag = "meetings",
    responses((status = 200, description = "All of them, by slug", body = Cities)))]
pub(in crate::http::api) async fn list(State(database): State<Database>) -> Result<Json<Cities>, Problem> {
    let read = async move |connection: deadpool_postgres::Object| read::cities(client(&connection)).await;
    database.ask("api.cities", read).await.map(|items| Json(Cities { items }))
}

/// A city, and how much of it is known
#[utoipa::path(get, path = "/api/cities/{slug}", tag = "meetings",
    params(("slug" = String, Path, description = "Its short name")),
    responses((status = 200, description = "The city", body = CityWhole), (status = 404, description = "`not_found`")))]
pub(in crate::http::api) async fn show(
    State(database): State<Database>,
    slug: Result<Path<String>, PathRejection>,
) -> Result<Json<CityWhole>, Problem> {
    let known = params::city(Some(params::name(slug, "see /api/cities")?), "see /api/cities")?;
    let read = async move |connection: deadpool_postgres::Object| {
        read::city(client(&connection), known.as_ref().map_or("", |slug| slug.as_str())).await
    };
    database.ask("api.city", read).await?.map(Json).ok_or_else(|| params::missing("such city", "see /api/cities"))
}
