//! `Events`: `{"value": [...], "@odata.nextLink": ...}`.

use crate::civic::{
    model::{
        DocumentRole, Evidence, EvidenceSource, MeetingStatus, Parsed, ParsedDocument, ParsedMeeting, SourceMeetingId,
        Warning, WarningCode, WebUrl,
    },
    vendor::{
        ParseError, clock,
        links::{Links, publish},
        rows::{self, Fields, bounded, id, id_order, is_plausible, said, value, warn},
        status,
        text::{clean, cut},
    },
};
use serde_json::{Map, Value};

/// The field that identifies an event.
const ID: &str = "id";
/// An alias that names the agenda: its items are asked for by this number.
const AGENDA: &str = "agenda-";
/// Files of one event that are read.
const MAX_FILES: usize = 200;

/// One page of a list.
pub(super) struct EventPage {
    pub(super) rows: Vec<Value>,
    /// Where the list goes on.
    pub(super) next: Option<String>,
    /// The API's address, which the answer names.
    pub(super) base: Option<WebUrl>,
}

/// Parses a list of events. Links are relative to `base`, or to what the answer names as its context.
///
/// # Errors
/// When the bytes are no such list. A row that can't be used is a warning.
pub fn parse_events(bytes: &[u8], base: Option<&WebUrl>) -> Result<Parsed<ParsedMeeting>, ParseError> {
    let mut warnings = Vec::new();
    let page = page(bytes, &mut warnings)?;
    from_rows(&page.rows, base.or(page.base.as_ref()), warnings)
}

pub(super) fn page(bytes: &[u8], warnings: &mut Vec<Warning>) -> Result<EventPage, ParseError> {
    let mut body = match value(bytes, warnings)? {
        Value::Object(body) => body,
        Value::Array(rows) => return Ok(EventPage { rows: bounded(rows, warnings), next: None, base: None }),
        _ => return Err(ParseError::Shape("neither a list nor an object".to_owned())),
    };
    let text = |body: &Map<String, Value>, name: &str| body.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let (next, context) = (text(&body, "@odata.nextLink"), text(&body, "@odata.context"));
    let base = context.and_then(|context| WebUrl::parse(context.split("$metadata").next()?).ok());
    match body.remove("value") {
        Some(Value::Array(rows)) => Ok(EventPage { rows: bounded(rows, warnings), next, base }),
        _ if body.contains_key("eventName") => {
            warn(warnings, WarningCode::SingleObject, "a single object is read as a list of one", None);
            Ok(EventPage { rows: vec![Value::Object(body)], next: None, base })
        }
        _ => {
            let message = body.get("error").and_then(|error| error.get("message")).and_then(Value::as_str);
            Err(message.map_or_else(|| ParseError::Shape("an object without a list".to_owned()), said))
        }
    }
}

pub(super) fn from_rows(
    rows: &[Value],
    base: Option<&WebUrl>,
    warnings: Vec<Warning>,
) -> Result<Parsed<ParsedMeeting>, ParseError> {
    rows::meetings(rows, (ID, "startDateTime", "createdOn"), warnings, |fields| meeting(fields, base))
}

/// The number of a meeting's agenda; none: it has no agenda yet.
pub(super) fn agenda_of(meeting: &ParsedMeeting) -> Option<&str> {
    // Behind the number may stand the meeting's, where two have one agenda.
    meeting.aliases.iter().find_map(|alias| alias.as_str().strip_prefix(AGENDA)?.split('/').next())
}

