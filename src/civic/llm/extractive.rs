//! Summaries without a model: the leading salient sentences of the source, word for word.

use super::{
    Answer, Call, CallStatus, LlmError, MicroUsd, Outcome, PromptType, Questions, Usage,
    provider::{Answering, Provider, ProviderKind},
};
use jiff::Timestamp;
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use tokio::time::Instant;

/// The model's name in summaries, the ledger and metrics. A change of what it picks is a new name.
pub const MODEL: &str = "extractive-1";
/// Version of what it is told: nothing. What it picks has its version in [`MODEL`].
pub const VERSION: &str = "1";
/// Longest summary, in characters.
const MAX_CHARS: usize = 700;
/// Sentences outside these lengths are headings, page numbers and tables.
const SENTENCE_CHARS: std::ops::RangeInclusive<usize> = 25..=500;
/// Sentences that are looked at: a book has its news at the front.
const MAX_SENTENCES: usize = 400;
/// Words that say nothing about what a text is about.
const COMMON: &[&str] = &[
    "about", "after", "also", "been", "before", "city", "each", "from", "have", "into", "more", "other", "shall",
    "such", "than", "that", "their", "there", "these", "they", "this", "under", "upon", "were", "which", "will",
    "with", "would",
];

/// Sentences of the source, as a provider. It costs nothing and needs nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extractive;

impl Provider for Extractive {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Extractive
    }

    fn model(&self) -> &str {
        MODEL
    }

    fn prompt_version(&self) -> &'static str {
        VERSION
    }

    fn worst_cost(&self, _: &Questions) -> MicroUsd {
        0
    }

    fn deadline(&self) -> Duration {
        Duration::ZERO
    }

    fn quota_reset(&self, now: Timestamp) -> Timestamp {
        now
    }

    fn ask<'a>(&'a self, questions: &'a Questions) -> Answering<'a> {
        Box::pin(std::future::ready(extract(questions)))
    }
}

/// Of the own question: what costs nothing takes nothing along.
fn extract(questions: &Questions) -> Outcome {
    let (started, request) = (Instant::now(), &questions.own);
    let sentences = match request.prompt {
        PromptType::Item | PromptType::Chunk | PromptType::Batch => 3,
        PromptType::Meeting => 6,
    };
    let summary = summarise(&request.text, sentences);
    let empty = summary.is_empty();
    let answer = Answer { summary, pages: Vec::new() };
    let result = if empty { Err(LlmError::Empty("no letters in the text".to_owned())) } else { Ok(answer) };
    let call = Call {
        provider: ProviderKind::Extractive,
        model: MODEL.to_owned(),
        prompt_version: VERSION,
        prompt: request.prompt,
        status: result.as_ref().map_or_else(LlmError::status, |_| CallStatus::Ok),
        usage: Usage::default(),
        estimated: false,
        cost: 0,
        duration: started.elapsed(),
    };
    Outcome { call, result, along: Vec::new() }
}

/// Picks at most `sentences` sentences of `text`, in their order. Empty only for a text without any letter.
///
/// A sentence is worth the mean weight of its words (how many sentences of the text share each), and more the earlier
/// it stands. What ends without a full stop (headings, tables) counts only where nothing else is. The same text gives
/// the same summary.
#[must_use]
pub fn summarise(text: &str, sentences: usize) -> String {
    pick(text, sentences).join(" ")
}

fn pick(text: &str, sentences: usize) -> Vec<String> {
    let paragraphs = paragraphs(text);
    let all: Vec<&str> = paragraphs.iter().flat_map(|paragraph| split(paragraph)).take(MAX_SENTENCES).collect();
    let mut candidates: Vec<&str> =
        all.iter().copied().filter(|s| SENTENCE_CHARS.contains(&s.chars().count())).collect();
    if candidates.iter().any(|sentence| ends(sentence)) {
        candidates.retain(|sentence| ends(sentence));
    }
    if candidates.is_empty() {
        let flat = paragraphs.join(" ");
        return flat.chars().any(char::is_alphanumeric).then(|| cut(&flat)).into_iter().collect();
    }
    let mut seen = HashSet::new();
    candidates.retain(|sentence| seen.insert(*sentence));
    let mut chosen = choose(&candidates, sentences.max(1));
    chosen.sort_unstable();
    chosen.into_iter().map(|index| candidates[index].to_owned()).collect()
}

