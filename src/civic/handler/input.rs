//! What a summariser reads, put together from what is there.

use crate::civic::{
    llm::{
        PromptType, Request,
        chunk::{self, Part, Piece},
        clip,
        procedural::procedural,
    },
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

/// What is to be summarised, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Material {
    /// Which prompt.
    pub(super) prompt: PromptType,
    /// What it is about.
    pub(super) title: String,
    /// Documents, or a text without a name.
    pub(super) parts: Vec<Part>,
}

impl Material {
    /// All of it in one request, cut at so many characters.
    pub(super) fn whole(&self, max_chars: usize) -> Request {
        let text = |part: &Part| match part.name.is_empty() {
            true => part.text.clone(),
            false => format!("{}\n\n{}", part.name, part.text),
        };
        let texts: Vec<String> = self.parts.iter().map(text).collect();
        Request::new(self.prompt, &self.title, clip(&texts.join("\n\n"), max_chars))
    }

    /// The question about all of it as models are asked; none: it is longer than so many tokens.
    pub(super) fn in_one(&self, limit: usize) -> Option<Request> {
        match &chunk::chunks(&self.parts, limit)[..] {
            [chunk] => Some(self.question(self.prompt, chunk)),
            _ => None,
        }
    }

    /// The question about a part of it.
    pub(super) fn question(&self, prompt: PromptType, chunk: &[Piece<'_>]) -> Request {
        Request { pages: chunk::marks(chunk), ..Request::new(prompt, &self.title, &chunk::text(chunk)) }
    }

    pub(super) fn tokens(&self) -> usize {
        self.parts.iter().map(|part| chunk::tokens(&part.text)).sum()
    }
}

/// An item's documents; where none has a text, the agenda's own words about it. Otherwise why it is not worth a summary.
pub(super) fn item(item: &StoredItem, documents: &[Document], settings: &CivicSettings) -> Result<Material, String> {
    if let Some(phrase) = procedural(&item.title) {
        return Err(format!("procedural: {phrase}"));
    }
    let attached = documents_of(documents);
    let own = || {
        let words = [Some(item.title.as_str()), item.note.as_deref()].into_iter().flatten().collect::<Vec<_>>();
        vec![Part { name: String::new(), text: words.join("\n\n") }]
    };
    let parts = if enough(&attached, settings) { attached } else { own() };
    if !enough(&parts, settings) {
        return Err(TOO_SHORT.to_owned());
    }
    Ok(Material { prompt: PromptType::Item, title: item.title.clone(), parts })
}

/// A meeting's items by their summaries; where there is none, the agenda. None: there is nothing to read.
pub(super) fn meeting(
    title: &str,
    items: &[SummarisedItem],
    agenda: &[Document],
    settings: &CivicSettings,
) -> Option<Material> {
    let lines: Vec<String> = items.iter().map(line).collect();
    let whole = || vec![Part { name: String::new(), text: lines.join("\n\n") }];
    let parts = if lines.is_empty() { documents_of(agenda) } else { whole() };
    enough(&parts, settings).then(|| Material { prompt: PromptType::Meeting, title: title.to_owned(), parts })
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
fn documents_of(documents: &[Document]) -> Vec<Part> {
    let part = |document: &Document| {
        // Page ends stand for pages: only what is around them goes.
        let text = document.text.as_deref()?.trim_end().trim_start_matches([' ', '\n', '\r', '\t']).to_owned();
        Some(Part { name: document.name.clone(), text })
    };
    documents.iter().filter_map(part).collect()
}

fn enough(parts: &[Part], settings: &CivicSettings) -> bool {
    parts.iter().map(|part| visible(&part.name) + visible(&part.text)).sum::<usize>() >= settings.min_text_chars
}

/// Letters and digits: a page of lines and dots is no text.
fn visible(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
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
        let read = |title: &str, documents: &[Document]| {
            item(&stored(title), documents, &settings).ok().map(|m| m.whole(1_000).text)
        };
        assert_eq!(read("Lease", &[document(None), document(Some(long))]), Some(format!("Report\n\n{long}")));
        assert_eq!(read(long, &[document(None)]), Some(long.to_owned()));
        assert_eq!(read("Call to Order", &[document(None), document(Some(" "))]), None);
        assert_eq!(read("Call to Order", &[document(Some(&"_ . ".repeat(90)))]), None);
    }

    #[test]
    fn a_long_text_is_cut() {
        let material = item(&stored("Lease"), &[document(Some(&"word ".repeat(100)))], &CivicSettings::default());
        assert_eq!(material.map(|m| m.whole(60).text.len()), Ok(60));
    }

    #[test]
    fn a_meeting_is_read_from_its_items_or_from_its_agenda() {
        let settings = CivicSettings::default();
        let summarised = SummarisedItem { number: Some("1.".into()), title: "Lease.".into(), summary: "x".repeat(60) };
        let agenda = [document(Some(&"agenda ".repeat(20)))];
        let from_items = meeting("Council", &[summarised], &agenda, &settings).map(|m| m.whole(1_000).text);
        assert_eq!(from_items, Some(format!("1. Lease. {}", "x".repeat(60))));
        let from_agenda = meeting("Council", &[], &agenda, &settings).map(|m| m.whole(1_000).text);
        assert!(from_agenda.is_some_and(|text| text.starts_with("Report\n\nagenda")));
        assert_eq!(meeting("Council", &[], &[], &settings), None);
    }
}
