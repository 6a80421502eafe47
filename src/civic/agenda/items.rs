//! From a tree to the items of an agenda.

use super::{
    lines::Line,
    outline::{Node, Outline},
    prose::{Prose, prose},
    words,
};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// Longest name of a section, in characters.
const MAX_SECTION: usize = 160;
/// Columns by which a heading within the consent calendar stands to the right of it.
const NESTED: std::ops::RangeInclusive<usize> = 3..=24;

/// An item of an agenda, as its document shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgendaItem {
    /// The printed number, such as `4.A`; none on agendas that have headings only.
    pub number: Option<String>,
    /// What it is about: one line.
    pub title: String,
    /// What else is printed about it: one line, at most 4,000 characters.
    pub body: String,
    /// The section that it stands in.
    pub section: Option<String>,
    /// The page on which it begins, from 1.
    pub first_page: u32,
    /// The page on which it ends.
    pub last_page: u32,
    /// True when it is taken without debate.
    pub consent: bool,
    /// By what it is known again: the first words of it.
    #[serde(skip)]
    pub(super) words: String,
    /// The heading above it, even where that is not its section.
    #[serde(skip)]
    under: String,
}

/// What became of the tree.
#[derive(Debug, Default)]
pub(super) struct Assembled {
    pub(super) items: Vec<AgendaItem>,
    /// Lines of a table of contents among them.
    pub(super) contents: usize,
    /// Rows of advice that were left out.
    pub(super) advice: usize,
    /// Items that came a second time.
    pub(super) repeated: usize,
}

/// The items that have numbers.
pub(super) fn numbered(lines: &[Line], outline: &Outline) -> Assembled {
    let advice = advice(lines, outline);
    let kept = |node: &Node| !advice.contains(&node.row);
    let parents: HashSet<usize> =
        outline.nodes.iter().filter(|node| kept(node)).filter_map(|node| node.parent).collect();
    let divided = divided(outline, &parents);
    let width = width(lines);
    let proses: Vec<Prose> = (0..outline.nodes.len()).map(|at| words_of(lines, outline, at, width)).collect();
    let mut out = Assembled { advice: advice.len(), ..Assembled::default() };
    for (at, node) in outline.nodes.iter().enumerate() {
        let prose = &proses[at];
        if !kept(node) || parents.contains(&at) || prose.title.is_empty() {
            continue;
        }
        out.contents += usize::from(prose.contents_page.is_some());
        let above = node.parent.filter(|parent| kept(&outline.nodes[*parent]));
        let above = above.map(|parent| section_name(&outline.nodes[parent], &proses[parent]).to_owned());
        let heading = heading_of(outline, node).filter(|title| !divided.contains(&node.row) || is_sitting(title));
        let section = above.or_else(|| heading.map(str::to_owned));
        let consent = is_consent(lines, outline, node, &proses);
        out.items.push(AgendaItem {
            number: Some(node.number.clone()),
            section: section.map(|section| section.chars().take(MAX_SECTION).collect()),
            consent,
            under: heading_of(outline, node).unwrap_or_default().to_owned(),
            ..item(prose, lines, node.line)
        });
    }
    out.repeated = drop_repeated(&mut out.items);
    out
}

/// Each heading is an item: agendas that have no numbers.
pub(super) fn headed(lines: &[Line], outline: &Outline) -> Assembled {
    let mut out = Assembled::default();
    for (at, (line, title)) in outline.headings.iter().enumerate() {
        let end = outline.headings.get(at + 1).map_or(outline.end, |(next, _)| *next);
        let text = &lines[*line].text;
        let rest = text.find(title.as_str()).map_or("", |from| &text[from + title.len()..]);
        let rest = rest.trim_start_matches([':', ' ', '-', '–', '—', '*', '.']);
        let read = prose(title, lines, *line + 1, *line + 1, 0);
        let more = prose(rest, lines, line + 1, end.max(line + 1), usize::MAX);
        let body = [more.first.as_str(), more.body.as_str()].join(" ").trim().to_owned();
        let read = Prose { body, last_line: more.last_line, ..read };
        out.items.push(AgendaItem { consent: words::is_consent(title), ..item(&read, lines, *line) });
    }
    out.repeated = drop_repeated(&mut out.items);
    out
}

/// Rows that have sections of their own, and one heading before them all: they stand beside it, not under it.
fn divided(outline: &Outline, parents: &HashSet<usize>) -> HashSet<usize> {
    let mut rows: HashSet<usize> = parents.iter().map(|parent| outline.nodes[*parent].row).collect();
    rows.retain(|row| {
        let of_row = outline.nodes.iter().filter(|node| node.row == *row);
        of_row.map(|node| node.heading).collect::<HashSet<_>>().len() < 2
    });
    rows
}

