//! Cutting what is too long to be read at once: between documents, between pages, between paragraphs. Pure.

use super::client::CHARS_PER_TOKEN;
use serde::Serialize;

/// Most parts of one text. What is beyond is not read: a document's text is at most 16 MiB, which is fewer.
const MAX_CHUNKS: usize = 256;

/// A document, or another text with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The document's name; empty for a text that is no document and has no pages.
    pub name: String,
    /// Its text; a form feed ends each page.
    pub text: String,
}

/// A page, or a part of one that is too long by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    name: &'a str,
    page: u32,
    text: &'a str,
}

/// Pages of a document, first and last included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PageRange {
    /// The document's name.
    pub document: String,
    /// The first page, counted from 1.
    pub first: u32,
    /// The last page.
    pub last: u32,
}

/// Tokens of a text, as English has them.
#[must_use]
pub fn tokens(text: &str) -> usize {
    text.len().div_ceil(CHARS_PER_TOKEN)
}

/// Cuts documents into chunks of at most `limit` tokens (of at least 100). What fits into one is one. Otherwise a chunk ends
/// where its document ends, so that a changed document changes no other's chunks.
#[must_use]
pub fn chunks(parts: &[Part], limit: usize) -> Vec<Vec<Piece<'_>>> {
    let limit = limit.max(100);
    let pieces: Vec<Piece<'_>> = parts.iter().flat_map(|part| pages(part, limit)).collect();
    if pieces.iter().map(Piece::tokens).sum::<usize>() <= limit {
        return if pieces.is_empty() { Vec::new() } else { vec![pieces] };
    }
    let mut chunks: Vec<Vec<Piece<'_>>> = Vec::new();
    let mut room = 0;
    for piece in pieces {
        let (needs, is_full) = (piece.tokens(), chunks.len() == MAX_CHUNKS);
        match chunks.last_mut() {
            Some(chunk) if needs <= room && chunk.last().is_some_and(|last| std::ptr::eq(last.name, piece.name)) => {
                room -= needs;
                chunk.push(piece);
            }
            _ if is_full => break,
            _ => {
                room = limit.saturating_sub(needs);
                chunks.push(vec![piece]);
            }
        }
    }
    chunks
}

impl Piece<'_> {
    /// With what is put around it.
    fn tokens(&self) -> usize {
        tokens(self.text) + 4 + tokens(self.name)
    }
}

/// The pages of a document that have a text. One that is longer than `limit` tokens is cut between paragraphs.
fn pages(part: &Part, limit: usize) -> impl Iterator<Item = Piece<'_>> {
    let numbered = (1_u32..).zip(part.text.split('\u{c}')).filter(|(_, text)| !text.trim().is_empty());
    numbered.flat_map(move |(page, text)| {
        let room = limit.saturating_sub(8 + tokens(&part.name)).max(50) * CHARS_PER_TOKEN;
        cut(text.trim_matches('\n'), room).into_iter().map(move |text| Piece { name: &part.name, page, text })
    })
}

/// Cuts a text into parts of at most `room` bytes: after an empty line, else after a line, else after a word, else anywhere.
fn cut(mut text: &str, room: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    while text.len() > room {
        let mut end = room;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let head = &text[..end];
        let at = ["\n\n", "\n", " "]
            .iter()
            .find_map(|mark| head.rfind(mark).filter(|at| *at > end / 2).map(|at| at + mark.len()));
        let (part, rest) = text.split_at(at.unwrap_or(end).max(1));
        parts.push(part);
        text = rest;
    }
    if !text.trim().is_empty() {
        parts.push(text);
    }
    parts
}

