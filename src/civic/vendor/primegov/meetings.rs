//! `ListUpcomingMeetings` and `ListArchivedMeetings`: a bare list.

use crate::civic::{
    model::{
        DocumentRole, EvidenceSource, Parsed, ParsedDocument, ParsedMeeting, SourceMeetingId, Warning, WarningCode,
        WebUrl,
    },
    vendor::{
        ParseError, clock,
        links::{Links, publish},
        rows::{self, Fields, id, read},
        status,
    },
};
use jiff::civil::{Date, Time};
use serde_json::{Map, Value};

/// The field that identifies a meeting.
pub(super) const ID: &str = "id";
/// Rows of documents of one meeting that are looked at.
const MAX_DOCUMENTS: usize = 200;

/// Parses a list of meetings; `base` is the portal's address, to which all its links are relative.
///
/// # Errors
/// When the bytes are no such list. A row that can't be used is a warning.
pub fn parse_meetings(bytes: &[u8], base: Option<&WebUrl>) -> Result<Parsed<ParsedMeeting>, ParseError> {
    let mut warnings = Vec::new();
    let rows = read(bytes, ID, &mut warnings)?;
    from_rows(&rows, base, warnings)
}

/// Parses the rows of one or several lists.
pub(super) fn from_rows(
    rows: &[Value],
    base: Option<&WebUrl>,
    warnings: Vec<Warning>,
) -> Result<Parsed<ParsedMeeting>, ParseError> {
    rows::meetings(rows, (ID, "dateTime", "publishDate"), warnings, |fields| meeting(fields, base))
}

fn meeting(fields: &mut Fields<'_, '_>, base: Option<&WebUrl>) -> Option<ParsedMeeting> {
    let title = fields.text("title").unwrap_or_default();
    let (date, time) = start(fields)?;
    let documents = documents(fields, base);
    let mut meeting = ParsedMeeting::new(SourceMeetingId(fields.id.to_owned()), title, date);
    meeting.local_time = time;
    meeting.time_text = fields.text("time");
    meeting.location = fields.text("location");
    let texts = [
        (EvidenceSource::Title, Some(meeting.title.as_str())),
        (EvidenceSource::Location, meeting.location.as_deref()),
    ];
    let recording = recording(fields);
    (meeting.status, meeting.status_evidence) = status::of_published(&texts, &documents, recording.as_deref());
    publish(&mut meeting, documents);
    Some(meeting)
}

/// The address of the recording. Before a meeting stands that of the event there, which has none yet.
fn recording(fields: &mut Fields<'_, '_>) -> Option<String> {
    let ended = fields.row.get("streamCompleted").and_then(Value::as_bool) == Some(true);
    fields.text("videoUrl").filter(|url| ended && !url.contains("event_id=") && !url.contains("/events/"))
}

/// `dateTime` is local; older rows have only the texts.
fn start(fields: &mut Fields<'_, '_>) -> Option<(Date, Option<Time>)> {
    let at = fields.text("dateTime").and_then(|text| clock::date(&text)).filter(|at| !clock::is_placeholder(at.date()));
    if let Some(at) = at {
        // Midnight is how it writes "see `time`".
        let time = Some(at.time()).filter(|time| *time != Time::midnight());
        return Some((at.date(), time.or_else(|| typed_time(fields)).filter(|time| *time != Time::midnight())));
    }
    let date = fields.text("date").and_then(|text| clock::typed_date(&text).map(|(date, _)| date));
    let Some(date) = date.filter(|date| !clock::is_placeholder(*date)) else {
        fields.warn(WarningCode::MissingDate, "neither dateTime nor date can be read");
        return None;
    };
    Some((date, typed_time(fields)))
}

fn typed_time(fields: &mut Fields<'_, '_>) -> Option<Time> {
    fields.text("time").and_then(|text| fields.time("time", &text))
}

/// The compiled PDF first: it is the document that is best read.
fn documents(fields: &mut Fields<'_, '_>, base: Option<&WebUrl>) -> Vec<ParsedDocument> {
    let list = fields.list("documentList");
    if list.len() > MAX_DOCUMENTS {
        fields.warn(WarningCode::TooManyRows, "documents are left out");
    }
    let published = |row: &&Map<String, Value>| row.get("publishStatus").and_then(Value::as_i64) != Some(0);
    let rows = list.iter().take(MAX_DOCUMENTS).filter_map(Value::as_object).filter(published);
    let mut rows: Vec<&Map<String, Value>> = rows.collect();
    let number = |row: &Map<String, Value>, field| row.get(field).and_then(Value::as_i64).unwrap_or(i64::MAX);
    rows.sort_by_key(|row| (number(row, "compileOutputType"), number(row, "templateSortOrder"), number(row, "id")));
    let mut links = Links::new(base, fields.id, fields.warnings);
    for row in rows {
        let mut ignored = Vec::new();
        let mut document = Fields { row, id: "", warnings: &mut ignored };
        let name = document.text("templateName").unwrap_or_default();
        let kind = document.number("compileOutputType").unwrap_or_default();
        // Without a template only this one file is meant.
        let template = id(row, "templateId").filter(|template| template != "0" && !template.starts_with('-'));
        let href = match (document.raw("link"), template, id(row, "id")) {
            (Some(link), ..) => link,
            (None, Some(template), _) => address(kind, "meetingTemplateId", &template),
            (None, None, Some(file)) => address(kind, "compiledMeetingDocumentFileId", &file),
            (None, None, None) => {
                links.nowhere(&name);
                continue;
            }
        };
        links.add(DocumentRole::of_name(&name), &name, &href);
    }
    links.end()
}

