//! What a summariser reads, put together from what is there.

use crate::civic::{
    llm::{PromptType, Request, clip},
    settings::CivicSettings,
    store::{
        items::{StoredItem, SummarisedItem},
        refs::Document,
    },
};

/// Why an item has no summary.
pub(super) const TOO_SHORT: &str = "procedural: no document with text, and a title too short to be worth a summary";
/// Why a meeting has no summary.
pub(super) const NOTHING: &str = "no item has a summary, and the agenda has no text";

/// An item's documents; where none has a text, the agenda's own words about it. None: not worth a summary.
pub(super) fn item(item: &StoredItem, documents: &[Document], settings: &CivicSettings) -> Option<Request> {
    let text = joined(documents);
    let own =
        || [Some(item.title.as_str()), item.note.as_deref()].into_iter().flatten().collect::<Vec<_>>().join("\n\n");
    let enough = |text: &str| visible(text) >= settings.min_text_chars;
    let text = if enough(&text) { text } else { own() };
    enough(&text).then(|| request(PromptType::Item, &item.title, &text, settings))
}

/// A meeting's items by their summaries; where there is none, the agenda. None: there is nothing to read.
pub(super) fn meeting(
    title: &str,
    items: &[SummarisedItem],
    agenda: &[Document],
    settings: &CivicSettings,
) -> Option<Request> {
    let lines: Vec<String> = items.iter().map(line).collect();
    let text = if lines.is_empty() { joined(agenda) } else { lines.join("\n\n") };
    (visible(&text) >= settings.min_text_chars).then(|| request(PromptType::Meeting, title, &text, settings))
}

fn line(item: &SummarisedItem) -> String {
    // A full stop ends the title, so that it is a sentence of its own.
    let title = item.title.trim_end_matches('.');
    match &item.number {
        Some(number) => format!("{number} {title}. {}", item.summary),
        None => format!("{title}. {}", item.summary),
    }
}

/// Documents with their names; what has no text is left out.
fn joined(documents: &[Document]) -> String {
    let texts: Vec<String> = documents
        .iter()
        .filter_map(|document| Some(format!("{}\n\n{}", document.name, document.text.as_deref()?.trim())))
        .collect();
    texts.join("\n\n")
}

/// Letters and digits: a page of lines and dots is no text.
fn visible(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

fn request(prompt: PromptType, title: &str, text: &str, settings: &CivicSettings) -> Request {
    Request { prompt, title: title.to_owned(), text: clip(text, settings.max_input_chars).to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::civic::store::{ItemId, MeetingId};

    fn stored(title: &str) -> StoredItem {
        StoredItem {
            id: ItemId(1),
            meeting: MeetingId(1),
            number: None,
            title: title.into(),
            note: None,
            matter: None,
            city: "a".into(),
        }
    }

    fn document(text: Option<&str>) -> Document {
        Document { name: "Report".into(), sha256: None, text: text.map(str::to_owned) }
    }

    #[test]
    fn documents_go_before_the_title_and_the_title_before_nothing() {
        let settings = CivicSettings::default();
        let long = "a report that is certainly longer than the fifty characters that make a text";
        let read = |title: &str, documents: &[Document]| item(&stored(title), documents, &settings).map(|r| r.text);
        assert_eq!(read("Lease", &[document(None), document(Some(long))]), Some(format!("Report\n\n{long}")));
        assert_eq!(read(long, &[document(None)]), Some(long.to_owned()));
        assert_eq!(read("Call to Order", &[document(None), document(Some(" "))]), None);
        assert_eq!(read("Call to Order", &[document(Some(&"_ . ".repeat(90)))]), None);
    }

    #[test]
    fn a_long_text_is_cut() {
        let settings = CivicSettings { max_input_chars: 60, ..CivicSettings::default() };
        let request = item(&stored("Lease"), &[document(Some(&"word ".repeat(100)))], &settings);
        assert_eq!(request.map(|r| r.text.len()), Some(60));
    }

    #[test]
    fn a_meeting_is_read_from_its_items_or_from_its_agenda() {
        let settings = CivicSettings::default();
        let summarised = SummarisedItem { number: Some("1.".into()), title: "Lease.".into(), summary: "x".repeat(60) };
        let agenda = [document(Some(&"agenda ".repeat(20)))];
        let from_items = meeting("Council", &[summarised], &agenda, &settings).map(|r| r.text);
        assert_eq!(from_items, Some(format!("1. Lease. {}", "x".repeat(60))));
        let from_agenda = meeting("Council", &[], &agenda, &settings).map(|r| r.text);
        assert!(from_agenda.is_some_and(|text| text.starts_with("Report\n\nagenda")));
        assert_eq!(meeting("Council", &[], &[], &settings), None);
    }
}