fn meeting(fields: &mut Fields<'_, '_>, base: Option<&WebUrl>) -> Option<ParsedMeeting> {
    // It says Z and means the city's clocks.
    let starts: Vec<_> = ["startDateTime", "eventDate"]
        .into_iter()
        .filter_map(|field| fields.text(field))
        .filter_map(|text| Some((clock::date(&text)?, text)))
        .collect();
    let told = starts.iter().find(|(at, _)| !clock::is_placeholder(at.date())).or_else(|| starts.first());
    let Some((at, start)) = told.cloned() else {
        fields.warn(WarningCode::MissingDate, "startDateTime can't be read");
        return None;
    };
    if !is_plausible(at.date(), Some(fields.id), fields.warnings) {
        return None;
    }
    let title = fields.text("eventName").or_else(|| fields.text("agendaName")).unwrap_or_default();
    let (documents, unlinked) = documents(fields, base);
    let mut meeting = ParsedMeeting::new(SourceMeetingId(fields.id.to_owned()), title, at.date());
    meeting.local_time = Some(at.time()).filter(|time| *time != jiff::civil::Time::midnight());
    meeting.time_text = Some(start);
    meeting.body_name = fields.text("eventCategoryName").or_else(|| fields.text("categoryName")).unwrap_or_default();
    // 0 says that there is none.
    let agenda =
        id(fields.row, "agendaId").filter(|number| number.bytes().all(|b| b.is_ascii_digit()) && number != "0");
    meeting.aliases.extend(agenda.map(|number| SourceMeetingId(format!("{AGENDA}{number}"))));
    meeting.location = location(fields);
    meeting.agenda_status = fields.text("isPublished");
    meeting.comment = fields.text("eventDescription");
    let agenda_name = fields.text("agendaName");
    let texts: Vec<_> = [
        (EvidenceSource::Title, Some(meeting.title.as_str())),
        (EvidenceSource::Title, agenda_name.as_deref()),
        (EvidenceSource::Location, meeting.location.as_deref()),
        (EvidenceSource::Comment, meeting.comment.as_deref()),
    ]
    .into_iter()
    .chain(unlinked.iter().map(|name| (EvidenceSource::Document, Some(name.as_str()))))
    .collect();
    let is = |name: &str| fields.row.get(name).and_then(Value::as_bool) == Some(true);
    // What is live now has media too.
    let recording = (is("hasMedia") && !is("isLive") && !is("liveIsCurrentlyStreaming")).then_some("hasMedia");
    (meeting.status, meeting.status_evidence) = if fields.row.get("isDeleted") == Some(&Value::Bool(true)) {
        let evidence = Evidence { source: EvidenceSource::StatusField, text: "isDeleted".to_owned(), to: None };
        (MeetingStatus::Withdrawn, Some(evidence))
    } else {
        status::of_published(&texts, &documents, recording)
    };
    publish(&mut meeting, documents);
    Some(meeting)
}

fn location(fields: &mut Fields<'_, '_>) -> Option<String> {
    let Value::Object(place) = fields.row.get("eventLocation")? else { return fields.text("eventLocation") };
    let parts =
        ["address1", "address2", "city", "state", "zipCode"].map(|name| place.get(name).and_then(Value::as_str));
    let parts = parts.into_iter().flatten().map(|part| clean(part).trim_end_matches([',', ' ']).to_owned());
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    Some(cut(parts.join(", "), 500).0).filter(|text| !text.is_empty())
}

