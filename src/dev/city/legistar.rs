//! The city in Legistar's words.

use super::{
    plan::{Document, Meeting, Row},
    site::{Site, SiteState, file},
};
use axum::{
    Json, Router,
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::civil::Date;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/v1/{client}/events", get(events))
        .route("/v1/{client}/events/{id}/eventitems", get(event_items))
        .route("/v1/{client}/bodies", get(bodies))
        .route("/files/{name}", get(file))
}

/// `alderfalls`, and its twins `alderfalls-2` and so on: one site may have many cities. A client that is not known answers
/// 500, as Legistar does.
fn is_known(client: &str) -> bool {
    client.strip_prefix("alderfalls").is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

async fn events(State(site): SiteState, Path(client): Path<String>, RawQuery(query): RawQuery) -> Response {
    if !is_known(&client) {
        return unknown_client();
    }
    match Query::read(&query.unwrap_or_default()) {
        Ok(query) => Json(query.page(&site)).into_response(),
        Err(message) => (StatusCode::BAD_REQUEST, Json(json!({"Message": message}))).into_response(),
    }
}

async fn event_items(State(site): SiteState, Path((client, id)): Path<(String, usize)>) -> Response {
    if !is_known(&client) {
        return unknown_client();
    }
    match site.plan.meetings.iter().find(|meeting| meeting.id == id) {
        Some(meeting) => Json(items(meeting, &site.base)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn bodies(Path(client): Path<String>) -> Response {
    if is_known(&client) {
        Json(json!([{"BodyId": 1, "BodyName": "City Council"}])).into_response()
    } else {
        unknown_client()
    }
}

fn unknown_client() -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({"Message": "An error has occurred."}))).into_response()
}

/// Rows that the API gives at most.
const MAX_ROWS: usize = 1_000;

/// A query of `/events`.
struct Query {
    from: Option<Date>,
    before: Option<Date>,
    top: usize,
    skip: usize,
}

impl Query {
    /// Reads the `OData` parameters that the service knows; the error is its message.
    fn read(query: &str) -> Result<Self, String> {
        let mut read = Self { from: None, before: None, top: MAX_ROWS, skip: 0 };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let number = || value.parse().map_err(|_| format!("Invalid value '{value}' for {name}"));
            match name.as_ref() {
                "$top" => read.top = number()?,
                "$skip" => read.skip = number()?,
                "$filter" => read.filter(&value)?,
                _ => {}
            }
        }
        read.top = read.top.min(MAX_ROWS);
        Ok(read)
    }

    fn filter(&mut self, filter: &str) -> Result<(), String> {
        for term in filter.split(" and ") {
            let unknown = || format!("The query specified in the URI is not valid. Syntax error at '{term}'");
            let (name, rest) = term.trim().split_once(' ').ok_or_else(unknown)?;
            let (operator, literal) = rest.split_once(' ').ok_or_else(unknown)?;
            let day = literal.strip_prefix("datetime'").and_then(|l| l.strip_suffix('\'')).ok_or_else(unknown)?;
            let day: Date = day.parse().map_err(|_| unknown())?;
            match (name, operator) {
                ("EventDate", "ge") => self.from = Some(day),
                ("EventDate", "lt") => self.before = Some(day),
                _ => return Err(unknown()),
            }
        }
        Ok(())
    }

    /// The page of meetings that it asks for.
    fn page(&self, site: &Site) -> Value {
        let inside = |m: &&Meeting| {
            self.from.is_none_or(|from| m.date >= from) && self.before.is_none_or(|before| m.date < before)
        };
        site.plan.meetings.iter().filter(inside).skip(self.skip).take(self.top).map(|m| event(m, site)).collect()
    }
}

fn event(meeting: &Meeting, site: &Site) -> Value {
    let base = &site.base;
    json!({
        "EventId": meeting.id,
        "EventGuid": format!("00000000-0000-4000-8000-{:012}", meeting.id),
        "EventLastModifiedUtc": "2026-01-05T16:20:00.000",
        "EventBodyId": 1,
        "EventBodyName": meeting.body,
        "EventDate": format!("{}T00:00:00", meeting.date),
        "EventTime": meeting.time,
        "EventAgendaStatusName": if site.is_cancelled(meeting) { "Cancelled" } else { "Final" },
        "EventMinutesStatusName": "Draft",
        "EventLocation": "Council Chambers,\r\n12 Weir Street",
        "EventAgendaFile": meeting.agenda.as_ref().map(|agenda| address(agenda, base)),
        "EventMinutesFile": null,
        "EventComment": null,
        "EventInSiteURL": format!("{base}/MeetingDetail.aspx?ID={}", meeting.id),
        "EventItems": [],
    })
}

/// The items of a meeting, attachments included.
fn items(meeting: &Meeting, base: &str) -> Value {
    meeting.rows.iter().map(|row| item(meeting, row, base)).collect()
}

fn item(meeting: &Meeting, row: &Row, base: &str) -> Value {
    let attachment = |(sort, document): (usize, &Document)| {
        json!({
            "MatterAttachmentId": document.id,
            "MatterAttachmentName": document.name,
            "MatterAttachmentFileName": format!("{}.pdf", document.id),
            "MatterAttachmentHyperlink": address(document, base),
            "MatterAttachmentShowOnInternetPage": true,
            "MatterAttachmentSort": sort,
        })
    };
    let attachments: Vec<Value> = row.attachments.iter().enumerate().map(attachment).collect();
    let matter = row.matter.as_ref();
    json!({
        "EventItemId": row.id,
        "EventItemEventId": meeting.id,
        "EventItemLastModifiedUtc": "2026-01-05T16:20:00.000",
        "EventItemAgendaSequence": row.sequence,
        "EventItemMinutesSequence": if row.sequence.is_none() { Some(1) } else { None },
        "EventItemAgendaNumber": row.number,
        "EventItemAgendaNote": null,
        "EventItemActionName": null,
        "EventItemTitle": row.title,
        "EventItemConsent": 0,
        "EventItemMatterId": matter.map(|matter| matter.id),
        "EventItemMatterFile": matter.map(|matter| &matter.file),
        "EventItemMatterName": matter.map(|_| &row.title),
        "EventItemMatterType": matter.map(|matter| matter.kind),
        "EventItemMatterStatus": matter.map(|_| "Agenda Ready"),
        "EventItemMatterAttachments": attachments,
    })
}

fn address(document: &Document, base: &str) -> String {
    format!("{base}/files/{}.pdf", document.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_service_does_not_understand_is_refused() {
        for query in
            ["$top=many", "$filter=EventDate", "$filter=EventBodyId ge datetime'2026-01-01'", "$filter=EventDate ge 5"]
        {
            assert!(Query::read(query).is_err(), "{query}");
        }
        let read = Query::read("%24filter=EventDate+ge+datetime%272026-01-01%27&%24top=5000&x=y").unwrap();
        assert_eq!((read.from, read.before, read.top), (Some(jiff::civil::date(2026, 1, 1)), None, 1_000));
    }
}
