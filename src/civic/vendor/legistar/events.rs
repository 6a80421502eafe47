//! `/events`: meetings.

use crate::civic::{
    model::{
        DocumentRole, EvidenceSource, Parsed, ParsedDocument, ParsedMeeting, SourceMeetingId, Warning, WarningCode,
    },
    vendor::{
        ParseError, clock,
        rows::{Fields, check_schema, id_order, newest, read},
        status,
    },
};
use jiff::civil::{Date, Time};
use serde_json::Value;

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

fn meeting(fields: &mut Fields<'_>) -> Option<ParsedMeeting> {
    let (local_date, time_in_date) = date(fields)?;
    let time_text = fields.text("EventTime");
    let local_time = match &time_text {
        Some(text) => fields.time("EventTime", text),
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
    let mut meeting = ParsedMeeting::new(SourceMeetingId(fields.id.to_owned()), body_name.clone(), local_date);
    let guid = fields.text("EventGuid").map(|guid| SourceMeetingId(format!("guid-{}", guid.to_lowercase())));
    meeting.aliases.extend(guid);
    meeting.body_name = body_name;
    (meeting.local_time, meeting.time_text) = (local_time, time_text);
    (meeting.status, meeting.status_evidence) = (status, status_evidence);
    (meeting.location, meeting.agenda_status, meeting.comment) = (location, agenda_status, comment);
    meeting.agenda_url = fields.link("EventAgendaFile", None);
    meeting.minutes_url = fields.link("EventMinutesFile", None);
    meeting.page_url = fields.link("EventInSiteURL", None);
    meeting.documents = [
        (DocumentRole::Agenda, "Agenda", &meeting.agenda_url),
        (DocumentRole::Minutes, "Minutes", &meeting.minutes_url),
    ]
    .into_iter()
    .filter_map(|(role, name, url)| url.clone().map(|url| ParsedDocument::at(role, name, url)))
    .collect();
    Some(meeting)
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
