//! The items of a document, or why there are none that could be believed.

use super::{
    items::{AgendaItem, Assembled, headed, numbered},
    lines::{self, Line},
    marker::marker,
    outline::{Outline, outline},
    words,
};
use serde::{Deserialize, Serialize};

/// More items than any agenda has.
const MAX_ITEMS: usize = 200;
/// Characters, without white space, that an item has at least, on average.
const MIN_CHARS: usize = 30;
/// So many rows that begin anew are those of a code of law.
const MAX_RESTARTS: usize = 24;
/// The same where no adjournment ends the agenda: what follows it may be taken for more of it.
const MAX_RESTARTS_UNENDED: usize = 8;
/// Fewer numbered items are none, unless the document opens as an agenda does.
const FEW: usize = 2;
/// Headings that make an agenda without numbers.
const MIN_HEADINGS: usize = 3;
/// Lines in which the word agenda must stand.
const TITLE_LINES: usize = 80;

/// By what the items were found. A closed set: a metric label, and stored by these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Their numbers.
    Numbering,
    /// Headings: the agenda has no numbers.
    Headings,
    /// Nothing.
    None,
}

impl Method {
    /// Its name in the database, in JSON and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Numbering => "numbering",
            Self::Headings => "headings",
            Self::None => "none",
        }
    }
}

/// The items of an agenda, in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Segmented {
    /// At least one.
    pub items: Vec<AgendaItem>,
    /// By what they were found.
    pub method: Method,
    /// What was left out, for people.
    pub warnings: Vec<String>,
}

/// A document of which no items are believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{why}")]
pub struct Suspect {
    /// Why, for people.
    pub why: String,
    /// By what items were looked for when that was seen.
    pub method: Method,
}

/// Finds the items in the text of an agenda: laid out as on the page, a form feed between pages; text without either will
/// do.
///
/// # Errors
/// [`Suspect`]: no items, or more than could be true.
pub fn segment(text: &str) -> Result<Segmented, Suspect> {
    let lines = lines::read(text);
    if lines.is_empty() {
        return Err(suspect(Method::None, "the document has no text"));
    }
    let opening = opening(&lines);
    let start = opening.unwrap_or_else(|| title(&lines));
    let read = best(&lines, start);
    let shape = Shape::of(&lines, &read, opening.is_some());
    let (assembled, method) = choose(&lines, &read, &shape);
    judge(&assembled, &read, &shape, method)?;
    Ok(Segmented { warnings: warnings(&assembled, &read), items: assembled.items, method })
}

/// What speaks for an agenda.
struct Shape {
    opens: bool,
    is_titled: bool,
    sections: usize,
    /// Characters without white space.
    chars: usize,
}

impl Shape {
    fn of(lines: &[Line], read: &Outline, opens: bool) -> Self {
        let title = |line: &Line| line.text.to_lowercase().contains("agenda");
        Self {
            opens,
            is_titled: lines.iter().take(TITLE_LINES).any(title),
            sections: read.headings.iter().filter(|(_, title)| words::is_section(title)).count()
                + read.nodes.iter().filter(|node| words::is_section(&node.rest)).count(),
            chars: lines.iter().flat_map(|line| line.text.chars()).filter(|c| !c.is_whitespace()).count(),
        }
    }
}

/// Where the meeting opens. A numbered line that is not the first of its row is preceded by the first.
fn opening(lines: &[Line]) -> Option<usize> {
    let at = lines.iter().position(|line| {
        let found = marker(&line.text);
        let text = found.as_ref().map_or(line.text.as_str(), |marker| marker.rest);
        words::opens(text) && (found.is_some() || words::heading(&line.text).is_some() || text.chars().count() < 46)
    })?;
    let Some(found) = marker(&lines[at].text) else { return Some(at) };
    let Some(reading) = found.readings.iter().find(|reading| reading.ordinal > 1) else { return Some(at) };
    let first = lines[..at].iter().rposition(|line| {
        marker(&line.text)
            .is_some_and(|before| before.readings.iter().any(|one| one.kind == reading.kind && one.ordinal == 1))
    });
    Some(first.unwrap_or(at))
}

