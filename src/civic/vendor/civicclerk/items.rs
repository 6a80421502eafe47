//! `Meetings/{agendaId}`: a tree of items.

use crate::civic::{
    model::{AttachmentId, Parsed, ParsedAttachment, ParsedItem, SourceItemId, Warning, WarningCode, WebUrl, unsigned},
    vendor::{
        ParseError,
        links::Links,
        rows::{Fields, check_read, id, value, warn},
        text::clean,
    },
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Items of one agenda that are read. The largest known have some hundreds.
const MAX_ITEMS: usize = 5_000;
/// Levels of items: JSON itself ends at 128.
const MAX_DEPTH: usize = 32;
/// Attachments of one item that are read.
const MAX_ATTACHMENTS: usize = 500;

/// Parses the items of one agenda, in the order of the tree. Links are relative to `base`.
///
/// # Errors
/// When the bytes are no such agenda. A row that can't be used is a warning.
pub fn parse_items(bytes: &[u8], base: Option<&WebUrl>) -> Result<Parsed<ParsedItem>, ParseError> {
    let mut warnings = Vec::new();
    let rows = match value(bytes, &mut warnings)? {
        Value::Array(rows) => rows,
        Value::Object(mut body) => match body.remove("items") {
            Some(Value::Array(rows)) => rows,
            Some(Value::Null) => Vec::new(),
            _ => return Err(ParseError::Schema("items")),
        },
        _ => return Err(ParseError::Shape("neither a list nor an object".to_owned())),
    };
    if !rows.is_empty() && !rows.iter().any(|row| row.get("agendaObjectItemName").is_some()) {
        return Err(ParseError::Schema("agendaObjectItemName"));
    }
    let mut walk = Walk { base, values: Vec::new(), seen: BTreeSet::new(), warnings };
    walk.rows(&rows, 0, false);
    let Walk { values, seen, mut warnings, .. } = walk;
    check_read(&rows, seen.is_empty())?;
    warnings.sort();
    Ok(Parsed { values, warnings })
}

struct Walk<'a> {
    base: Option<&'a WebUrl>,
    values: Vec<ParsedItem>,
    seen: BTreeSet<String>,
    warnings: Vec<Warning>,
}

impl Walk<'_> {
    /// `consent`: they stand below the heading of what is passed in one vote.
    fn rows(&mut self, rows: &[Value], depth: usize, consent: bool) {
        let mut rows: Vec<&Map<String, Value>> = rows.iter().filter_map(Value::as_object).collect();
        // Stable: rows of one place keep their order.
        rows.sort_by_key(|row| row.get("sortOrder").and_then(Value::as_i64).unwrap_or(i64::MAX));
        for row in rows {
            if self.values.len() >= MAX_ITEMS {
                warn(&mut self.warnings, WarningCode::TooManyRows, "items are left out", None);
                return;
            }
            self.row(row, consent);
            let consent = consent || is_consent(row);
            let children = Fields { row, id: "", warnings: &mut self.warnings }.list("childItems");
            if depth < MAX_DEPTH {
                self.rows(children, depth + 1, consent);
            } else if !children.is_empty() {
                warn(&mut self.warnings, WarningCode::TooManyRows, "items nested too deep are left out", None);
            }
        }
    }

    fn row(&mut self, row: &Map<String, Value>, consent: bool) {
        let Some(id) = id(row, "id") else {
            warn(&mut self.warnings, WarningCode::MissingId, "an item has no id", None);
            return;
        };
        if !self.seen.insert(id.clone()) {
            warn(&mut self.warnings, WarningCode::DuplicateId, "the id occurs twice: the first is kept", Some(&id));
            return;
        }
        let mut fields = Fields { row, id: &id, warnings: &mut self.warnings };
        let attachments = attachments(&mut fields, self.base);
        let file = attachments.first().map(|attachment| attachment.name.clone()).filter(|name| !name.is_empty());
        let Some(title) = fields.text("agendaObjectItemName").or(file) else {
            fields.warn(WarningCode::BlankTitle, "the item has no title");
            return;
        };
        if title.to_lowercase().starts_with("select meeting files") {
            fields.warn(WarningCode::PageChrome, "the row only structures the page");
            return;
        }
        let number = fields.text("agendaObjectItemOutlineNumber");
        let note = fields.text("agendaObjectItemDescription");
        self.values.push(ParsedItem {
            vendor_id: SourceItemId(id),
            sequence: i32::try_from(self.values.len() + 1).ok(),
            number,
            title,
            matter: None,
            attachments,
            note,
            action: None,
            consent,
        });
    }
}

