//! The rows of an answer, and their fields read with warnings instead of errors.

use super::{
    ParseError,
    clock::{self, TypedTime},
    json, status,
    text::{MAX_CHARS, clean, cut},
    twice,
};
use crate::civic::model::{Parsed, ParsedMeeting, SourceMeetingId, UrlRefused, Warning, WarningCode, WebUrl};
use jiff::civil::{Date, Time};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// More rows than any answer has: the API gives 1,000 a page, and the largest agenda that is known some hundreds.
const MAX_ROWS: usize = 50_000;
/// Different rows of one id that are read, the newest.
const MAX_TWINS: usize = 20;

/// Reads an answer into its rows. A single object counts as a list of one.
///
/// # Errors
/// When the bytes are empty, no JSON, or JSON that is neither a list nor a row with the field `id`.
pub(super) fn read(bytes: &[u8], id: &'static str, warnings: &mut Vec<Warning>) -> Result<Vec<Value>, ParseError> {
    match value(bytes, warnings)? {
        Value::Array(rows) => Ok(bounded(rows, warnings)),
        Value::Object(row) if row.contains_key(id) => {
            warn(warnings, WarningCode::SingleObject, "a single object is read as a list of one", None);
            Ok(vec![Value::Object(row)])
        }
        Value::Object(row) => Err(match row.get("Message").and_then(Value::as_str) {
            Some(message) => said(message),
            None => ParseError::Shape("an object that is no row".to_owned()),
        }),
        _ => Err(ParseError::Shape("neither a list nor an object".to_owned())),
    }
}

/// Reads an answer.
///
/// # Errors
/// When the bytes are empty or no JSON.
pub(super) fn value(bytes: &[u8], warnings: &mut Vec<Warning>) -> Result<Value, ParseError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
    match bytes {
        [] => return Err(ParseError::Empty),
        [b'<', ..] => return Err(markup(bytes)),
        _ => {}
    }
    // Some servers say UTF-8 and send Latin-1: one bad byte must not cost the whole list.
    let text = String::from_utf8_lossy(bytes);
    if matches!(text, std::borrow::Cow::Owned(_)) {
        warn(warnings, WarningCode::Malformed, "the answer is not UTF-8: unreadable characters are replaced", None);
    }
    let error = match json::read(&text, json::BUDGET) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let mended = error.is_syntax().then(|| json::mended(&text)).and_then(|text| json::read(&text, json::BUDGET).ok());
    if mended.is_some() {
        warn(warnings, WarningCode::Malformed, "some text of the answer is no JSON: it is replaced", None);
    }
    mended.ok_or_else(|| ParseError::NotJson(error.to_string()))
}

/// The rows, without those that can't be true.
pub(super) fn bounded(mut rows: Vec<Value>, warnings: &mut Vec<Warning>) -> Vec<Value> {
    if rows.len() > MAX_ROWS {
        let dropped = rows.len() - MAX_ROWS;
        warn(warnings, WarningCode::TooManyRows, &format!("{dropped} rows are left out"), None);
        rows.truncate(MAX_ROWS);
    }
    rows
}

fn markup(bytes: &[u8]) -> ParseError {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(512)]).to_ascii_lowercase();
    if start.contains("<html") || start.contains("<!doctype html") { ParseError::Html } else { ParseError::Xml }
}

/// Refuses a list in which no row has the field at all: an empty result without an error would hide that.
pub(super) fn check_schema(rows: &[Value], id: &'static str) -> Result<(), ParseError> {
    let mut objects = rows.iter().filter_map(Value::as_object).peekable();
    if objects.peek().is_some() && !objects.any(|row| row.contains_key(id)) {
        return Err(ParseError::Schema(id));
    }
    Ok(())
}