/// What empty lines and page ends divide, each on one line with single spaces.
fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in text.split(['\n', '\u{c}']) {
        let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
        match paragraphs.last_mut() {
            Some(last) if !words.is_empty() => {
                last.push_str(if last.is_empty() { "" } else { " " });
                last.push_str(&words);
            }
            Some(last) if !last.is_empty() => paragraphs.push(String::new()),
            _ => {}
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

fn ends(sentence: &str) -> bool {
    sentence.trim_end_matches(['"', ')', '\u{201d}']).ends_with(['.', '!', '?'])
}

/// The best sentences that fit, by index.
fn choose(candidates: &[&str], sentences: usize) -> Vec<usize> {
    let words: Vec<HashSet<String>> = candidates.iter().map(|sentence| words(sentence)).collect();
    let mut weight: HashMap<&str, f64> = HashMap::new();
    for word in words.iter().flatten() {
        *weight.entry(word).or_default() += 1.0;
    }
    let mut ranked: Vec<(usize, f64)> = words
        .iter()
        .enumerate()
        .map(|(index, words)| {
            // Summed in a fixed order: floating-point sums depend on it, and a set has none.
            let mut weights: Vec<f64> = words.iter().map(|word| weight[word.as_str()]).collect();
            weights.sort_by(f64::total_cmp);
            let mean = weights.iter().sum::<f64>() / weights.len().max(1) as f64;
            (index, mean / (1.0 + 0.1 * index as f64))
        })
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut room = MAX_CHARS;
    let mut chosen = Vec::new();
    for (index, _) in ranked {
        let needs = candidates[index].chars().count() + 1;
        if chosen.len() < sentences && needs <= room {
            room -= needs;
            chosen.push(index);
        }
    }
    chosen
}

fn words(sentence: &str) -> HashSet<String> {
    sentence
        .split(|c: char| !c.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| word.chars().count() > 3 && !COMMON.contains(&word.as_str()))
        .collect()
}

/// Sentences of a text with single spaces: they end at `.`, `!` or `?` before a space and a new beginning.
fn split(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if !matches!(c, '.' | '!' | '?') || chars.peek().is_none_or(|(_, next)| *next != ' ') {
            continue;
        }
        let rest = &text[at + 2..];
        if rest.starts_with(|c: char| c.is_uppercase() || c.is_numeric() || c == '"') && !abbreviated(&text[start..at])
        {
            sentences.push(text[start..=at].trim());
            start = at + 2;
        }
    }
    sentences.push(text[start..].trim());
    sentences
}

/// `No.`, `St.`, `J.`: a full stop that ends no sentence.
fn abbreviated(before: &str) -> bool {
    let word = before.rsplit(' ').next().unwrap_or_default();
    word.chars().count() == 1
        || matches!(word, "No" | "St" | "Mr" | "Ms" | "Mrs" | "Dr" | "Ave" | "Sec" | "Art" | "Res")
}

fn cut(text: &str) -> String {
    super::clip(text, MAX_CHARS).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REPORT: &str = "STAFF REPORT\n\nPage 1. The council will consider a lease of the harbor warehouse for ten \
        years. The lease brings 120,000 dollars a year to the harbor fund. Lunch is served at noon in the lobby. \
        Resolution No. 42 set the terms of the warehouse lease in March. Staff recommends approval of the lease.";

    #[test]
    fn it_uses_only_sentences_of_the_source_in_their_order() {
        let flat = REPORT.split_whitespace().collect::<Vec<_>>().join(" ");
        let summary = summarise(REPORT, 3);
        let mut from = 0;
        let sentences = split(&summary);
        assert_eq!(sentences.len(), 3, "{summary}");
        for sentence in sentences {
            from += flat[from..].find(sentence).expect("a sentence of the source, after the one before");
        }
        assert!(summary.contains("lease of the harbor warehouse"), "{summary}");
        assert!(!summary.contains("Lunch"), "what shares no words with the rest is not salient: {summary}");
    }

    #[test]
    fn headings_and_tables_are_left_out() {
        let text = "CITY OF ALDER FALLS STAFF REPORT\n\nSubject: the lease of the mill\n\nThe mill is leased for\n\
                    ten years.\u{c}  Rent goes to the fund for old mills.\n\nRent    120    Fund    900 dollars a year";
        assert_eq!(summarise(text, 5), "The mill is leased for ten years. Rent goes to the fund for old mills.");
        assert_eq!(summarise("AGENDA OF THE CITY COUNCIL\n\nx", 5), "AGENDA OF THE CITY COUNCIL");
    }

    #[test]
    fn an_abbreviation_ends_no_sentence() {
        assert_eq!(split("See No. 42 there. It holds."), ["See No. 42 there.", "It holds."]);
    }

    #[test]
    fn texts_without_sentences_give_what_they_have() {
        assert_eq!(summarise("Budget", 3), "Budget");
        assert_eq!(summarise(" \n ____ ", 3), "");
        assert_eq!(summarise(&"x".repeat(10_000), 3).len(), MAX_CHARS);
    }

    proptest! {
        #[test]
        fn any_text_gives_a_bounded_part_of_itself(text in "[ -~äß…\n]{0,900}") {
            let summary = summarise(&text, 3);
            prop_assert!(summary.chars().count() <= MAX_CHARS);
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for sentence in pick(&text, 3) {
                prop_assert!(flat.contains(&sentence), "{sentence:?} is not in {flat:?}");
            }
            prop_assert_eq!(summary, summarise(&text, 3));
        }
    }
}
