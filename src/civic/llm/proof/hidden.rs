//! Orders to a model that somebody put into a document. The list is not complete and can't be: it makes the common ones
//! useless; that a model has no tools, that its answer has one shape and no addresses, is what holds in general.

use super::pattern;
use regex::Regex;
use std::sync::LazyLock;

static ORDER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)
        \b(?:ignore|disregard|forget|override|bypass)\b [^.]{0,40}? \b(?:previous|prior|above|earlier|preceding|all|your|these|any|the)\b
            [^.]{0,30}? \b(?:instructions?|prompts?|rules|directions|guidelines|commands?)\b
        | \b(?:system|developer)\ (?:prompt|message)\b
        | \byou\ are\ (?:now|an?\ (?:ai|assistant|language\ model|chat\s?bot)|no\ longer)\b
        | \bas\ an?\ (?:ai|large\ language|language)\b
        | \b(?:new|updated|real|actual)\ instructions?\s*:
        | \b(?:ai|llm|model|assistant|summari[sz]er)s?\b [^.]{0,30}? \b(?:must|should|shall|are\ to|is\ to)\b [^.]{0,20}? \b(?:say|write|respond|reply|answer|output|state|summari[sz]e)\b
        | \b(?:respond|reply|answer|output)\ (?:only|exactly)\b
        | \bsummari[sz]e\ this\ (?:item|document|text|page|report)\ (?:as|by)\b
        | </?\s*(?:system|assistant|instructions?|document)\s*>
        | \[/?(?:inst|system)\]",
    )
});

/// A text without what reads like an order to a model, from the sentence on that begins it to the end of its paragraph: what
/// the order wants to be said stands after it.
pub(super) fn without_orders(text: &str) -> String {
    let mut kept = Vec::new();
    for page in text.split('\u{c}') {
        for paragraph in paragraphs(page) {
            kept.push(innocent(&paragraph).to_owned());
        }
    }
    kept.join("\n\n")
}

/// Whether a text holds what reads like an order to a model.
pub(super) fn has_orders(text: &str) -> bool {
    text.split('\u{c}').flat_map(paragraphs).any(|paragraph| ORDER.is_match(&paragraph))
}

fn innocent(paragraph: &str) -> &str {
    let Some(order) = ORDER.find(paragraph) else { return paragraph };
    let before = &paragraph[..order.start()];
    let end = before.rfind(['.', '!', '?', ':']).map_or(0, |at| at + 1);
    &before[..end]
}

/// Lines between empty lines, on one line each.
fn paragraphs(page: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for line in page.lines() {
        let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
        match all.last_mut() {
            Some(last) if words.is_empty() && !last.is_empty() => all.push(String::new()),
            Some(last) if !words.is_empty() => {
                if !last.is_empty() {
                    last.push(' ');
                }
                last.push_str(&words);
            }
            _ => {}
        }
    }
    all
}
