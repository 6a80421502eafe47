//! `/api/documents/{sha256}`.

use super::{
    super::database::{Database, client},
    params,
};
use crate::{
    civic::store::read::{self, DocumentView},
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

const HINT: &str = "the only parameter is text=true";
const PLACES: &str = "see the documents of /api/meetings/{id}";

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http::api) struct Params {
    /// With its text, at most 500,000 characters.
    #[serde(default)]
    text: bool,
}

/// What is known of a document's bytes, and on request its text
#[utoipa::path(get, path = "/api/documents/{sha256}", tag = "meetings",
    params(("sha256" = String, Path, description = "64 hexadecimal digits"), Params),
    responses((status = 200, description = "The document", body = DocumentView), (status = 404, description = "`not_found`")))]
pub(in crate::http::api) async fn show(
    State(database): State<Database>,
    sha256: Result<Path<String>, PathRejection>,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Json<DocumentView>, Problem> {
    let Params { text } = params::query(params, HINT)?;
    let sha256 = params::name(sha256, PLACES)?;
    if sha256.len() != 64 || !sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        let message = "a document is named by its SHA-256: 64 digits from 0 to f, in lower case";
        return Err(Problem::bad_request(message, PLACES));
    }
    let read =
        async move |connection: deadpool_postgres::Object| read::document(client(&connection), &sha256, text).await;
    let missing = || params::missing("such document", PLACES);
    database.ask("api.document", read).await?.map(Json).ok_or_else(missing)
}
