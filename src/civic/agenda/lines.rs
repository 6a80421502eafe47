//! The lines of a document, without what is printed on each page.

use std::collections::{HashMap, HashSet};

/// Lines that are read; an agenda is at the beginning of its packet.
const MAX_LINES: usize = 60_000;
/// Lines at the top and at the bottom of a page among which running heads and feet are looked for.
const TOP: usize = 4;
const BOTTOM: usize = 6;
/// Longest line that is kept, in characters: a page of a web site may be one line.
const MAX_CHARS: usize = 2_000;
/// Columns to the next stop of a tabulator.
const TAB: usize = 8;

/// What is between a line and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing.
    None,
    /// An empty line.
    Blank,
    /// The end of a page, which hides whether there would be an empty line.
    Page,
}

/// A line with something on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The page, from 1.
    pub(super) page: u32,
    /// Columns before the text.
    pub(super) indent: usize,
    /// The same, from the left edge of what is printed on the page.
    pub(super) inset: usize,
    /// The column in which the text ends.
    pub(super) end: usize,
    /// What separates it from the line before.
    pub(super) gap: Gap,
    /// The text, with the spaces within it as they stand.
    pub(super) text: String,
}

/// Reads a text whose pages end with form feeds.
pub(super) fn read(text: &str) -> Vec<Line> {
    let mut pages = Vec::new();
    let mut room = MAX_LINES;
    for (number, page) in (1..).zip(text.split('\u{c}')) {
        let lines = page_lines(number, page, &mut room);
        pages.push(lines);
        if room == 0 {
            break;
        }
    }
    drop_running(&mut pages);
    pages.into_iter().flat_map(finish).collect()
}

fn page_lines(page: u32, text: &str, room: &mut usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut gap = Gap::Page;
    for raw in text.lines() {
        let (indent, text) = visible(raw);
        if text.is_empty() {
            gap = if gap == Gap::Page { Gap::Page } else { Gap::Blank };
            continue;
        }
        let end = indent + text.chars().count();
        lines.push(Line { page, indent, inset: 0, end, gap, text });
        gap = Gap::None;
        *room -= 1;
        if *room == 0 {
            break;
        }
    }
    lines
}

/// The column of the first visible character, and the text from there on.
fn visible(raw: &str) -> (usize, String) {
    let mut indent = 0;
    let mut text = String::new();
    for c in raw.chars().filter(|c| !is_invisible(*c)) {
        match c {
            '\t' if text.is_empty() => indent = (indent / TAB + 1) * TAB,
            c if c.is_whitespace() && text.is_empty() => indent += 1,
            '\t' => text.push_str("  "),
            c if c.is_whitespace() || c.is_control() => text.push(' '),
            c => text.push(c),
        }
        if text.len() > MAX_CHARS {
            break;
        }
    }
    text.truncate(text.trim_end().len());
    (indent, text)
}

const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

/// Takes away page numbers, and what stands at the top or the bottom of half of the pages and nowhere else.
fn drop_running(pages: &mut [Vec<Line>]) {
    let filled = pages.iter().filter(|page| !page.is_empty()).count();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut elsewhere: HashSet<String> = HashSet::new();
    for page in pages.iter() {
        let at_edge: HashSet<usize> = edges(page.len()).collect();
        let keys: HashSet<String> = at_edge.iter().map(|&at| shape(&page[at].text)).collect();
        keys.into_iter().for_each(|key| *seen.entry(key).or_default() += 1);
        let within = (0..page.len()).filter(|at| !at_edge.contains(at));
        elsewhere.extend(within.map(|at| shape(&page[at].text)));
    }
    for page in pages.iter_mut() {
        let dropped: HashSet<usize> = edges(page.len())
            .filter(|&at| {
                let key = shape(&page[at].text);
                let count = seen.get(&key).copied().unwrap_or(0);
                is_page_number(&key) || (count > 1 && count * 2 >= filled && !elsewhere.contains(&key))
            })
            .collect();
        let mut at = 0;
        page.retain(|_| {
            at += 1;
            !dropped.contains(&(at - 1))
        });
    }
}

/// The lines at the top and at the bottom, each once.
fn edges(len: usize) -> impl Iterator<Item = usize> {
    let top = TOP.min(len);
    (0..top).chain(len.saturating_sub(BOTTOM).max(top)..len)
}

/// Digits are alike, white space is one space, case says nothing.
fn shape(text: &str) -> String {
    let one = |c: char| if c.is_ascii_digit() { '#' } else { c };
    let words: Vec<String> =
        text.split_whitespace().map(|word| word.chars().map(one).collect::<String>().to_lowercase()).collect();
    let mut shape = words.join(" ");
    while shape.contains("##") {
        shape = shape.replace("##", "#");
    }
    shape
}

fn is_page_number(shape: &str) -> bool {
    matches!(
        shape.trim_matches(['-', '–', '—', ' ', '.', '|']),
        "#" | "page #" | "page # of #" | "# of #" | "page # of" | "#/#"
    )
}

/// A page's lines know its left edge; its first line follows the page before.
fn finish(mut page: Vec<Line>) -> Vec<Line> {
    let left = page.iter().map(|line| line.indent).min().unwrap_or(0);
    for line in &mut page {
        line.inset = line.indent - left;
    }
    if let Some(first) = page.first_mut() {
        first.gap = Gap::Page;
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        read(text).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn running_heads_feet_and_page_numbers_go() {
        let page = |n: u32, body: &str| format!("City Council    Agenda    May 5\n\n{body}\n\n   Page {n} of 3\n\u{c}");
        let text = [page(1, "1. Lease"), page(2, "2. Budget"), page(3, "3. Parks")].concat();
        assert_eq!(texts(&text), ["1. Lease", "2. Budget", "3. Parks"]);
        assert_eq!(texts("1. Lease\n\n- 4 -\n\u{c}2. Budget\n 5\n\u{c}"), ["1. Lease", "2. Budget"]);
    }

    #[test]
    fn what_stands_on_one_page_stays() {
        assert_eq!(texts("AGENDA\n1. Lease\n\u{c}2. Budget"), ["AGENDA", "1. Lease", "2. Budget"]);
        assert_eq!(texts("\u{c}\u{c}"), Vec::<String>::new());
        assert_eq!(texts(""), Vec::<String>::new());
    }

    #[test]
    fn gaps_and_columns_are_told() {
        let lines = read("  a\n\n \u{200b} b\n  c\n\u{c}\n\n    d");
        let told: Vec<_> = lines.iter().map(|l| (l.text.as_str(), l.indent, l.inset, l.gap, l.page)).collect();
        let want = [
            ("a", 2, 0, Gap::Page, 1),
            ("b", 2, 0, Gap::Blank, 1),
            ("c", 2, 0, Gap::None, 1),
            ("d", 4, 0, Gap::Page, 2),
        ];
        assert_eq!(told, want);
    }

    #[test]
    fn a_line_without_end_is_bounded() {
        let lines = read(&"x".repeat(100_000));
        assert!(lines[0].text.len() <= MAX_CHARS + 4);
        assert!(read(&"x\n".repeat(MAX_LINES * 2)).len() <= MAX_LINES);
    }
}
