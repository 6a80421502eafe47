//! `/events`: meetings.

use crate::civic::{
    model::{
        DocumentRole, EvidenceSource, Parsed, ParsedDocument, ParsedMeeting, SourceMeetingId, Warning, WarningCode,
        WebUrl,
    },
    vendor::{
        ParseError, clock,
        rows::{self, Fields, is_plausible, read},
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
pub fn parse_events(bytes: &[u8], base: Option<&WebUrl>) -> Result<Parsed<ParsedMeeting>, ParseError> {
    let mut warnings = Vec::new();
    let rows = read(bytes, ID, &mut warnings)?;
    from_rows(&rows, base, warnings)
}

/// Parses the rows of one or several pages.
pub(super) fn from_rows(
    rows: &[Value],
    base: Option<&WebUrl>,
    warnings: Vec<Warning>,
) -> Result<Parsed<ParsedMeeting>, ParseError> {
    rows::meetings(rows, (ID, ID, "EventLastModifiedUtc"), warnings, |fields| meeting(fields, base))
}

/// The id that a meeting has in the API and in the calendar; none: all zeros.
pub(super) fn guid(text: &str) -> Option<SourceMeetingId> {
    let is_one = text.contains(|c: char| c.is_alphanumeric() && c != '0');
    is_one.then(|| SourceMeetingId(format!("guid-{}", text.to_lowercase())))
}

fn meeting(fields: &mut Fields<'_, '_>, base: Option<&WebUrl>) -> Option<ParsedMeeting> {
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
    meeting.aliases.extend(fields.text("EventGuid").as_deref().and_then(guid));
    meeting.body_name = body_name;
    (meeting.local_time, meeting.time_text) = (local_time, time_text);
    (meeting.status, meeting.status_evidence) = (status, status_evidence);
    (meeting.location, meeting.agenda_status, meeting.comment) = (location, agenda_status, comment);
    meeting.agenda_url = fields.link("EventAgendaFile", base);
    meeting.minutes_url = fields.link("EventMinutesFile", base);
    meeting.page_url = fields.link("EventInSiteURL", base);
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
fn date(fields: &mut Fields<'_, '_>) -> Option<(Date, Option<Time>)> {
    let Some(text) = fields.text("EventDate") else {
        fields.warn(WarningCode::MissingDate, "the meeting has no date");
        return None;
    };
    let Some(at) = clock::date(&text) else {
        fields.warn(WarningCode::MissingDate, "EventDate can't be read");
        return None;
    };
    let time = Some(at.time()).filter(|time| *time != Time::midnight());
    is_plausible(at.date(), Some(fields.id), fields.warnings).then_some((at.date(), time))
}