/// The line behind the word agenda at the top; 0 without one.
fn title(lines: &[Line]) -> usize {
    let is_title = |line: &Line| line.text.to_lowercase().contains("agenda") && line.text.chars().count() < 60;
    lines.iter().take(TITLE_LINES).position(is_title).map_or(0, |at| at + 1)
}

/// Numbers of a row stand in one column; only where that finds nothing, they may stand anywhere. What a table of contents
/// lists is read where it is printed in full, if it is.
fn best(lines: &[Line], start: usize) -> Outline {
    let strict = outline(lines, start, true);
    let read = if strict.nodes.len() > FEW { strict } else { longer(strict, outline(lines, start, false)) };
    let first = numbered(lines, &read);
    if first.contents * 2 <= first.items.len() || first.contents < FEW {
        return read;
    }
    let rest = &lines[read.end..];
    let Some(again) = opening(rest) else { return read };
    let second = outline(lines, read.end + again, true);
    let full = numbered(lines, &second);
    let known =
        full.items.iter().filter(|item| first.items.iter().any(|one| item.words.starts_with(&one.words))).count();
    if known * 2 > first.items.len() { second } else { read }
}

fn longer(one: Outline, other: Outline) -> Outline {
    if other.nodes.len() > one.nodes.len() { other } else { one }
}

fn choose(lines: &[Line], read: &Outline, shape: &Shape) -> (Assembled, Method) {
    let found = numbered(lines, read);
    let enough = found.items.len() >= FEW || (found.items.len() == 1 && shape.opens);
    if enough {
        return (found, Method::Numbering);
    }
    let by_heading = headed(lines, read);
    let is_agenda = shape.opens || shape.sections >= MIN_HEADINGS;
    if is_agenda && by_heading.items.len() >= MIN_HEADINGS {
        return (by_heading, Method::Headings);
    }
    (Assembled::default(), Method::None)
}

fn judge(found: &Assembled, read: &Outline, shape: &Shape, method: Method) -> Result<(), Suspect> {
    let (items, chars) = (found.items.len(), shape.chars);
    // A packet is called agenda too: the word counts where the items go on to the end.
    let speaks = [shape.opens, read.adjourned, shape.is_titled && !read.faded, shape.sections >= FEW];
    let most = if read.adjourned { MAX_RESTARTS } else { MAX_RESTARTS_UNENDED };
    let why = if read.restarts >= most {
        format!("the numbers begin anew {} times: this is a code or a packet, not an agenda", read.restarts)
    } else if items > MAX_ITEMS {
        format!("{items} items, more than the {MAX_ITEMS} of any agenda")
    } else if items == 0 {
        "no items were found".to_owned()
    } else if items * MIN_CHARS > chars {
        format!("{items} items in {chars} characters")
    } else if !speaks.contains(&true) {
        "nothing says that this is an agenda".to_owned()
    } else {
        return Ok(());
    };
    Err(suspect(method, &why))
}

fn suspect(method: Method, why: &str) -> Suspect {
    Suspect { why: why.to_owned(), method }
}

fn warnings(found: &Assembled, read: &Outline) -> Vec<String> {
    let mut warnings = Vec::new();
    if found.advice > 0 {
        warnings.push(format!("{} lists of advice to speakers are left out", found.advice));
    }
    if found.repeated > 0 {
        warnings.push(format!("{} items that come twice are left out", found.repeated));
    }
    if found.contents > 0 {
        warnings.push("titles are those of a table of contents".to_owned());
    }
    if !read.adjourned {
        warnings.push("no adjournment is printed: the end is a guess".to_owned());
    }
    warnings
}

#[cfg(test)]
mod tests;