/// Files have a number each; the `url` beside it is the vendor's store. Also the names of those that lead nowhere.
fn documents(fields: &mut Fields<'_, '_>, base: Option<&WebUrl>) -> (Vec<ParsedDocument>, Vec<String>) {
    let files = fields.list("publishedFiles");
    if files.len() > MAX_FILES {
        fields.warn(WarningCode::TooManyRows, "files are left out");
    }
    let mut links = Links::new(base, fields.id, fields.warnings);
    let mut unlinked = Vec::new();
    let mut files: Vec<&Map<String, Value>> = files.iter().take(MAX_FILES).filter_map(Value::as_object).collect();
    files.sort_by_cached_key(|file| {
        (file.get("sort").and_then(Value::as_i64), id(file, "fileId").as_deref().map(id_order))
    });
    for file in files {
        let text = |name: &str| file.get(name).and_then(Value::as_str).map(clean).unwrap_or_default();
        let (kind, name) = (text("type"), text("name"));
        let role = match DocumentRole::of_name(&kind) {
            DocumentRole::Other => DocumentRole::of_name(&name),
            role => role,
        };
        let name = if name.is_empty() { kind } else { name };
        let number = id(file, "fileId").filter(|number| number != "0");
        let whole = file.get("url").and_then(Value::as_str).filter(|url| url.starts_with("http"));
        let href = number.map(|number| format!("Meetings/GetMeetingFileStream(fileId={number},plainText=false)"));
        match href.or_else(|| whole.map(ToOwned::to_owned)) {
            Some(href) => links.add(role, &name, &href),
            None => {
                links.nowhere(&name);
                unlinked.push(name);
            }
        }
    }
    (links.end(), unlinked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Parsed<ParsedMeeting>, ParseError> {
        parse_events(json.as_bytes(), None)
    }

    #[test]
    fn z_is_local_and_sentinels_are_none() {
        let parsed = parse(
            r#"{"@odata.context": "https://t.api.civicclerk.com/v1/$metadata#Events", "value": [
                {"id": 1, "eventName": "Bo\u200bard", "startDateTime": "2026-06-08T19:00:00Z", "agendaId": 0},
                {"id": 2, "eventName": "Board", "startDateTime": "0001-01-01T00:00:00Z", "agendaId": 7},
                {"id": 3, "eventName": "Board", "startDateTime": "2026-06-08T19:00:00Z", "agendaId": 7, "isDeleted": true,
                 "publishedFiles": [{"fileId": 12, "type": "Agenda", "name": ""}, {"fileId": 0, "type": "Agenda"}]}]}"#,
        )
        .unwrap();
        let [a, b] = &parsed.values[..] else { panic!("{parsed:?}") };
        assert_eq!(
            (a.title.as_str(), a.local_time, agenda_of(a)),
            ("Board", Some(jiff::civil::time(19, 0, 0, 0)), None)
        );
        assert_eq!((b.status, agenda_of(b)), (MeetingStatus::Withdrawn, Some("7")));
        let url = "https://t.api.civicclerk.com/v1/Meetings/GetMeetingFileStream(fileId=12,plainText=false)";
        assert_eq!(b.agenda_url.as_ref().map(WebUrl::as_str), Some(url));
        assert_eq!(parsed.warnings[0].code, WarningCode::ImplausibleDate);
    }

    #[test]
    fn a_status_stands_in_the_agendas_name_or_in_the_recording() {
        let status = |fields: &str| {
            let json = format!(
                r#"{{"value": [{{"id": 1, "eventName": "Board", "startDateTime": "2026-06-08T19:00:00Z", {fields}}}]}}"#
            );
            parse(&json).unwrap().values[0].status
        };
        assert_eq!(status(r#""agendaName": "CANCELLED Board""#), MeetingStatus::Cancelled);
        // Nobody has seen what stands there: it may be the same words for every meeting.
        assert_eq!(status(r#""eventNotice": "Meetings may be cancelled""#), MeetingStatus::Scheduled);
        assert_eq!(status(r#""hasMedia": true"#), MeetingStatus::Held);
        assert_eq!(status(r#""hasMedia": true, "isLive": true"#), MeetingStatus::Scheduled);
        assert_eq!(status(r#""hasMedia": false"#), MeetingStatus::Scheduled);
    }

    #[test]
    fn what_is_no_list_says_so() {
        assert!(matches!(parse("{}"), Err(ParseError::Shape(_))));
        let error = parse(r#"{"error": {"message": "Resource not found"}}"#).unwrap_err().to_string();
        assert!(error.contains("Resource not found"), "{error}");
        assert_eq!(parse(r#"{"value": [{"name": 1}]}"#), Err(ParseError::Schema("startDateTime")));
        assert_eq!(parse(r#"{"value": []}"#).unwrap(), Parsed::default());
    }
}
