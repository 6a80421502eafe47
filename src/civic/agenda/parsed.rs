//! Items of a document as items of a meeting.

use super::{AgendaItem, file_number};
use crate::civic::model::{Fingerprint, ParsedItem, SourceItemId};
use jiff::civil::Date;
use std::collections::HashMap;

/// The items as the tables hold them.
///
/// An item's id comes from its words, and from how many items before it have the same: it stays when another item is
/// inserted before it, when its number changes with that, and when a page ends elsewhere.
#[must_use]
pub fn parsed_items(items: &[AgendaItem]) -> Vec<ParsedItem> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let parse = |(place, item): (usize, &AgendaItem)| {
        let words = if item.words.is_empty() { item.title.as_str() } else { item.words.as_str() };
        let count = seen.entry(words.to_owned()).or_default();
        *count += 1;
        let hash = Fingerprint::of(&(words, *count));
        ParsedItem {
            vendor_id: SourceItemId(format!("seg-{}", &hash.as_str()[..20])),
            sequence: i32::try_from(place + 1).ok(),
            number: item.number.clone(),
            title: item.title.clone(),
            matter: file_number(&item.title),
            attachments: Vec::new(),
            note: (!item.body.is_empty()).then(|| item.body.clone()),
            action: None,
            consent: item.consent,
        }
    };
    items.iter().enumerate().map(parse).collect()
}

/// Lines at the beginning in which an agenda says when it is.
const HEAD: usize = 60;

/// Whether the head of a document names a day: `December 6, 2022`, `12/6/2022`, `2022-12-06`.
#[must_use]
pub fn shows_day(text: &str, day: Date) -> bool {
    let head: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(HEAD).collect();
    let head = head.join(" ").to_lowercase();
    let head = head.split_whitespace().collect::<Vec<_>>().join(" ");
    let formats = [
        "%B %-d, %Y",
        "%b %-d, %Y",
        "%b. %-d, %Y",
        "%-d %B %Y",
        "%-m/%-d/%Y",
        "%m/%d/%Y",
        "%-m/%-d/%y",
        "%m/%d/%y",
        "%F",
    ];
    formats.iter().any(|format| holds(&head, &day.strftime(format).to_string().to_lowercase()))
}

/// Whole: `12/6/2022` is not `2/6/2022`.
fn holds(text: &str, day: &str) -> bool {
    text.match_indices(day).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + day.len()..].chars().next();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '/')
            && !after.is_some_and(|c| c.is_ascii_digit() || c == '/')
    })
}