/// "Consent Agenda", "CONSENT CALENDAR".
fn is_consent(row: &Map<String, Value>) -> bool {
    let title = row.get("agendaObjectItemName").and_then(Value::as_str).map(clean).unwrap_or_default();
    let lower = title.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.next() == Some("consent") && matches!(words.next(), None | Some("agenda" | "calendar" | "items" | "docket"))
}

/// The item's files, and the reports of the staff.
fn attachments(fields: &mut Fields<'_, '_>, base: Option<&WebUrl>) -> Vec<ParsedAttachment> {
    let mut attachments: Vec<ParsedAttachment> = Vec::new();
    let lists = [
        ("attachmentsList", "fileName", "pdfVersionFullPath"),
        ("reportsList", "agendaObjItemReportName", "pdfMediaFullPath"),
    ];
    for (list, name, path) in lists {
        let list = fields.list(list);
        if list.len() > MAX_ATTACHMENTS {
            fields.warn(WarningCode::TooManyRows, "attachments are left out");
        }
        for row in list.iter().take(MAX_ATTACHMENTS).filter_map(Value::as_object) {
            let Some(found) = attachment(fields, row, (name, path), base) else { continue };
            // A report may be among the files too, with a signature of its own.
            if attachments.iter().all(|known| stable(known) != stable(&found)) {
                attachments.push(found);
            }
        }
    }
    attachments
}

/// Its address without what a signature changes at each request.
fn stable(attachment: &ParsedAttachment) -> String {
    unsigned(attachment.url.as_str()).unwrap_or_else(|| attachment.url.as_str().to_owned())
}

