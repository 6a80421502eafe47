//! The city in CivicClerk's words: events and trees of items in JSON. Times say Z and are local.

use super::{
    plan::{Document, Meeting, Row, RowKind},
    site::{Site, SiteState, file, parameter},
};
use axum::{
    Json, Router,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::civil::Date;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/v1/Events", get(events))
        .route("/v1/Meetings/{agenda}", get(meeting))
        .route("/files/{name}", get(file))
}

/// The filter's two days, as the list is asked for.
async fn events(State(site): SiteState, RawQuery(query): RawQuery) -> Response {
    let filter = parameter(query.as_deref(), "$filter").unwrap_or_default();
    let day = |operator: &str| -> Option<Date> {
        let (_, rest) = filter.split_once(&format!("startDateTime {operator} "))?;
        rest.get(..10)?.parse().ok()
    };
    let (Some(from), Some(before)) = (day("ge"), day("lt")) else {
        let error = json!({ "error": { "code": "400", "message": "The query specified in the URI is not valid." } });
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    };
    let inside = site.plan.meetings.iter().filter(|meeting| meeting.date >= from && meeting.date < before);
    let rows: Vec<Value> = inside.map(|meeting| event(meeting, &site)).collect();
    Json(json!({ "@odata.context": format!("{}/v1/$metadata#Events", site.base), "value": rows })).into_response()
}

fn event(meeting: &Meeting, site: &Site) -> Value {
    let name = match site.is_cancelled(meeting) {
        true => format!("CANCELED {}", meeting.body),
        false => meeting.body.to_owned(),
    };
    let files: Vec<Value> = meeting
        .agenda
        .iter()
        .map(|agenda| json!({ "fileId": agenda.id, "type": "Agenda", "name": "Agenda", "publishOn": "1900-01-01T00:00:00Z" }))
        .collect();
    json!({ "id": meeting.id, "eventName": name, "startDateTime": format!("{}T19:00:00Z", meeting.date),
            // 0 says that there is none.
            "agendaId": meeting.agenda.as_ref().map_or(0, |_| meeting.id), "eventCategoryName": meeting.body,
            "isDeleted": false, "isPublished": "Published", "publishedFiles": files,
            "eventLocation": { "address1": "1 Prairie Square", "city": "Elm Prairie" } })
}

/// An agenda's items by its number, or a file: both are called a meeting's.
async fn meeting(State(site): SiteState, Path(what): Path<String>, headers: HeaderMap) -> Response {
    if let Some(rest) = what.strip_prefix("GetMeetingFileStream(fileId=") {
        return match rest.split(',').next().and_then(|id| id.parse().ok()) {
            Some(id) => site.document(id, &headers).await,
            None => StatusCode::NOT_FOUND.into_response(),
        };
    }
    let id: Option<usize> = what.parse().ok();
    match site.plan.meetings.iter().find(|meeting| Some(meeting.id) == id && meeting.agenda.is_some()) {
        Some(meeting) => Json(agenda(meeting, &site.base)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Procedure and business are sections; an item's title has the markup of the editor that it was typed into.
fn agenda(meeting: &Meeting, base: &str) -> Value {
    let rows = |kind: RowKind| meeting.rows.iter().filter(move |row| row.kind == kind);
    let procedure = rows(RowKind::Procedure).map(|row| item(row, base));
    let business: Vec<Value> = rows(RowKind::Business).map(|row| item(row, base)).collect();
    let section = json!({ "id": 10_000_000 + meeting.id, "sortOrder": 1_000, "isSection": 1, "agendaObjectItemName": "",
                          "childItems": business });
    json!({ "id": meeting.id, "items": procedure.chain([section]).collect::<Vec<_>>() })
}

fn item(row: &Row, base: &str) -> Value {
    let attachment = |document: &Document| {
        json!({ "id": document.id, "fileName": format!("{}.pdf", document.name), "isPublished": true, "isDeleted": false,
                "pdfVersionFullPath": format!("{base}/files/{}.pdf", document.id) })
    };
    json!({ "id": row.id, "sortOrder": row.sequence, "isSection": 0, "agendaObjectItemOutlineNumber": row.number,
            "agendaObjectItemName": format!("<p>{}</p>", row.title), "childItems": [],
            "attachmentsList": row.attachments.iter().map(attachment).collect::<Vec<_>>() })
}
