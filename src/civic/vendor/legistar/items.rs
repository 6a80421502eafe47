//! `/events/{id}/eventitems`: the agenda, mixed with the rows of the minutes and with what structures the page.

use crate::civic::{
    model::{
        AttachmentId, MatterId, Parsed, ParsedAttachment, ParsedItem, ParsedMatter, SourceItemId, Warning, WarningCode,
        WebUrl,
    },
    vendor::{
        ParseError,
        rows::{Fields, check_read, check_schema, id, id_order, newest, read, warn},
    },
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The field that identifies an item.
const ID: &str = "EventItemId";
/// The field that says whether and where an item stands on the agenda.
const SEQUENCE: &str = "EventItemAgendaSequence";

/// Parses the items of one event.
///
/// # Errors
/// When the bytes are no such list. A row that can't be used is a warning.
pub fn parse_event_items(bytes: &[u8]) -> Result<Parsed<ParsedItem>, ParseError> {
    parse_event_items_with(bytes, None)
}

/// Parses the items of one event; links that are bare file names, as some clients have, are resolved against
/// `attachment_base`.
///
/// # Errors
/// As [`parse_event_items`].
pub fn parse_event_items_with(
    bytes: &[u8],
    attachment_base: Option<&WebUrl>,
) -> Result<Parsed<ParsedItem>, ParseError> {
    let mut warnings = Vec::new();
    let rows = read(bytes, ID, &mut warnings)?;
    check_schema(&rows, ID)?;
    // Where no row has a sequence the client doesn't keep any, and its absence says nothing.
    let sequenced = rows.iter().any(|row| row.get(SEQUENCE).is_some_and(|sequence| !sequence.is_null()));
    let found = newest(&rows, ID, "EventItemLastModifiedUtc", &mut warnings);
    check_read(&rows, found.is_empty())?;
    let mut values: Vec<ParsedItem> = found
        .into_iter()
        .filter_map(|(id, row)| item(&mut Fields { row, id: &id, warnings: &mut warnings }, sequenced, attachment_base))
        .collect();
    warn_repeated(&values, &mut warnings);
    values.sort_by_cached_key(|i| (i.sequence.is_none(), i.sequence, id_order(i.vendor_id.as_str())));
    warnings.sort();
    Ok(Parsed { values, warnings })
}

fn item(fields: &mut Fields<'_, '_>, sequenced: bool, base: Option<&WebUrl>) -> Option<ParsedItem> {
    let before = fields.warnings.len();
    let (matter, attachments) = (matter(fields), attachments(fields, base));
    // Some cities leave the title to the matter.
    let title = fields.text("EventItemTitle").or_else(|| fields.text("EventItemMatterName"));
    let is_chrome = title.as_deref().is_some_and(is_page_chrome);
    let title = title.filter(|_| !is_chrome).or_else(|| {
        // What has a matter's number or a document structures no page.
        let file = matter.as_ref().and_then(|matter| matter.file.clone());
        let words = fields.text("EventItemTitle").map(|title| title.trim_matches(is_of_a_rule).to_owned());
        let name = attachments.first().map(|attachment| attachment.name.clone());
        let is_item = file.is_some() || name.is_some();
        [words, file, name].into_iter().flatten().find(|text| is_item && !is_page_chrome(text))
    });
    let Some(title) = title else {
        let (code, why) = match is_chrome {
            true => (WarningCode::PageChrome, "the row only structures the page"),
            false => (WarningCode::BlankTitle, "the item has no title"),
        };
        fields.warnings.truncate(before);
        fields.warn(code, why);
        return None;
    };
    let sequence = fields.number(SEQUENCE);
    if sequence.is_none() && off_agenda(fields.row, sequenced) {
        fields.warnings.truncate(before);
        fields.warn(WarningCode::NotOnAgenda, "the row has no agenda sequence: it belongs to the minutes");
        return None;
    }
    if sequence.is_none() {
        fields.warn(WarningCode::MissingSequence, "the item has no agenda sequence");
    }
    Some(ParsedItem {
        vendor_id: SourceItemId(fields.id.to_owned()),
        sequence,
        number: fields.text("EventItemAgendaNumber"),
        title,
        matter,
        attachments,
        note: fields.text("EventItemAgendaNote"),
        action: fields.text("EventItemActionName"),
        consent: fields.row.get("EventItemConsent").is_some_and(|v| v.as_i64() == Some(1) || v.as_bool() == Some(true)),
    })
}

/// An explicit null beside rows that are numbered, or beside a place in the minutes, means "not on the agenda".
fn off_agenda(row: &Map<String, Value>, sequenced: bool) -> bool {
    let is_null = row.get(SEQUENCE).is_some_and(Value::is_null);
    let in_minutes = row.get("EventItemMinutesSequence").is_some_and(|sequence| !sequence.is_null());
    is_null && (sequenced || in_minutes)
}

/// Lines of underscores or dashes (a signature may follow them), page breaks, and titles without a letter or digit.
fn is_page_chrome(title: &str) -> bool {
    let lower = title.to_lowercase();
    let words = lower.trim_matches(|c: char| !c.is_alphanumeric());
    let rule = title.chars().take_while(|c| is_of_a_rule(*c)).count();
    rule >= 4 || words.is_empty() || matches!(words, "page break" | "pagebreak" | "blank line" | "line break")
}

const fn is_of_a_rule(c: char) -> bool {
    matches!(c, '_' | '-' | '=' | '*' | '–' | '—' | ' ')
}

fn matter(fields: &mut Fields<'_, '_>) -> Option<ParsedMatter> {
    let matter = ParsedMatter {
        vendor_id: id(fields.row, "EventItemMatterId").map(MatterId),
        file: fields.text("EventItemMatterFile"),
        name: fields.text("EventItemMatterName"),
        kind: fields.text("EventItemMatterType"),
        status: fields.text("EventItemMatterStatus"),
    };
    (matter.vendor_id.is_some() || matter.file.is_some()).then_some(matter)
}

fn attachments(fields: &mut Fields<'_, '_>, base: Option<&WebUrl>) -> Vec<ParsedAttachment> {
    let row = fields.row;
    let rows = match row.get("EventItemMatterAttachments") {
        Some(Value::Array(rows)) => rows,
        None | Some(Value::Null) => return Vec::new(),
        Some(_) => {
            fields.warn(WarningCode::Malformed, "EventItemMatterAttachments is not a list");
            return Vec::new();
        }
    };
    let mut found = BTreeMap::new();
    for row in rows.iter().filter_map(Value::as_object) {
        let mut attachment = Fields { row, id: fields.id, warnings: fields.warnings };
        let vendor_id = id(row, "MatterAttachmentId");
        if attachment.raw("MatterAttachmentHyperlink").is_none() {
            attachment.warn(WarningCode::RefusedLink, "an attachment has no address");
        }
        let Some(url) = attachment.link("MatterAttachmentHyperlink", base) else { continue };
        let name = attachment.text("MatterAttachmentName").or_else(|| attachment.text("MatterAttachmentFileName"));
        let sort = attachment.number("MatterAttachmentSort").unwrap_or(i32::MAX);
        let name = name.unwrap_or_else(|| file_name(&url));
        // The vendor's order, then the id: never the order of the rows, which would change the hash.
        let key = (sort, vendor_id.as_deref().map(id_order), url.clone());
        found.insert(key, ParsedAttachment { vendor_id: vendor_id.map(AttachmentId), name, url });
    }
    let mut seen = std::collections::BTreeSet::new();
    let found: Vec<_> = found.into_values().filter(|attachment| seen.insert(attachment.clone())).collect();
    if rows.iter().any(|row| !row.is_object()) {
        fields.warn(WarningCode::Malformed, "an attachment is not an object");
    }
    found
}

fn file_name(url: &WebUrl) -> String {
    let path = url.as_str().split(['?', '#']).next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn warn_repeated(items: &[ParsedItem], warnings: &mut Vec<Warning>) {
    let mut by_sequence: BTreeMap<i32, Vec<&str>> = BTreeMap::new();
    for item in items {
        if let Some(sequence) = item.sequence {
            by_sequence.entry(sequence).or_default().push(item.vendor_id.as_str());
        }
    }
    for (sequence, ids) in by_sequence.iter().filter(|(_, ids)| ids.len() > 1) {
        for id in ids {
            let message = format!("{} items have the sequence {sequence}", ids.len());
            warn(warnings, WarningCode::RepeatedSequence, &message, Some(id));
        }
    }
}