/// Of a section's paragraph, the line that names it.
fn section_name<'a>(node: &'a Node, prose: &'a Prose) -> &'a str {
    let is_name = words::is_section(&node.rest) && !words::is_set(&node.rest);
    if is_name { node.rest.trim_end_matches([':', ' ']) } else { &prose.title }
}

/// A heading above all others: the open and the closed part of a meeting.
fn is_sitting(heading: &str) -> bool {
    heading.to_lowercase().contains("session")
}

fn item(prose: &Prose, lines: &[Line], line: usize) -> AgendaItem {
    AgendaItem {
        number: None,
        title: prose.title.clone(),
        body: prose.body.clone(),
        section: None,
        first_page: lines[line].page,
        last_page: lines[prose.last_line.max(line)].page,
        consent: false,
        words: known_by(&prose.first),
        under: String::new(),
    }
}

/// The first twelve words, without anything that print changes.
fn known_by(paragraph: &str) -> String {
    let words = paragraph.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.take(12).map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

fn words_of(lines: &[Line], outline: &Outline, at: usize, width: usize) -> Prose {
    let node = &outline.nodes[at];
    let next = outline.nodes.get(at + 1).map_or(outline.end, |next| next.line);
    let heading = outline.headings.iter().map(|(line, _)| *line).find(|line| *line > node.line);
    let end = heading.map_or(next, |line| line.min(next)).max(node.line + 1);
    // An adjournment is its title: what stands below it is the city's.
    let is_last = at + 1 == outline.nodes.len() && words::adjourns(&node.rest);
    let end = if is_last { node.line + 1 } else { end };
    prose(&node.rest, lines, node.line + 1, end.min(lines.len()), width)
}

/// The column in which full lines end: nine in ten end before it.
fn width(lines: &[Line]) -> usize {
    let mut ends: Vec<usize> = lines.iter().map(|line| line.end).collect();
    ends.sort_unstable();
    ends.get(ends.len() * 9 / 10).copied().unwrap_or(0)
}

fn heading_of<'a>(outline: &'a Outline, node: &Node) -> Option<&'a str> {
    let at = outline.headings.iter().position(|(line, _)| Some(*line) == node.heading)?;
    Some(outline.headings[at].1.as_str())
}

fn is_consent(lines: &[Line], outline: &Outline, node: &Node, proses: &[Prose]) -> bool {
    let mut above = node.parent;
    while let Some(parent) = above {
        if words::is_consent(&proses[parent].title) {
            return true;
        }
        above = outline.nodes[parent].parent;
    }
    if node.parent.is_some() {
        return false;
    }
    let Some(at) = outline.headings.iter().position(|(line, _)| Some(*line) == node.heading) else { return false };
    let (line, title) = &outline.headings[at];
    // "GENERAL BUSINESS", set in under "CONSENT CALENDAR".
    let above = outline.headings[..at].iter().rev().find(|(line, _)| lines[*line].inset < 3);
    let nested = above.is_some_and(|(above, title)| {
        words::is_consent(title) && NESTED.contains(&lines[*line].inset.saturating_sub(lines[*above].inset))
    });
    words::is_consent(title) || nested
}

/// The rows that tell how to take part.
fn advice(lines: &[Line], outline: &Outline) -> HashSet<usize> {
    let mut rows: HashMap<usize, (usize, usize)> = HashMap::new();
    for (at, node) in outline.nodes.iter().enumerate() {
        let end = outline.nodes.get(at + 1).map_or(outline.end, |next| next.line).min(node.line + 3).min(lines.len());
        let text: Vec<&str> = lines[node.line..end.max(node.line + 1)].iter().map(|line| line.text.as_str()).collect();
        let is_advice =
            words::is_instruction(&text.join(" ")) || heading_of(outline, node).is_some_and(words::is_advice);
        let counts = rows.entry(node.row).or_default();
        counts.0 +=
            usize::from(is_advice && node.parent.is_none_or(|parent| !words::is_consent(&outline.nodes[parent].rest)));
        counts.1 += 1;
    }
    rows.into_iter().filter(|(_, (advice, all))| advice * 2 >= *all).map(|(row, _)| row).collect()
}

/// The same number and words in the same section are one item: a packet prints its agenda twice.
fn drop_repeated(items: &mut Vec<AgendaItem>) -> usize {
    let before = items.len();
    let mut seen = HashSet::new();
    items.retain(|item| {
        seen.insert((item.number.clone(), item.words.clone(), item.section.clone(), item.under.clone()))
    });
    before - items.len()
}
