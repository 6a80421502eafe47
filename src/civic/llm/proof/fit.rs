//! Whether a summary is about its own input: an answer may come back under another's key.

use super::Source;
use std::collections::{HashMap, HashSet};

/// Least share of a summary's words that its source has. Paraphrase brings words of its own; another item shares few.
pub(super) const ENOUGH: f64 = 0.5;
/// Letters of a word that count: `lease`, `leases` and `leasing` are about the same.
const STEM_CHARS: usize = 5;
/// Words that every summary of every item has.
const COMMON: &[&str] = &[
    "about", "after", "also", "approv", "been", "before", "city", "council", "from", "have", "into", "item", "meeting",
    "more", "other", "shall", "such", "summary", "than", "that", "their", "there", "these", "they", "this", "under",
    "upon", "were", "which", "will", "with", "would",
];

/// The words of a text that say what it is about, by their beginnings.
pub(super) fn stems(text: &str) -> impl Iterator<Item = String> {
    let words = super::source::words(text);
    let says = |word: &String| word.chars().count() > 3 && !COMMON.contains(&word.as_str());
    words.filter(says).map(|word| word.chars().take(STEM_CHARS).collect())
}

/// The share of a summary's words that a source has, 0 to 1. A summary of hardly any word has it all.
pub(super) fn overlap(summary: &str, source: &Source) -> f64 {
    weighed(summary, source, |_| 1.0)
}

#[expect(clippy::cast_precision_loss, reason = "a summary has some hundred words")]
fn weighed(summary: &str, source: &Source, weight: impl Fn(&str) -> f64) -> f64 {
    let all: HashSet<String> = stems(summary).collect();
    if all.len() < 3 {
        return 1.0;
    }
    // Summed in a fixed order: floating-point sums depend on it, and a set has none.
    let mut sorted: Vec<&String> = all.iter().collect();
    sorted.sort_unstable();
    let sum =
        |known: bool| sorted.iter().filter(|s| !known || source.stems.contains(**s)).map(|s| weight(s)).sum::<f64>();
    let whole = sum(false);
    if whole > 0.0 { sum(true) / whole } else { all.len() as f64 }
}

/// For a batch of answers, by the order of their questions: whether each fits its own source, and no other's better.
///
/// Words count the more the fewer sources have them, as items of one meeting share many. A batch that came back rotated fits
/// nowhere.
#[must_use]
pub fn fits_its_own(answers: &[&str], sources: &[Source]) -> Vec<bool> {
    let mut holders: HashMap<&str, f64> = HashMap::new();
    for stem in sources.iter().flat_map(|source| &source.stems) {
        *holders.entry(stem).or_default() += 1.0;
    }
    let weight = |stem: &str| 1.0 / holders.get(stem).copied().unwrap_or(1.0);
    let fit = |(at, answer): (usize, &&str)| {
        let Some(source) = sources.get(at) else { return false };
        let own = weighed(answer, source, weight);
        let best = sources.iter().map(|other| weighed(answer, other, weight)).fold(0.0, f64::max);
        overlap(answer, source) >= ENOUGH && own >= best
    };
    answers.iter().enumerate().map(fit).collect()
}