/// What a model reads of a chunk: each document's name, and each page under its mark.
///
/// Marks are counted from 1 within the chunk, so that the same page has the same text wherever it stands. A text without a
/// name has none.
#[must_use]
pub fn text(chunk: &[Piece<'_>]) -> String {
    let mut lines: Vec<String> = Vec::with_capacity(2 * chunk.len());
    let mut document: Option<&str> = None;
    for (mark, piece) in (1..).zip(chunk) {
        if !piece.name.is_empty() {
            if document.is_none_or(|before| !std::ptr::eq(before, piece.name)) {
                lines.push(piece.name.to_owned());
            }
            lines.push(format!("[page {mark}]"));
        }
        document = Some(piece.name);
        lines.push(piece.text.trim().to_owned());
    }
    lines.join("\n\n")
}

/// The same without the marks: they are ours, and prove no number.
#[must_use]
pub fn plain(chunk: &[Piece<'_>]) -> String {
    let mut names: Vec<&str> = chunk.iter().map(|piece| piece.name).collect();
    names.dedup();
    let texts = chunk.iter().map(|piece| piece.text.trim());
    names.into_iter().chain(texts).collect::<Vec<_>>().join("\n\n")
}

/// How many marks its text has.
#[must_use]
pub fn marks(chunk: &[Piece<'_>]) -> u32 {
    let named = chunk.iter().any(|piece| !piece.name.is_empty());
    if named { u32::try_from(chunk.len()).unwrap_or(u32::MAX) } else { 0 }
}

/// The pages that stand behind marks; without any, all of the chunk's.
#[must_use]
pub fn ranges(chunk: &[Piece<'_>], marked: &[u32]) -> Vec<PageRange> {
    let is_meant = |mark: u32| marked.is_empty() || marked.contains(&mark);
    let meant = (1..).zip(chunk).filter(|(mark, piece)| !piece.name.is_empty() && is_meant(*mark));
    merged(meant.map(|(_, piece)| PageRange { document: piece.name.to_owned(), first: piece.page, last: piece.page }))
}

/// Ranges that meet, put together.
#[must_use]
pub fn merged(ranges: impl IntoIterator<Item = PageRange>) -> Vec<PageRange> {
    let mut all: Vec<PageRange> = Vec::new();
    for range in ranges {
        match all.last_mut() {
            Some(last) if last.document == range.document && (last.first..=last.last + 1).contains(&range.first) => {
                last.last = last.last.max(range.last);
            }
            _ => all.push(range),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proves_an_answer_has_no_marks_of_ours() {
        let piece = |text| Piece { name: "Report", page: 1, text };
        let chunk = [piece("One."), piece("Two.")];
        assert_eq!(text(&chunk), "Report\n\n[page 1]\n\nOne.\n\n[page 2]\n\nTwo.");
        assert_eq!(plain(&chunk), "Report\n\nOne.\n\nTwo.");
    }
    use proptest::prelude::*;

    fn part(name: &str, text: &str) -> Part {
        Part { name: name.into(), text: text.into() }
    }

    fn range(document: &str, first: u32, last: u32) -> PageRange {
        PageRange { document: document.into(), first, last }
    }

    #[test]
    fn what_fits_is_one_chunk_with_marked_pages() {
        let parts = [part("Report", "first page\u{c}  \u{c}third page\u{c}"), part("Map", "a map")];
        let chunks = chunks(&parts, 1_000);
        assert_eq!(chunks.len(), 1);
        let expected = "Report\n\n[page 1]\n\nfirst page\n\n[page 2]\n\nthird page\n\nMap\n\n[page 3]\n\na map";
        assert_eq!((text(&chunks[0]).as_str(), marks(&chunks[0])), (expected, 3));
        let (report1, report3, map) = (range("Report", 1, 1), range("Report", 3, 3), range("Map", 1, 1));
        assert_eq!(ranges(&chunks[0], &[]), [report1, report3.clone(), map.clone()]);
        assert_eq!(ranges(&chunks[0], &[2, 3]), [report3, map]);
    }

    #[test]
    fn a_text_without_a_name_has_no_pages() {
        let parts = [part("", "only a title")];
        let chunks = chunks(&parts, 1_000);
        assert_eq!((text(&chunks[0]).as_str(), marks(&chunks[0])), ("only a title", 0));
        assert_eq!(ranges(&chunks[0], &[1]), []);
        assert!(super::chunks(&[part("", " \u{c}\n")], 9).is_empty());
    }

    #[test]
    fn long_documents_are_cut_between_pages_and_never_across_documents() {
        let page = "word ".repeat(200);
        let long = part("Report", &[page.as_str(); 5].join("\u{c}"));
        let parts = [long, part("Letter", "short")];
        let before = chunks(&parts, 600);
        let pages: Vec<Vec<PageRange>> = before.iter().map(|chunk| ranges(chunk, &[])).collect();
        assert_eq!(
            pages,
            [[range("Report", 1, 2)], [range("Report", 3, 4)], [range("Report", 5, 5)], [range("Letter", 1, 1)]]
        );
        // Another letter leaves the report's chunks as they were.
        let other = [parts[0].clone(), part("Letter", "another one")];
        let after = chunks(&other, 600);
        let texts = |chunks: &[Vec<Piece<'_>>]| chunks.iter().map(|chunk| text(chunk)).collect::<Vec<_>>();
        assert_eq!(texts(&before)[..3], texts(&after)[..3]);
        assert_ne!(texts(&before)[3], texts(&after)[3]);
    }

    #[test]
    fn a_page_that_is_too_long_is_cut_between_paragraphs() {
        let page = format!("{}\n\n{}", "a".repeat(300), "b".repeat(300));
        let parts = [part("Report", &page)];
        let texts: Vec<String> = chunks(&parts, 100).iter().map(|chunk| text(chunk)).collect();
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert!(!texts[0].contains('b') && !texts[1].contains("aa"), "{texts:?}");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_chunk_is_too_long(text in "[a-zä \n\u{c}]{0,3000}", limit in 100..400_usize) {
            let parts = [part("Report", &text)];
            let all = chunks(&parts, limit);
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            let kept: String = all.iter().flatten().map(|piece| letters(piece.text)).collect();
            prop_assert_eq!(kept, letters(&text));
            for chunk in &all {
                prop_assert!(tokens(&super::text(chunk)) <= limit + 20, "{} tokens", tokens(&super::text(chunk)));
            }
        }
    }
}