fn attachment(
    fields: &mut Fields<'_, '_>,
    row: &Map<String, Value>,
    (name, path): (&str, &str),
    base: Option<&WebUrl>,
) -> Option<ParsedAttachment> {
    let is = |name: &str, wanted: bool| row.get(name).and_then(Value::as_bool) == Some(wanted);
    if is("isDeleted", true) || is("isPublished", false) {
        return None;
    }
    let mut ignored = Vec::new();
    let mut file = Fields { row, id: "", warnings: &mut ignored };
    let name = file.text(name).unwrap_or_default();
    let vendor_id = id(row, "id").map(AttachmentId);
    let told = file.raw(path).or_else(|| file.raw("mediaFullPath"));
    // Where no address is told, a file of the vendor's own has one by its number.
    let by_number = || {
        let number = vendor_id.as_ref().filter(|_| path == "pdfVersionFullPath" && !is("isLink", true))?;
        Some(format!("Meetings/GetAttachmentFile(fileId={})", number.as_str()))
    };
    let Some(href) = told.or_else(by_number) else {
        warn(fields.warnings, WarningCode::RefusedLink, &format!("the file {name:?} has no address"), Some(fields.id));
        return None;
    };
    let url = Links::new(base, fields.id, fields.warnings).page(&name, &href)?;
    Some(ParsedAttachment { vendor_id, name, url })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_tree_becomes_a_list_in_its_order() {
        let agenda = json!({"id": 1814, "items": [
            {"id": 2, "sortOrder": 2, "isSection": 1, "agendaObjectItemName": "<b>New business</b>", "agendaObjectItemOutlineNumber": "2.", "childItems": [
                {"id": 4, "sortOrder": 1, "agendaObjectItemName": "Contract\u{200b} A", "attachmentsList": [
                    {"id": 9, "fileName": "a.pdf", "pdfVersionFullPath": "https://files.example/a.pdf", "isPublished": true},
                    {"id": 10, "fileName": "b.pdf", "mediaFullPath": "https://files.example/b.pdf", "isDeleted": true}]}]},
            {"id": 1, "sortOrder": 1, "agendaObjectItemName": "Call to order", "childItems": []},
            {"id": 1, "sortOrder": 3, "agendaObjectItemName": "Twice"},
            {"id": 5, "sortOrder": 4, "agendaObjectItemName": "Select MEETING FILES to attach"},
            {"id": 6, "sortOrder": 5, "agendaObjectItemName": " &nbsp; "}
        ]});
        let parsed = parse_items(agenda.to_string().as_bytes(), None).unwrap();
        let titles: Vec<_> = parsed.values.iter().map(|item| (item.sequence, item.title.as_str())).collect();
        assert_eq!(titles, [(Some(1), "Call to order"), (Some(2), "New business"), (Some(3), "Contract A")]);
        assert_eq!(parsed.values[2].attachments.len(), 1);
        let codes: Vec<_> = parsed.warnings.iter().map(|warning| warning.code).collect();
        assert_eq!(codes, [WarningCode::BlankTitle, WarningCode::PageChrome, WarningCode::DuplicateId]);
    }

    #[test]
    fn what_stands_below_consent_is_passed_in_one_vote() {
        let leaf = |id: u32| json!({"id": id, "agendaObjectItemName": "Contract"});
        let decree = json!({"agendaObjectItemName": "Consent decree"});
        assert!(!is_consent(decree.as_object().unwrap()));
        let agenda = json!({"items": [
            {"id": 1, "agendaObjectItemName": "<b>Consent Agenda</b>", "childItems": [
                {"id": 2, "agendaObjectItemName": "Ratifications", "childItems": [leaf(3)]}]},
            {"id": 4, "agendaObjectItemName": "New business", "childItems": [leaf(5)]}]});
        let parsed = parse_items(agenda.to_string().as_bytes(), None).unwrap();
        let consent: Vec<bool> = parsed.values.iter().map(|item| item.consent).collect();
        assert_eq!(consent, [false, true, true, false, false]);
    }

    #[test]
    fn reports_are_attachments_and_a_file_without_an_address_has_that_of_its_number() {
        let base = WebUrl::parse("https://t.api.civicclerk.com/v1/").unwrap();
        let agenda = json!({"items": [{"id": 1, "agendaObjectItemName": "Contract",
            "attachmentsList": [
                {"id": 9, "fileName": "a.pdf", "pdfVersionFullPath": "https://files.example/a.pdf?se=1&sp=r&sig=x"},
                {"id": 10, "fileName": "b.pdf"}, {"id": 11, "fileName": "c", "isLink": true}],
            "reportsList": [
                {"agendaObjItemReportName": "Staff report", "pdfMediaFullPath": "https://files.example/r.pdf"},
                {"agendaObjItemReportName": "a", "pdfMediaFullPath": "https://files.example/a.pdf?se=2&sp=r&sig=y"}]}]});
        let parsed = parse_items(agenda.to_string().as_bytes(), Some(&base)).unwrap();
        let urls: Vec<&str> = parsed.values[0].attachments.iter().map(|attachment| attachment.url.as_str()).collect();
        let by_number = "https://t.api.civicclerk.com/v1/Meetings/GetAttachmentFile(fileId=10)";
        assert_eq!(urls, ["https://files.example/a.pdf?se=1&sp=r&sig=x", by_number, "https://files.example/r.pdf"]);
        assert_eq!(parsed.warnings.len(), 1, "{:?}", parsed.warnings);
    }

    #[test]
    fn a_tree_without_an_end_is_cut() {
        let mut tree = json!({"id": 0, "agendaObjectItemName": "leaf"});
        for level in 1..50 {
            tree = json!({"id": level, "agendaObjectItemName": "level", "childItems": [tree]});
        }
        let parsed = parse_items(json!({"items": [tree]}).to_string().as_bytes(), None).unwrap();
        assert_eq!((parsed.values.len(), parsed.warnings.len()), (MAX_DEPTH + 1, 1));
    }
}
