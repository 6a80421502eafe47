//! From lines to a tree: which numbers follow one another.
//!
//! A number is an item's if it is the next one of a row that is open, or the first of a row that may begin here. A row
//! begins under an item that is a section, or after a heading; anything else that looks like a number (a statute, the steps
//! of a recommendation, a wrapped date) finds no row to continue, and is text.

use super::{
    lines::{Gap, Line},
    marker::{Kind, Reading, marker},
    words,
};
use std::collections::HashMap;

/// Rows within rows.
const MAX_DEPTH: usize = 3;
/// Numbers that may be missing in a row: items are withdrawn late.
const MAX_SKIP: u32 = 3;
/// Columns by which numbers of one row are off, on a page and from one to the next: pages are scaled one by one.
const NEAR: usize = 3;
const NEAR_ELSEWHERE: usize = 8;
/// Characters after the last item behind which no agenda goes on: the packet has begun.
const MAX_SILENCE: usize = 9_000;
/// Words of a section's name.
const MAX_SECTION_WORDS: usize = 12;
/// Items of any document that are looked at: what has more is refused later.
const MAX_NODES: usize = 3_000;

/// An item, or a section that has a number.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The line of its number.
    pub(super) line: usize,
    /// The number as it is printed.
    pub(super) number: String,
    /// The text after the number.
    pub(super) rest: String,
    /// The node that it stands under.
    pub(super) parent: Option<usize>,
    /// The line of the heading that it stands under.
    pub(super) heading: Option<usize>,
    /// The row that it belongs to.
    pub(super) row: usize,
    depth: usize,
    path: String,
}

/// What was understood.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) nodes: Vec<Node>,
    /// Lines that are headings, with their titles.
    pub(super) headings: Vec<(usize, String)>,
    /// Where it ends.
    pub(super) end: usize,
    /// Whether it ends because the meeting does.
    pub(super) adjourned: bool,
    /// Whether it ends because no further item came: what follows is the packet, or always was.
    pub(super) faded: bool,
    /// How often the numbers began anew.
    pub(super) restarts: usize,
}

/// A row of numbers.
#[derive(Clone, Debug)]
struct Row {
    kind: Kind,
    prefix: String,
    ordinal: u32,
    suffix: Option<char>,
    node: usize,
    line: usize,
    id: usize,
}

/// Reads the lines from `start` on. `strict`: numbers of one row stand in one column.
pub(super) fn outline(lines: &[Line], start: usize, strict: bool) -> Outline {
    let mut builder = Builder {
        lines,
        strict,
        out: Outline { end: lines.len(), ..Outline::default() },
        open: Vec::new(),
        roots: Vec::new(),
        heading: None,
        fresh: false,
        cue: false,
        body: 0,
        silence: 0,
        rows: 0,
        labels: repeated(&lines[start..]),
    };
    for at in start..lines.len() {
        if builder.step(at) {
            break;
        }
    }
    builder.out
}

/// Lines in capitals that come again and again are fields of items, such as PROPOSED ACTION.
fn repeated(lines: &[Line]) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for title in lines.iter().filter_map(|line| words::heading(&line.text)) {
        *counts.entry(title.to_owned()).or_default() += 1;
    }
    counts
}

struct Builder<'a> {
    lines: &'a [Line],
    strict: bool,
    out: Outline,
    /// The rows that are open, each under the last node of the one before.
    open: Vec<Row>,
    /// Rows that stand under no number. They are never closed: numbers go on across headings.
    roots: Vec<Row>,
    heading: Option<usize>,
    /// Whether there was a heading since the last node.
    fresh: bool,
    /// Whether the text since the last node says that a recommendation follows.
    cue: bool,
    /// Lines since the last node.
    body: usize,
    silence: usize,
    rows: usize,
    labels: HashMap<String, usize>,
}

