//! Proving a summary by its source: every number, date, name, file number and address of it must stand there, and it must be
//! about the same. Pure.
//!
//! What can't be proven is not called false: it is held back, with what was not found. The rules are strict where a reader
//! would act on it (a sum, a day, a name) and know nothing of meaning: a summary that puts true figures together wrongly
//! passes.

mod dates;
mod fit;
mod hidden;
mod names;
mod numbers;
mod source;

pub use fit::fits_its_own;
pub use source::Source;

use std::fmt;

/// Most faults of one summary that are told.
const MAX_FAULTS: usize = 10;
/// Longest quote of one.
const QUOTE_CHARS: usize = 60;

/// What kind of thing is not in the source. A closed set: it is a metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// A number, a sum, a share, a time of day.
    Number,
    /// A date.
    Date,
    /// A name.
    Name,
    /// A file number.
    FileNumber,
    /// A web or mail address.
    Url,
    /// It is about something else.
    OffTopic,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Number, Self::Date, Self::Name, Self::FileNumber, Self::Url, Self::OffTopic];

    /// The metric label, and the text in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Date => "date",
            Self::Name => "name",
            Self::FileNumber => "file_number",
            Self::Url => "url",
            Self::OffTopic => "off_topic",
        }
    }
}

/// What the source does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind of thing.
    pub reason: Reason,
    /// The summary's words.
    pub quote: String,
}

impl Fault {
    fn new(reason: Reason, quote: &str) -> Self {
        Self { reason, quote: super::clip(quote.trim(), QUOTE_CHARS).to_owned() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.reason.as_str(), self.quote)
    }
}

/// Whether a title or a text holds what reads like an order to a model.
#[must_use]
pub fn has_orders(title: &str, text: &str) -> bool {
    hidden::has_orders(title) || hidden::has_orders(text)
}

/// What of a summary its source does not have; empty: it is proven.
#[must_use]
pub fn faults(summary: &str, source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    // Each step takes out what it has judged, so that a year of a date is no number, and a month no name.
    let mut rest = summary.to_owned();
    names::addresses(&mut rest, source, &mut faults);
    dates::judge(&mut rest, source, &mut faults);
    numbers::judge(&mut rest, source, &mut faults);
    names::judge(&rest, source, &mut faults);
    if fit::overlap(summary, source) < fit::ENOUGH {
        faults.push(Fault::new(Reason::OffTopic, summary));
    }
    faults.truncate(MAX_FAULTS);
    faults
}

/// Takes what a pattern finds out of a text, and tells of each; what `found` did not judge (false) stays. In the place of what
/// is taken stands a space, so that words don't grow together.
fn take(rest: &mut String, pattern: &regex::Regex, mut found: impl FnMut(&regex::Captures<'_>) -> bool) {
    let mut kept = String::with_capacity(rest.len());
    let mut from = 0;
    for captures in pattern.captures_iter(rest) {
        let Some(whole) = captures.get(0) else { continue };
        if !found(&captures) {
            continue;
        }
        kept.push_str(&rest[from..whole.start()]);
        kept.push(' ');
        from = whole.end();
    }
    kept.push_str(&rest[from..]);
    *rest = kept;
}

/// A pattern of this module.
fn pattern(text: &str) -> regex::Regex {
    regex::Regex::new(text).expect("the pattern is a constant that a test compiles")
}

#[cfg(test)]
mod tests;