/// The meetings of a list's rows: each id once, and what can't be used told.
///
/// # Errors
/// When no row has the field `schema`.
pub(super) fn meetings(
    rows: &[Value],
    (id, schema, changed): (&str, &'static str, &str),
    mut warnings: Vec<Warning>,
    read: impl Fn(&mut Fields<'_, '_>) -> Option<ParsedMeeting>,
) -> Result<Parsed<ParsedMeeting>, ParseError> {
    check_schema(rows, schema)?;
    let mut values = Vec::new();
    let found = by_id(rows, (id, changed), &mut warnings);
    let without_id = found.is_empty();
    for (id, rows) in found {
        if rows.len() > MAX_TWINS {
            warn(
                &mut warnings,
                WarningCode::TooManyRows,
                "the id occurs too often: the newest rows are read",
                Some(&id),
            );
        }
        let mut told: Vec<(&str, ParsedMeeting)> = Vec::new();
        for row in rows.iter().take(MAX_TWINS) {
            let meeting = read(&mut Fields { row, id: &id, warnings: &mut warnings });
            told.extend(meeting.map(|meeting| (row.get(changed).and_then(Value::as_str).unwrap_or_default(), meeting)));
        }
        // Of those that were changed together nobody knows which is the newer one: vendors don't date a cancellation.
        let newest = told.iter().map(|(changed, _)| *changed).max();
        let together = told.into_iter().filter(|(changed, _)| Some(*changed) == newest).map(|(_, meeting)| meeting);
        values.extend(twice::one(together.collect(), &mut Vec::new()));
    }
    let undated = values.is_empty() && warnings.iter().any(|warning| warning.code == WarningCode::MissingDate);
    check_read(rows, without_id || undated)?;
    Ok(listing(values, warnings))
}

/// Refuses a list in which no row at all can be read: an empty result would look like an empty list. A placeholder for a
/// day can be read.
pub(super) fn check_read(rows: &[Value], is_unread: bool) -> Result<(), ParseError> {
    if is_unread && !rows.is_empty() { Err(ParseError::Schema("what is needed, in any of its rows")) } else { Ok(()) }
}

/// Meetings in the order that every list has: by day, time and id.
pub(super) fn listing(mut values: Vec<ParsedMeeting>, mut warnings: Vec<Warning>) -> Parsed<ParsedMeeting> {
    unshare(&mut values, &mut warnings);
    values.iter_mut().for_each(status::arrived);
    values.sort_by_cached_key(|m| (m.local_date, m.local_time, id_order(m.vendor_id.as_str())));
    warnings.sort();
    Parsed { values, warnings }
}

/// An alias that several meetings of one list have names none of them: each gets one of its own.
fn unshare(values: &mut [ParsedMeeting], warnings: &mut Vec<Warning>) {
    let mut owners: BTreeMap<SourceMeetingId, usize> = BTreeMap::new();
    for alias in values.iter().flat_map(|meeting| &meeting.aliases) {
        *owners.entry(alias.clone()).or_default() += 1;
    }
    for meeting in values {
        for alias in meeting.aliases.iter_mut().filter(|alias| owners.get(*alias).is_some_and(|owners| *owners > 1)) {
            let message = format!("other meetings have the id {} too", alias.as_str());
            warn(warnings, WarningCode::DuplicateId, &message, Some(meeting.vendor_id.as_str()));
            *alias = SourceMeetingId(format!("{}/{}", alias.as_str(), meeting.vendor_id.as_str()));
        }
    }
}

/// Whether a meeting may have this day; a placeholder is a warning.
pub(super) fn is_plausible(date: Date, id: Option<&str>, warnings: &mut Vec<Warning>) -> bool {
    let is_placeholder = clock::is_placeholder(date);
    if is_placeholder {
        let message = format!("the year {} is a placeholder", date.year());
        warn(warnings, WarningCode::ImplausibleDate, &message, id);
    }
    !is_placeholder
}

/// The address that a link stands for, resolved against `base` when it is relative; or the code of its warning, and why.
pub(super) fn address(href: &str, base: Option<&WebUrl>) -> Result<WebUrl, (WarningCode, UrlRefused)> {
    let url = match (WebUrl::parse(href), base) {
        (Err(UrlRefused::Relative), Some(base)) => WebUrl::join(base, href),
        (result, _) => result,
    };
    url.map_err(|why| match why {
        UrlRefused::Relative => (WarningCode::RelativeLink, why),
        _ => (WarningCode::RefusedLink, why),
    })
}

/// What a vendor said instead of a list.
pub(super) fn said(message: &str) -> ParseError {
    ParseError::Shape(format!("an error message: {}", cut(clean(message), 200).0))
}

/// A time that was typed by hand; none when it can't be read.
pub(super) fn typed_time(field: &str, text: &str, id: &str, warnings: &mut Vec<Warning>) -> Option<Time> {
    let time = match clock::time(text) {
        // "Cancelled 6:00 PM"; not "After the 5:30 PM meeting".
        TypedTime::Unreadable if status::is_before(text) => {
            clock::time_within(text).map_or(TypedTime::Unreadable, TypedTime::WithText)
        }
        time => time,
    };
    match time {
        TypedTime::Exact(time) => Some(time),
        TypedTime::WithText(time) => {
            let message = format!("{field} holds more than a time: the first one is taken");
            warn(warnings, WarningCode::TimeWithExtraText, &message, Some(id));
            Some(time)
        }
        TypedTime::Unreadable => {
            warn(warnings, WarningCode::UnreadableTime, &format!("{field} holds no time that can be read"), Some(id));
            None
        }
    }
}

pub(super) fn warn(warnings: &mut Vec<Warning>, code: WarningCode, message: &str, id: Option<&str>) {
    warnings.push(Warning { code, message: message.to_owned(), vendor_id: id.map(ToOwned::to_owned) });
}

/// An id: a number, or text that isn't blank.
pub(super) fn id(row: &Map<String, Value>, field: &str) -> Option<String> {
    match row.get(field)? {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(cut(clean(text), 100).0).filter(|text| !text.is_empty()),
        _ => None,
    }
}

/// Sorts ids as numbers where they are numbers, and always the same way.
pub(super) fn id_order(id: &str) -> (usize, String) {
    (id.len(), id.to_owned())
}

/// The different rows of each id, the newest first. Of two that were changed together the one that tells more comes first,
/// then the one whose JSON is greater, so that the order of the rows decides nothing.
fn by_id<'a>(
    rows: &'a [Value],
    (id_field, changed_field): (&str, &str),
    warnings: &mut Vec<Warning>,
) -> BTreeMap<String, Vec<&'a Map<String, Value>>> {
    let mut found: BTreeMap<String, Vec<&Map<String, Value>>> = BTreeMap::new();
    for row in rows {
        let Some(row) = row.as_object() else {
            warn(warnings, WarningCode::Malformed, "a row is not an object", None);
            continue;
        };
        let Some(id) = id(row, id_field) else {
            warn(warnings, WarningCode::MissingId, &format!("a row has no {id_field}"), None);
            continue;
        };
        found.entry(id).or_default().push(row);
    }
    for (id, rows) in found.iter_mut().filter(|(_, rows)| rows.len() > 1) {
        rows.sort_by_cached_key(|row| {
            let changed = row.get(changed_field).and_then(Value::as_str).unwrap_or_default().to_owned();
            let told = row.values().filter(|value| !value.is_null()).count();
            std::cmp::Reverse((changed, told, serde_json::to_string(row).unwrap_or_default()))
        });
        rows.dedup();
        if rows.len() > 1 {
            warn(warnings, WarningCode::DuplicateId, "the id occurs twice: the newer row is kept", Some(id));
        }
    }
    found
}

