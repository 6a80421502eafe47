//! Dates, in the notations of agendas.

use super::{Fault, Reason, Source, pattern, take};
use regex::{Captures, Regex};
use std::sync::LazyLock;

/// A day, as far as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct When {
    pub(super) year: Option<u32>,
    pub(super) month: u32,
    pub(super) day: Option<u32>,
}

impl When {
    /// Whether a source that says `other` says this.
    fn is_said_by(&self, other: &Self) -> bool {
        let agrees = |ours: Option<u32>, theirs: Option<u32>| ours.is_none() || theirs.is_none() || ours == theirs;
        self.month == other.month && (self.day.is_none() || self.day == other.day) && agrees(self.year, other.year)
    }
}

const MONTHS: &str =
    r"(?i:(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(?:uary|ruary|ch|il|e|y|ust|t|tember|ober|ember)?\b)\.?";

/// `March 8, 2026`, `Mar. 8`, `March 8th`.
static MONTH_DAY: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"\b{MONTHS}\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(\d{{4}})\b)?")));
/// `8 March 2026`, `8th of March`.
static DAY_MONTH: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"\b(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{MONTHS}(?:,?\s+(\d{{4}})\b)?")));
/// `March 2026`.
static MONTH_YEAR: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"\b{MONTHS},?\s+(\d{{4}})\b")));
/// `2026-03-08`.
static ISO: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b"));
/// `3/8/2026`, `03-08-26`: American, unless the first can be no month.
static SLASHED: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})\b"));

/// Takes every date out of a text and calls `found` with what it says and how.
pub(super) fn all(rest: &mut String, mut found: impl FnMut(When, &str)) {
    let number = |c: &Captures<'_>, i: usize| c.get(i).and_then(|m| m.as_str().parse::<u32>().ok());
    let month = |c: &Captures<'_>, i: usize| {
        let name = c.get(i)?.as_str();
        // `may` and `march` are verbs.
        let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        let at = names.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        name.starts_with(char::is_uppercase).then(|| u32::try_from(at + 1).unwrap_or(0))
    };
    let whole = |c: &Captures<'_>| c.get(0).map(|m| m.as_str().to_owned()).unwrap_or_default();
    // What is no date after all stays where it is, for whoever judges numbers.
    let mut tell = |year: Option<u32>, month: Option<u32>, day: Option<u32>, text: String| {
        let month = month.filter(|month| (1..=12).contains(month));
        let when = month.filter(|_| day.is_none_or(|day| (1..=31).contains(&day)));
        when.into_iter().for_each(|month| found(When { year, month, day }, &text));
        when.is_some()
    };
    take(rest, &ISO, |c| tell(number(c, 1), number(c, 2), number(c, 3), whole(c)));
    take(rest, &SLASHED, |c| {
        let (first, second) = (number(c, 1), number(c, 2));
        let year = number(c, 3).map(|year| if year < 100 { 2000 + year } else { year });
        let (month, day) = if first > Some(12) { (second, first) } else { (first, second) };
        tell(year, month, day, whole(c))
    });
    take(rest, &MONTH_DAY, |c| tell(number(c, 3), month(c, 1), number(c, 2), whole(c)));
    take(rest, &DAY_MONTH, |c| tell(number(c, 3), month(c, 2), number(c, 1), whole(c)));
    take(rest, &MONTH_YEAR, |c| tell(number(c, 2), month(c, 1), None, whole(c)));
}

pub(super) fn judge(rest: &mut String, source: &Source, faults: &mut Vec<Fault>) {
    all(rest, |when, quote| {
        // A source that leaves the year out at the day may name it elsewhere.
        let year_is_known = |year: u32| source.has_number(&year.to_string());
        let said = source
            .dates
            .iter()
            .any(|other| when.is_said_by(other) && (other.year.is_some() || when.year.is_none_or(year_is_known)));
        if !said {
            faults.push(Fault::new(Reason::Date, quote));
        }
    });
}
