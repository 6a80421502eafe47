//! `/events`: meetings.

use super::rows::{Fields, check_schema, id, id_order, read, warn};
use crate::civic::{
    model::{EvidenceSource, Parsed, ParsedMeeting, SourceMeetingId, Warning, WarningCode},
    vendor::{
        ParseError,
        clock::{self, TypedTime},
        status,
    },
};
use jiff::civil::{Date, Time};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The field that identifies an event.
pub(super) const ID: &str = "EventId";

/// Parses a list of events.
///
/// # Errors
/// When the bytes are no such list. A row that can't be used is a warning.
pub fn parse_events(bytes: &[u8]) -> Result<Parsed<ParsedMeeting>, ParseError> {
    let mut warnings = Vec::new();
    let rows = read(bytes, ID, &mut warnings)?;
    from_rows(&rows, warnings)
}

/// Parses the rows of one or several pages.
pub(super) fn from_rows(rows: &[Value], mut warnings: Vec<Warning>) -> Result<Parsed<ParsedMeeting>, ParseError> {
    check_schema(rows, ID)?;
    let mut values: Vec<ParsedMeeting> = newest(rows, ID, "EventLastModifiedUtc", &mut warnings)
        .into_iter()
        .filter_map(|(id, row)| meeting(&mut Fields { row, id: &id, warnings: &mut warnings }))
        .collect();
    values.sort_by_cached_key(|m| (m.local_date, m.local_time, id_order(m.vendor_id.as_str())));
    warnings.sort();
    Ok(Parsed { values, warnings })
}

/// The rows by id. Of two with one id the one changed last is kept; of two changed together the one whose JSON is
/// greater, so that the order of the rows decides nothing.
pub(super) fn newest<'a>(
    rows: &'a [Value],
    id_field: &str,
    changed_field: &str,
    warnings: &mut Vec<Warning>,
) -> BTreeMap<String, &'a Map<String, Value>> {
    let age = |row: &Map<String, Value>| {
        let changed = row.get(changed_field).and_then(Value::as_str).unwrap_or_default().to_owned();
        (changed, serde_json::to_string(row).unwrap_or_default())
    };
    let mut kept = BTreeMap::new();
    for row in rows {
        let Some(row) = row.as_object() else {
            warn(warnings, WarningCode::Malformed, "a row is not an object", None);
            continue;
        };
        let Some(id) = id(row, id_field) else {
            warn(warnings, WarningCode::MissingId, &format!("a row has no {id_field}"), None);
            continue;
        };
        if let Some(other) = kept.get(&id).copied() {
            warn(warnings, WarningCode::DuplicateId, "the id occurs twice: the newer row is kept", Some(&id));
            if age(other) > age(row) {
                continue;
            }
        }
        kept.insert(id, row);
    }
    kept
}

fn meeting(fields: &mut Fields<'_>) -> Option<ParsedMeeting> {
    let (local_date, time_in_date) = date(fields)?;
    let time_text = fields.text("EventTime");
    let local_time = match &time_text {
        Some(text) => time(fields, text),
        None => time_in_date,
    };
    let body_name = fields.text("EventBodyName").unwrap_or_default();
    let agenda_status = fields.text("EventAgendaStatusName");
    let minutes_status = fields.text("EventMinutesStatusName");
    let location = fields.text("EventLocation");
    let comment = fields.text("EventComment");
    let (status, status_evidence) = status::read(&[
        (EvidenceSource::StatusField, agenda_status.as_deref()),
        (EvidenceSource::StatusField, minutes_status.as_deref()),
        (EvidenceSource::Title, Some(&body_name)),
        (EvidenceSource::Location, location.as_deref()),
        (EvidenceSource::Time, time_text.as_deref()),
        (EvidenceSource::Comment, comment.as_deref()),
    ]);
    Some(ParsedMeeting {
        vendor_id: SourceMeetingId(fields.id.to_owned()),
        title: body_name.clone(),
        body_name,
        local_date,
        local_time,
        time_text,
        status,
        status_evidence,
        location,
        agenda_url: fields.link("EventAgendaFile", None),
        minutes_url: fields.link("EventMinutesFile", None),
        page_url: fields.link("EventInSiteURL", None),
        agenda_status,
        comment,
    })
}

/// The day, and the time if the date holds one: midnight is how the API writes "see `EventTime`".
fn date(fields: &mut Fields<'_>) -> Option<(Date, Option<Time>)> {
    let Some(text) = fields.text("EventDate") else {
        fields.warn(WarningCode::MissingDate, "the meeting has no date");
        return None;
    };
    match clock::date(&text) {
        None => fields.warn(WarningCode::MissingDate, "EventDate can't be read"),
        Some(at) if clock::is_placeholder(at.date()) => {
            fields.warn(WarningCode::ImplausibleDate, &format!("the year {} is a placeholder", at.year()));
        }
        Some(at) => return Some((at.date(), Some(at.time()).filter(|time| *time != Time::midnight()))),
    }
    None
}

fn time(fields: &mut Fields<'_>, text: &str) -> Option<Time> {
    match clock::time(text) {
        TypedTime::Exact(time) => Some(time),
        TypedTime::WithText(time) => {
            fields.warn(WarningCode::TimeWithExtraText, "EventTime holds more than a time: the first one is taken");
            Some(time)
        }
        TypedTime::Unreadable => {
            fields.warn(WarningCode::UnreadableTime, "EventTime holds no time that can be read");
            None
        }
    }
}