/// The newest row of each id.
pub(super) fn newest<'a>(
    rows: &'a [Value],
    id_field: &str,
    changed_field: &str,
    warnings: &mut Vec<Warning>,
) -> BTreeMap<String, &'a Map<String, Value>> {
    let mut kept = BTreeMap::new();
    for (id, rows) in by_id(rows, (id_field, changed_field), warnings) {
        kept.extend(rows.first().map(|row| (id, *row)));
    }
    kept
}

/// One row, with its id for warnings.
pub(super) struct Fields<'r, 'a> {
    pub(super) row: &'r Map<String, Value>,
    pub(super) id: &'a str,
    pub(super) warnings: &'a mut Vec<Warning>,
}

impl<'r> Fields<'r, '_> {
    pub(super) fn warn(&mut self, code: WarningCode, message: &str) {
        warn(self.warnings, code, message, Some(self.id));
    }

    /// Cleaned text; none when missing, null or blank.
    pub(super) fn text(&mut self, field: &str) -> Option<String> {
        let raw = match self.row.get(field)? {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => {
                self.warn(WarningCode::Malformed, &format!("{field} is not text"));
                return None;
            }
        };
        let (text, was_cut) = cut(clean(&raw), MAX_CHARS);
        if was_cut {
            self.warn(WarningCode::TextCut, &format!("{field} is cut to {MAX_CHARS} characters"));
        }
        Some(text).filter(|text| !text.is_empty())
    }

    /// An address or another text that is no prose; none when missing, null, blank or no text.
    pub(super) fn raw(&self, field: &str) -> Option<String> {
        self.row.get(field)?.as_str().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// A list; empty when missing or null.
    pub(super) fn list(&mut self, field: &str) -> &'r [Value] {
        match self.row.get(field) {
            Some(Value::Array(values)) => {
                if values.iter().any(|value| !value.is_object()) {
                    self.warn(WarningCode::Malformed, &format!("{field} holds what is no object"));
                }
                values
            }
            None | Some(Value::Null) => &[],
            Some(_) => {
                self.warn(WarningCode::Malformed, &format!("{field} is not a list"));
                &[]
            }
        }
    }

    /// A time that was typed by hand; none when it can't be read.
    pub(super) fn time(&mut self, field: &str, text: &str) -> Option<Time> {
        typed_time(field, text, self.id, self.warnings)
    }

    /// A whole number; none when missing, null or anything else.
    pub(super) fn number(&mut self, field: &str) -> Option<i32> {
        let value = self.row.get(field)?;
        let number = match value {
            Value::Null => return None,
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_i64().and_then(|n| i32::try_from(n).ok()),
        };
        if number.is_none() {
            self.warn(WarningCode::Malformed, &format!("{field} is not a whole number"));
        }
        number
    }

    /// A web address, resolved against `base` when it is relative; anything else is left out with a warning.
    pub(super) fn link(&mut self, field: &str, base: Option<&WebUrl>) -> Option<WebUrl> {
        let text = match self.row.get(field)? {
            Value::String(text) if !text.trim().is_empty() => text.trim(),
            Value::String(_) | Value::Null => return None,
            _ => {
                self.warn(WarningCode::Malformed, &format!("{field} is not text"));
                return None;
            }
        };
        address(text, base)
            // The link itself may hold credentials or script: only its name is told.
            .map_err(|(code, why)| self.warn(code, &format!("{field} is left out: {why}")))
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(bytes: &[u8]) -> ParseError {
        read(bytes, "EventId", &mut Vec::new()).unwrap_err()
    }

    #[test]
    fn what_is_no_list_has_its_own_error() {
        assert_eq!(error(b""), ParseError::Empty);
        assert_eq!(error(b" \r\n\xef\xbb\xbf"), ParseError::NotJson(error_text(b"\xef\xbb\xbf")));
        assert_eq!(error(b"<!DOCTYPE html><html><body>Error.aspx"), ParseError::Html);
        assert_eq!(error(b"<?xml version=\"1.0\"?><ArrayOfGranicusEvent/>"), ParseError::Xml);
        assert_eq!(error(b"{\"Message\":\"bad <b>filter</b>\"}").to_string().matches("bad filter").count(), 1);
        assert!(matches!(error(b"42"), ParseError::Shape(_)));
        assert!(matches!(error(b"[{\"EventId\": 1"), ParseError::NotJson(_)));
        assert!(matches!(error("[".repeat(1_000_000).as_bytes()), ParseError::NotJson(_)));
    }

    fn error_text(bytes: &[u8]) -> String {
        serde_json::from_str::<Value>(&String::from_utf8_lossy(bytes)).unwrap_err().to_string()
    }

    #[test]
    fn latin_1_costs_a_character_and_not_the_list() {
        let mut warnings = Vec::new();
        let rows = read(b"[{\"EventId\":1,\"EventBodyName\":\"Pe\xf1asco\"}]", "EventId", &mut warnings).unwrap();
        assert_eq!((rows.len(), warnings.len()), (1, 1));
    }
}
