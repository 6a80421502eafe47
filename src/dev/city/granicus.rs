//! The city in Granicus' words: one page with all meetings, and viewers that give a PDF.

use super::{
    plan::Meeting,
    site::{Site, SiteState, parameter},
};
use axum::{
    Router,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use std::sync::Arc;

/// The one view that the city has.
pub(super) const VIEW: u8 = 3;

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new().route("/ViewPublisher.php", get(view)).route("/AgendaViewer.php", get(agenda))
}

async fn view(State(site): SiteState, RawQuery(query): RawQuery) -> Response {
    if parameter(query.as_deref(), "view_id") != Some(VIEW.to_string()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let rows: String = site.plan.meetings.iter().map(|meeting| row(meeting, &site)).collect();
    let page = format!(
        "<!DOCTYPE html><html><head><title>Cedar Mesa</title></head><body><h3>Upcoming Events</h3>\
         <table class=\"listingTable\" id=\"upcoming\"><thead><tr><th id=\"Name\">Name</th><th id=\"Date\">Date</th>\
         <th>Agenda</th></tr></thead><tbody>{rows}</tbody></table></body></html>"
    );
    Html(page).into_response()
}

fn row(meeting: &Meeting, site: &Site) -> String {
    let name = match site.is_cancelled(meeting) {
        true => format!("{} - CANCELLED", meeting.body),
        false => meeting.body.to_owned(),
    };
    let date = meeting.date.strftime("%b %-d, %Y");
    let agenda = match &meeting.agenda {
        Some(_) => format!("<a href=\"/AgendaViewer.php?view_id={VIEW}&amp;event_id={}\">Agenda</a>", meeting.id),
        None => String::new(),
    };
    format!(
        "<tr class=\"listingRow\" data-event-id=\"{}\"><td class=\"listItem\" headers=\"Name\">{name}</td>\
         <td class=\"listItem\" headers=\"Date {name}\">{date} - 06:00 PM</td><td class=\"listItem\">{agenda}</td></tr>",
        meeting.id
    )
}

async fn agenda(State(site): SiteState, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let event: Option<usize> = parameter(query.as_deref(), "event_id").and_then(|id| id.parse().ok());
    let meeting = site.plan.meetings.iter().find(|meeting| Some(meeting.id) == event);
    match meeting.and_then(|meeting| meeting.agenda.as_ref()) {
        Some(agenda) => site.document(agenda.id, &headers).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
