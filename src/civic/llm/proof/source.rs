//! What a source says, prepared for questions.

use super::{
    dates::{self, When},
    hidden,
    numbers::{self, Millionths},
};
use std::collections::HashSet;

/// A source. What reads like an order to a model is no part of it: a summary that rests on that alone is not proven.
#[derive(Clone, Debug, Default)]
pub struct Source {
    pub(super) numbers: HashSet<Millionths>,
    pub(super) times: HashSet<Millionths>,
    pub(super) dates: HashSet<When>,
    pub(super) words: HashSet<String>,
    /// Words that follow each other.
    pub(super) pairs: HashSet<(String, String)>,
    pub(super) stems: HashSet<String>,
    /// In small letters, with one kind of dash and single spaces.
    text: String,
    /// The same without spaces.
    dense: String,
}

impl Source {
    /// A source of a title and a text.
    #[must_use]
    pub fn new(title: &str, text: &str) -> Self {
        let whole = format!("{}\n\n{}", hidden::without_orders(title), hidden::without_orders(text));
        let mut source = Self::default();
        numbers::all(&whole, |number| {
            source.numbers.insert(number);
        });
        source.times.extend(numbers::times(&whole));
        dates::all(&mut whole.clone(), |when, _| {
            source.dates.insert(when);
        });
        let mut before: Option<String> = None;
        for word in words(&whole) {
            if let Some(before) = before.replace(word.clone()) {
                source.pairs.insert((before, word.clone()));
            }
            source.words.insert(word);
        }
        source.stems = super::fit::stems(&whole).collect();
        source.text = plain(&whole);
        source.dense = source.text.split(' ').collect();
        source
    }

    /// Whether it holds a number written in digits.
    pub(super) fn has_number(&self, digits: &str) -> bool {
        numbers::of_digits(digits).is_some_and(|number| self.numbers.contains(&number))
    }

    /// Whether it holds these words as they are, whatever the letters' size.
    pub(super) fn has_text(&self, text: &str) -> bool {
        self.text.contains(&plain(text))
    }

    /// Whether it holds a file number, as a whole: `24-11` does not stand in `24-118`.
    pub(super) fn has_file(&self, number: &str) -> bool {
        let wanted: String = plain(number).split(' ').collect();
        let beside = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        self.dense.match_indices(&wanted).any(|(at, _)| {
            let (before, after) = (&self.dense[..at], &self.dense[at + wanted.len()..]);
            let goes_on = beside(after.chars().next());
            let began = wanted.starts_with(|c: char| c.is_ascii_digit()) && beside(before.chars().next_back());
            !goes_on && !began
        })
    }
}

/// Words in small letters; `Smith's` is `smith`.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '\u{2019}');
    parts.filter_map(|word| {
        let word = word.trim_matches(['\'', '\u{2019}']).to_lowercase().replace('\u{2019}', "'");
        let word = word.strip_suffix("'s").unwrap_or(&word);
        (!word.is_empty()).then(|| word.to_owned())
    })
}

fn plain(text: &str) -> String {
    let lower = text.to_lowercase();
    let dashed: String = lower.chars().map(|c| if ('\u{2010}'..='\u{2015}').contains(&c) { '-' } else { c }).collect();
    dashed.split_whitespace().collect::<Vec<_>>().join(" ")
}
