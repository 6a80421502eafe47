//! The city in PrimeGov's words: two lists in JSON, and compiled agendas behind signed addresses.

use super::{
    plan::Meeting,
    site::{Site, SiteState, parameter},
};
use axum::{
    Json, Router,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A signed address is good for so long.
const GOOD_FOR: Duration = Duration::from_mins(1);

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/api/v2/PublicPortal/ListUpcomingMeetings", get(upcoming))
        .route("/api/v2/PublicPortal/ListArchivedMeetings", get(archived))
        .route("/Public/CompiledDocument", get(compiled))
        .route("/blob/{id}", get(blob))
}

async fn upcoming(State(site): SiteState) -> Json<Value> {
    Json(site.plan.meetings.iter().map(|meeting| row(meeting, &site)).collect())
}

/// The made-up council met for the first time this week.
async fn archived() -> Json<Value> {
    Json(json!([]))
}

/// Only the title tells that a meeting is cancelled.
fn row(meeting: &Meeting, site: &Site) -> Value {
    let title = match site.is_cancelled(meeting) {
        true => format!("CANCELED - {}", meeting.body),
        false => meeting.body.to_owned(),
    };
    let documents: Vec<Value> = meeting
        .agenda
        .iter()
        .map(|agenda| {
            json!({ "id": agenda.id, "templateId": agenda.id, "compileOutputType": 1, "publishStatus": 1, "link": null,
                    "templateName": "Agenda", "sortOrder": 1, "meetingId": meeting.id })
        })
        .collect();
    json!({ "id": meeting.id, "title": title, "dateTime": format!("{}T17:30:00", meeting.date), "time": "05:30 PM",
            "location": "Landing Hall", "meetingState": 3, "documentList": documents })
}

/// The address that stays leads to one that doesn't.
async fn compiled(RawQuery(query): RawQuery) -> Response {
    match parameter(query.as_deref(), "meetingTemplateId").and_then(|id| id.parse::<usize>().ok()) {
        Some(id) => {
            (StatusCode::FOUND, [(LOCATION, format!("/blob/{id}?sp=r&se={}&sig=made-up", now()))]).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn blob(
    State(site): SiteState,
    Path(id): Path<usize>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let signed = parameter(query.as_deref(), "se").and_then(|seconds| seconds.parse::<u64>().ok());
    match signed.filter(|at| now().saturating_sub(*at) <= GOOD_FOR.as_secs()) {
        Some(_) => site.document(id, &headers).await,
        None => StatusCode::FORBIDDEN.into_response(),
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