/// The address that stays: it leads to a signed one, which expires.
fn address(kind: i32, what: &str, number: &str) -> String {
    match kind {
        3 => format!("/Portal/Meeting?{what}={number}"),
        _ => format!("/Public/CompiledDocument?{what}={number}&compileOutputType={kind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::civic::model::MeetingStatus;
    use proptest::prelude::*;

    fn parse(json: &str) -> Parsed<ParsedMeeting> {
        let base = WebUrl::parse("https://city.primegov.com/").unwrap();
        parse_meetings(json.as_bytes(), Some(&base)).unwrap()
    }

    #[test]
    fn the_address_that_stays_is_kept() {
        let parsed = parse(
            r#"[{"id": 5, "dateTime": "2026-07-09T17:00:00", "time": "05:00 PM", "title": " Council ", "location": "", "documentList": [
                {"id": 1, "compileOutputType": 3, "templateId": 9, "templateName": "HTML Agenda", "link": null},
                {"id": 2, "compileOutputType": 1, "templateId": 9, "templateName": "Agenda", "link": null},
                {"id": 3, "compileOutputType": 1, "templateName": "Packet"}]}]"#,
        );
        let meeting = &parsed.values[0];
        assert_eq!(
            meeting.agenda_url.as_ref().map(WebUrl::as_str),
            Some("https://city.primegov.com/Public/CompiledDocument?meetingTemplateId=9&compileOutputType=1")
        );
        assert_eq!(
            (meeting.documents.len(), meeting.title.as_str(), meeting.location.as_deref()),
            (3, "Council", None)
        );
        assert_eq!(meeting.local_time, Some(jiff::civil::time(17, 0, 0, 0)));
    }

    #[test]
    fn a_notice_among_the_documents_cancels() {
        let parsed = parse(
            r#"[{"id": 5, "dateTime": "2026-07-09T17:00:00", "title": "Board", "meetingState": 3, "documentList": [
                {"id": 1, "compileOutputType": 1, "templateId": 9, "templateName": "Notice of Cancellation"}]}]"#,
        );
        assert_eq!(parsed.values[0].status, MeetingStatus::Cancelled);
        assert_eq!(parsed.values[0].status_evidence.as_ref().map(|e| e.source), Some(EvidenceSource::Document));
    }

    #[test]
    fn a_file_without_a_template_has_its_own_address_and_one_that_is_not_published_has_none() {
        let parsed = parse(
            r#"[{"id": 5, "dateTime": "2026-07-09T17:00:00", "title": "x", "documentList": [
                {"id": 1, "compileOutputType": 1, "templateId": 0, "templateName": "Vote summary"},
                {"id": 2, "compileOutputType": 3, "templateId": -1, "templateName": "HTML Agenda"},
                {"id": 3, "compileOutputType": 1, "templateId": 9, "templateName": "Minutes", "publishStatus": 0}]}]"#,
        );
        let urls: Vec<_> = parsed.values[0].documents.iter().map(|document| document.url.clone().unwrap()).collect();
        let at = |path: &str| WebUrl::parse(&format!("https://city.primegov.com{path}")).unwrap();
        let file = at("/Public/CompiledDocument?compiledMeetingDocumentFileId=1&compileOutputType=1");
        assert_eq!(urls, [file, at("/Portal/Meeting?compiledMeetingDocumentFileId=2")]);
        assert_eq!(parsed.values[0].status, MeetingStatus::Scheduled, "nobody has seen the minutes");
    }

    #[test]
    fn a_recording_that_ended_shows_that_the_meeting_was_held() {
        let status = |fields: &str| {
            parse(&format!(r#"[{{"id": 5, "dateTime": "2026-07-09T17:00:00", "title": "x", {fields}}}]"#)).values[0]
                .status
        };
        let clip = r#""videoUrl": "//c.granicus.com/MediaPlayer.php?clip_id=34""#;
        assert_eq!(status(&format!(r#"{clip}, "streamCompleted": true"#)), MeetingStatus::Held);
        assert_eq!(status(&format!(r#"{clip}, "streamCompleted": false"#)), MeetingStatus::Scheduled);
        let event = r#""videoUrl": "https://c.swagit.com/events/49259", "streamCompleted": true"#;
        assert_eq!(status(event), MeetingStatus::Scheduled);
    }

    #[test]
    fn a_row_without_a_day_is_left_out_and_told() {
        let parsed = parse(
            r#"[{"id": 1, "dateTime": "0001-01-01T00:00:00", "title": "x"}, {"id": 2, "dateTime": null, "date": "Jul 08, 2026", "time": "09:30 AM", "title": "y"}]"#,
        );
        assert_eq!(parsed.values.len(), 1);
        assert_eq!(parsed.values[0].local_time, Some(jiff::civil::time(9, 30, 0, 0)));
        assert_eq!(parsed.warnings[0].code, WarningCode::MissingDate);
    }

    proptest! {
        #[test]
        fn the_order_of_rows_decides_nothing(ids in proptest::collection::vec(0u8..9, 0..8)) {
            let rows: Vec<Value> = ids.iter().enumerate()
                .map(|(n, id)| serde_json::json!({"id": id, "dateTime": "2026-07-09T17:00:00", "title": format!("t{n}")}))
                .collect();
            let mut reversed = rows.clone();
            reversed.reverse();
            let (a, b) = (from_rows(&rows, None, Vec::new()), from_rows(&reversed, None, Vec::new()));
            prop_assert_eq!(a.map(|parsed| parsed.values).ok(), b.map(|parsed| parsed.values).ok());
        }
    }
}