impl Builder<'_> {
    /// Reads one line. True: the agenda ends here.
    fn step(&mut self, at: usize) -> bool {
        let line = &self.lines[at];
        if let Some(marker) = marker(&line.text)
            && self.place(at, &marker.readings)
        {
            let node = self.out.nodes.len() - 1;
            self.out.nodes[node].number = marker.number;
            marker.rest.clone_into(&mut self.out.nodes[node].rest);
            let title = if marker.rest.is_empty() { self.next_text(at) } else { marker.rest };
            if words::adjourns(title) && !self.goes_on(at) {
                (self.out.end, self.out.adjourned) = (at + 1, true);
                return true;
            }
            return self.out.nodes.len() >= MAX_NODES;
        }
        if let Some(title) = self.as_heading(at) {
            if words::adjourns(title) {
                (self.out.end, self.out.adjourned) = (at, true);
                return true;
            }
            self.out.headings.push((at, title.to_owned()));
            (self.heading, self.fresh, self.silence) = (Some(at), true, 0);
            return false;
        }
        self.body += 1;
        self.silence += line.text.len();
        self.cue |= words::is_cue(&line.text);
        let is_over = self.silence > MAX_SILENCE && self.out.nodes.len() > 2;
        if is_over {
            (self.out.end, self.out.faded) = (at, true);
        }
        is_over
    }

    fn next_text(&self, at: usize) -> &str {
        self.lines.get(at + 1).map_or("", |line| line.text.as_str())
    }

    /// Whether the row goes on right behind an adjournment: of one body to another.
    fn goes_on(&self, at: usize) -> bool {
        let Some(last) = self.open.last() else { return false };
        let next = (at + 1..self.lines.len()).take(10).find_map(|at| Some((at, marker(&self.lines[at].text)?)));
        next.is_some_and(|(at, marker)| {
            let follows = |next: &Reading| next.kind == last.kind && next.ordinal == last.ordinal + 1;
            marker.readings.iter().any(follows) && self.is_column(last, at, false)
        })
    }

    fn as_heading(&self, at: usize) -> Option<&str> {
        let line = &self.lines[at];
        let title = words::heading(&line.text)?;
        let known = words::is_section(title) || words::opens(title);
        let before = at.checked_sub(1).map_or("", |before| self.lines[before].text.as_str());
        let after_heading = self.out.headings.last().is_some_and(|(last, _)| last + 1 == at);
        let is_set = words::is_set(title);
        // The text of an item stands to the right of its number, and what is set in capitals there is no heading.
        let number = self.out.nodes.last().map(|node| &self.lines[node.line]);
        let in_item = number.is_some_and(|number| line.indent > number.indent + 1);
        let apart = line.gap != Gap::None || after_heading || (known && is_set && !in_item && !words::is_set(before));
        if !apart || (!known && self.labels.get(title).is_some_and(|count| *count > 1)) {
            return None;
        }
        // `F. CITY COMMISSION ITEMS`, whose number follows no other.
        let title = marker(title).map(|marker| marker.rest).filter(|rest| !rest.is_empty()).unwrap_or(title);
        ((known && is_set) || !in_item).then_some(title)
    }

    fn place(&mut self, at: usize, readings: &[Reading]) -> bool {
        readings.iter().any(|reading| !reading.prefix.is_empty() && self.compound(at, reading))
            || self.follows(at, readings, 1)
            || (2..=MAX_SKIP).any(|step| self.follows(at, readings, step))
            || readings.iter().any(|reading| reading.prefix.is_empty() && self.begins(at, reading))
    }

    /// `4.B` after `4.A`, or the first of 4's.
    fn compound(&mut self, at: usize, reading: &Reading) -> bool {
        let is_next = |row: &Row| {
            row.prefix == reading.prefix
                && row.kind == reading.kind
                && (row.ordinal + 1..=row.ordinal + MAX_SKIP).contains(&reading.ordinal)
        };
        if let Some(depth) = self.open.iter().rposition(is_next) {
            self.extend(at, depth, reading);
            return true;
        }
        if reading.ordinal != 1 {
            return self.new_root_follows(at, reading, is_next);
        }
        let parent = self.open.iter().rposition(|row| self.out.nodes[row.node].path == reading.prefix);
        if let Some(depth) = parent {
            self.open.truncate(depth + 1);
            return self.push(at, reading);
        }
        // `B.1` after `A.3`: nobody printed A and B themselves. The first such row begins wherever the agenda does.
        let known = |row: &&Row| !row.prefix.is_empty();
        let last = self.roots.iter().rfind(known).map(|row| row.prefix.clone());
        let may = match last {
            Some(last) => self.fresh || is_successor(&last, &reading.prefix),
            None => self.fresh || self.out.nodes.is_empty(),
        };
        may && self.root(at, reading)
    }

    fn new_root_follows(&mut self, at: usize, reading: &Reading, is_next: impl Fn(&Row) -> bool) -> bool {
        let Some(found) = self.roots.iter().rposition(is_next) else { return false };
        self.resume(at, found, reading);
        true
    }

    /// The next number of a row, innermost first.
    fn follows(&mut self, at: usize, readings: &[Reading], step: u32) -> bool {
        for reading in readings.iter().filter(|reading| reading.prefix.is_empty()) {
            let is_next = |row: &Row| {
                let same = reading.ordinal == row.ordinal && step == 1 && reading.suffix != row.suffix;
                row.prefix.is_empty()
                    && row.kind == reading.kind
                    && (reading.ordinal == row.ordinal + step || same)
                    && self.is_column(row, at, step > 1)
            };
            if let Some(depth) = self.open.iter().rposition(is_next) {
                self.extend(at, depth, reading);
                return true;
            }
            if let Some(found) = self.roots.iter().rposition(is_next) {
                self.resume(at, found, reading);
                return true;
            }
        }
        false
    }

    /// Whether a line stands in the column of a row; `exactly` where a number is missing.
    fn is_column(&self, row: &Row, at: usize, exactly: bool) -> bool {
        let (last, line) = (&self.lines[row.line], &self.lines[at]);
        let near = if row.kind.is_roman() { NEAR + 2 } else { NEAR };
        let elsewhere = line.page != last.page;
        let near = match (exactly, elsewhere) {
            (true, _) => 1,
            (false, true) => NEAR_ELSEWHERE,
            (false, false) => near,
        };
        let columns = line.indent.abs_diff(last.indent) <= near;
        let insets = elsewhere && line.inset.abs_diff(last.inset) <= near;
        columns || insets || (!self.strict && !exactly)
    }

    /// The first number of a row.
    fn begins(&mut self, at: usize, reading: &Reading) -> bool {
        if reading.ordinal != 1 {
            return false;
        }
        if !self.fresh && self.may_open(reading.kind) {
            return self.push(at, reading);
        }
        let is_first = self.out.nodes.is_empty();
        let bracketed = reading.kind.is_bracketed() && !self.roots.iter().all(|row| row.kind == reading.kind);
        (self.fresh || is_first) && !bracketed && self.root(at, reading)
    }

    /// Whether the last node is a section, under which a row may begin.
    fn may_open(&self, kind: Kind) -> bool {
        let Some(last) = self.open.last() else { return false };
        let node = &self.out.nodes[last.node];
        let is_named = words::is_section(&node.rest);
        let is_short = node.rest.split_whitespace().count() <= MAX_SECTION_WORDS;
        let is_new = self.open.iter().all(|row| row.kind != kind);
        is_new
            && !kind.is_bracketed()
            && self.open.len() < MAX_DEPTH
            && !words::is_roll(&node.rest)
            && (!self.cue || (is_named && node.depth == 0))
            && (is_named || is_short)
            && (node.depth == 0 || self.body == 0)
    }

    fn root(&mut self, at: usize, reading: &Reading) -> bool {
        let known = self.roots.iter().position(|row| row.kind == reading.kind && row.prefix == reading.prefix);
        if let Some(known) = known {
            self.roots.remove(known);
            self.out.restarts += 1;
        }
        self.open.clear();
        self.rows += 1;
        self.add(at, reading, None, self.rows);
        self.roots.extend(self.open.last().cloned());
        true
    }

    fn push(&mut self, at: usize, reading: &Reading) -> bool {
        let parent = self.open.last().map(|row| row.node);
        self.rows += 1;
        self.add(at, reading, parent, self.rows);
        true
    }

    fn extend(&mut self, at: usize, depth: usize, reading: &Reading) {
        let id = self.open[depth].id;
        self.open.truncate(depth);
        let parent = self.open.last().map(|row| row.node);
        self.add(at, reading, parent, id);
        self.remember(id);
    }

    fn resume(&mut self, at: usize, root: usize, reading: &Reading) {
        let id = self.roots[root].id;
        // What stood between was another row's, with its headings.
        let between = self.out.nodes.last().is_some_and(|node| node.row != id);
        if between {
            self.heading = self.out.nodes[self.roots[root].node].heading;
        }
        self.open.clear();
        self.add(at, reading, None, id);
        self.remember(id);
    }

    /// A root goes on where it is.
    fn remember(&mut self, id: usize) {
        if let Some(found) = self.roots.iter().position(|row| row.id == id) {
            self.roots.remove(found);
            self.roots.extend(self.open.last().cloned());
        }
    }

    fn add(&mut self, at: usize, reading: &Reading, parent: Option<usize>, row: usize) {
        let depth = self.open.len();
        let last = reading.ordinal.to_string();
        let last = if reading.kind.is_lettered() { letters(reading.ordinal) } else { last };
        let prefix = match (reading.prefix.is_empty(), parent) {
            (false, _) => Some(reading.prefix.clone()),
            (true, parent) => parent.map(|parent| self.out.nodes[parent].path.clone()),
        };
        let path = prefix.map_or_else(|| last.clone(), |prefix| format!("{prefix}.{last}"));
        let node = self.out.nodes.len();
        let (number, rest) = (String::new(), String::new());
        self.out.nodes.push(Node { line: at, number, rest, parent, heading: self.heading, row, depth, path });
        let (kind, prefix) = (reading.kind, reading.prefix.clone());
        self.open.push(Row { kind, prefix, ordinal: reading.ordinal, suffix: reading.suffix, node, line: at, id: row });
        (self.fresh, self.cue, self.body, self.silence) = (false, false, 0, 0);
    }
}

fn letters(ordinal: u32) -> String {
    let letter = |n: u32| char::from_u32(u32::from('A') + n).unwrap_or('?');
    if ordinal > 26 { String::from(letter(ordinal - 27)).repeat(2) } else { letter(ordinal - 1).to_string() }
}

/// `2` after `1`, `C` after `A`: rows without items are left out.
fn is_successor(last: &str, next: &str) -> bool {
    let place = |text: &str| {
        text.parse::<u32>().ok().or_else(|| {
            let c = text.chars().next().filter(|c| text.len() == 1 && c.is_ascii_uppercase())?;
            Some(u32::from(c))
        })
    };
    match (place(last), place(next)) {
        (Some(last), Some(next)) => (last + 1..=last + MAX_SKIP).contains(&next),
        _ => false,
    }
}
