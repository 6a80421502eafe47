//! Names: capitalised words that don't begin a sentence. And addresses.

use super::{Fault, Reason, Source, pattern, take};
use regex::Regex;
use std::sync::LazyLock;

static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:[a-z][a-z0-9+.-]*://|www\.)\S+|[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,}|\b(?:[a-z0-9-]+\.)+(?:com|org|net|gov|edu|info|example|us|io|co|ru|cn|biz|xyz)\b(?:/\S*)?",
    )
});

/// Words that are written large by habit and name nobody.
const HABIT: &[&str] = &[
    "a",
    "agency",
    "am",
    "april",
    "august",
    "board",
    "city",
    "commission",
    "committee",
    "council",
    "county",
    "december",
    "department",
    "district",
    "february",
    "friday",
    "i",
    "january",
    "july",
    "june",
    "march",
    "may",
    "mayor",
    "monday",
    "no",
    "november",
    "october",
    "ordinance",
    "pm",
    "resolution",
    "saturday",
    "september",
    "staff",
    "state",
    "sunday",
    "the",
    "thursday",
    "town",
    "tuesday",
    "village",
    "wednesday",
];
/// What ends with a full stop and no sentence with it.
const ABBREVIATIONS: &[&str] = &[
    "mr", "mrs", "ms", "dr", "st", "no", "nos", "ave", "blvd", "rd", "jr", "sr", "inc", "co", "corp", "vs", "sec",
    "gov", "u.s",
];

/// Web and mail addresses must stand in the source as they are.
pub(super) fn addresses(rest: &mut String, source: &Source, faults: &mut Vec<Fault>) {
    take(rest, &ADDRESS, |c| {
        let address = c[0].trim_end_matches(['.', ',', ';', ':', ')', '"', '\'', '>']);
        if !source.has_text(address) {
            faults.push(Fault::new(Reason::Url, address));
        }
        true
    });
}

pub(super) fn judge(rest: &str, source: &Source, faults: &mut Vec<Fault>) {
    for run in runs(rest) {
        let words: Vec<String> = run.iter().flat_map(|word| super::source::words(word)).collect();
        let known = |word: &String| HABIT.contains(&word.as_str()) || source.words.contains(word);
        let pairs = words.windows(2).filter(|pair| pair.iter().all(|word| !HABIT.contains(&word.as_str())));
        let together = |pair: &[String]| source.pairs.contains(&(pair[0].clone(), pair[1].clone()));
        if !words.iter().all(known) || !pairs.into_iter().all(together) {
            faults.push(Fault::new(Reason::Name, &run.join(" ")));
        }
    }
}

/// Runs of capitalised words, without a word that begins a sentence.
fn runs(text: &str) -> Vec<Vec<&str>> {
    let mut runs = Vec::new();
    let mut run: Vec<&str> = Vec::new();
    let mut begins = true;
    for raw in text.split_whitespace() {
        let word = raw.trim_matches(|c: char| !c.is_alphanumeric());
        let is_name = word.starts_with(char::is_uppercase);
        if is_name && !begins {
            run.push(word);
        } else {
            runs.push(std::mem::take(&mut run));
        }
        // A comma ends a name; brackets and quotes begin something new.
        let last = raw.trim_end_matches(['"', '\'', ')', '\u{201d}', '\u{2019}']);
        if !raw.ends_with(char::is_alphanumeric) && !is_abbreviation(last) {
            runs.push(std::mem::take(&mut run));
        }
        begins = last.ends_with(['.', '!', '?', ':']) && !is_abbreviation(last);
    }
    runs.push(run);
    runs.retain(|run| !run.is_empty());
    runs
}

fn is_abbreviation(word: &str) -> bool {
    let Some(bare) = word.strip_suffix('.') else { return false };
    let bare = bare.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    bare.chars().count() == 1 || ABBREVIATIONS.contains(&bare.as_str())
}
