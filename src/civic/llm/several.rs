//! The answers to several questions in one call: matched by their keys, never by their order, and each proven by its own text.
//! Models have answered whole batches under the keys of their neighbours. Pure.

use super::{
    Answer, LlmError, Questions, Request,
    answer::{self, Wire},
    proof::{Source, faults, fits_its_own},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Several {
    answers: Vec<Wire>,
}

/// The schema, for servers that hold their models to one.
pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {"answers": {"type": "array", "items": answer::schema()}},
        "required": ["answers"],
    })
}

/// What a model says to several questions.
#[derive(Debug)]
pub(super) struct Answers {
    /// To the own one.
    pub(super) own: Result<Answer, LlmError>,
    /// To the others, in their order, so far as they are of use.
    pub(super) along: Vec<Option<Answer>>,
}

/// Reads a model's text as the answers to these questions.
pub(super) fn read(text: &str, questions: &Questions) -> Result<Answers, LlmError> {
    let Several { answers } = answer::json(text)?;
    let asked: Vec<&Request> = questions.all().collect();
    let mut found = by_key(answers, &asked);
    keep_fitting(&mut found, &asked);
    let mut found = found.into_iter();
    let own = found.next().flatten().ok_or_else(|| answer::wrong_key("none of its own text"));
    Ok(Answers { own, along: found.collect() })
}

/// The answer under each question's key. Of two under one key neither is believed; keys that were not asked for are left out.
fn by_key(answers: Vec<Wire>, asked: &[&Request]) -> Vec<Option<Answer>> {
    let mut wires: HashMap<String, Vec<Wire>> = HashMap::new();
    for wire in answers {
        wires.entry(wire.key.clone()).or_default().push(wire);
    }
    let mut answer = |request: &&Request| match wires.remove(&request.key()).map(|mut of| (of.len(), of.pop())) {
        Some((1, Some(wire))) => wire.answer(request.pages).ok(),
        _ => None,
    };
    asked.iter().map(&mut answer).collect()
}

/// Drops what is about another question's text, and what its own does not prove: that may come from another, and a question
/// that is asked alone has both its tries.
fn keep_fitting(found: &mut [Option<Answer>], asked: &[&Request]) {
    let sources: Vec<Source> = asked.iter().map(|request| Source::new(&request.title, &request.text)).collect();
    let summaries: Vec<&str> =
        found.iter().map(|answer| answer.as_ref().map_or("", |answer| answer.summary.as_str())).collect();
    let fits = fits_its_own(&summaries, &sources);
    for ((answer, fits), source) in found.iter_mut().zip(fits).zip(&sources) {
        *answer = answer.take().filter(|answer| fits && faults(&answer.summary, source).is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::civic::llm::PromptType;
    use proptest::prelude::*;

    const ITEMS: [(&str, &str); 3] = [
        ("Lease of the harbor warehouse", "The harbor warehouse is leased to Acme Marine for ten years."),
        ("Electric buses", "The transit agency purchases two electric buses for the valley route."),
        ("Library hours", "The central library opens on Sundays from September until the end of winter."),
    ];

    fn questions() -> Questions {
        let mut all = ITEMS.map(|(title, text)| Request::new(PromptType::Item, title, text)).to_vec();
        Questions { own: all.remove(0), along: all }
    }

    /// The texts of the items, each under the key of the item `by` places further on.
    fn rotated(by: usize) -> Vec<Value> {
        let questions = questions();
        let keys: Vec<String> = questions.all().map(Request::key).collect();
        let answer = |at: usize| json!({"key": keys[(at + by) % 3], "summary": ITEMS[at].1, "pages": []});
        (0..3).map(answer).collect()
    }

    fn read_all(answers: &[Value]) -> Vec<Option<String>> {
        let Answers { own, along } = read(&json!({"answers": answers}).to_string(), &questions()).unwrap();
        std::iter::once(own.ok()).chain(along).map(|answer| answer.map(|answer| answer.summary)).collect()
    }

    fn expected(kept: [bool; 3]) -> Vec<Option<String>> {
        ITEMS.iter().zip(kept).map(|((_, text), kept)| kept.then(|| (*text).to_owned())).collect()
    }

    #[test]
    fn answers_are_matched_by_key_in_any_order() {
        let mut answers = rotated(0);
        assert_eq!(read_all(&answers), expected([true; 3]));
        answers.reverse();
        assert_eq!(read_all(&answers), expected([true; 3]));
    }

    #[test]
    fn a_batch_under_the_keys_of_its_neighbours_gives_nothing() {
        assert_eq!(read_all(&rotated(1)), expected([false; 3]));
        assert_eq!(read_all(&rotated(2)), expected([false; 3]));
    }

    #[test]
    fn what_another_text_says_proves_nothing() {
        let mut answers = rotated(0);
        answers[1]["summary"] = json!(format!("{} Acme Marine is paid 900 dollars.", ITEMS[1].1));
        assert_eq!(read_all(&answers), expected([true, false, true]));
    }

    #[test]
    fn what_is_missing_twice_empty_or_unasked_costs_no_other_answer() {
        let missing = &rotated(0)[1..];
        assert_eq!(read_all(missing), expected([false, true, true]));
        let mut twice = rotated(0);
        twice.push(json!({"key": twice[1]["key"], "summary": "Another text about electric buses.", "pages": []}));
        assert_eq!(read_all(&twice), expected([true, false, true]));
        let mut empty = rotated(0);
        empty[2]["summary"] = json!(" ");
        assert_eq!(read_all(&empty), expected([true, true, false]));
        let mut unasked = rotated(0);
        unasked.push(json!({"key": "another", "summary": "x", "pages": [1]}));
        assert_eq!(read_all(&unasked), expected([true; 3]));
        assert_eq!(read_all(&[]), expected([false; 3]));
    }

    #[test]
    fn what_is_no_list_of_answers_is_an_error() {
        let one = rotated(0).remove(0);
        for text in
            ["", "prose", "[]", "{}", &one.to_string(), r#"{"answers":[{"key":"k","summary":"x","tool":"rm"}]}"#]
        {
            assert!(matches!(read(text, &questions()), Err(LlmError::Malformed(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_is_believed_under_another_key(order in Just([0_usize, 1, 2]).prop_shuffle()) {
            let keys: Vec<String> = questions().all().map(Request::key).collect();
            let answers: Vec<Value> =
                (0..3).map(|at| json!({"key": keys[order[at]], "summary": ITEMS[at].1, "pages": []})).collect();
            prop_assert_eq!(read_all(&answers), expected([0, 1, 2].map(|at| order[at] == at)));
        }
    }
}
