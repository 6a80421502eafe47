//! What a model has to answer: one JSON object, labelled with the key of its question.

use super::LlmError;
use serde::Deserialize;
use serde_json::{Value, json};

/// Longest summary that is taken, in characters. The prompts ask for a few sentences.
const MAX_SUMMARY_CHARS: usize = 4_000;
/// Longest part of a wrong key that is told.
const TOLD_CHARS: usize = 40;

/// A summary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The text.
    pub summary: String,
    /// Marked pages that it rests on, ascending; empty: the model named none.
    pub pages: Vec<u32>,
}

/// Nothing else may stand in it: what is not asked for has no place to go.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wire {
    pub(super) key: String,
    summary: String,
    #[serde(default)]
    pages: Option<Vec<i64>>,
}

/// The schema, for servers that hold their models to one.
pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "key": {"type": "string"},
            "summary": {"type": "string"},
            "pages": {"type": "array", "items": {"type": "integer"}},
        },
        "required": ["key", "summary", "pages"],
    })
}

/// Reads a model's text as the answer to the question with this key, about a text with so many marked pages.
pub(super) fn read(text: &str, key: &str, pages: u32) -> Result<Answer, LlmError> {
    let wire: Wire = json(text)?;
    if wire.key != key {
        return Err(wrong_key(&wire.key));
    }
    wire.answer(pages)
}

/// The JSON that a model's text has to be.
pub(super) fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, LlmError> {
    serde_json::from_str(unfenced(text))
        .map_err(|e| LlmError::Malformed(format!("not the JSON that was asked for: {e}")))
}

pub(super) fn wrong_key(key: &str) -> LlmError {
    LlmError::WrongKey(super::clip(key, TOLD_CHARS).to_owned())
}

impl Wire {
    /// The answer, about a text with so many marked pages.
    pub(super) fn answer(self, pages: u32) -> Result<Answer, LlmError> {
        // U+0000 can't be stored, and has no place in a text.
        let summary = self.summary.replace('\0', "").trim().to_owned();
        if summary.is_empty() {
            return Err(LlmError::Empty("no summary in the answer".to_owned()));
        }
        if summary.chars().count() > MAX_SUMMARY_CHARS {
            return Err(LlmError::Malformed(format!("a summary of more than {MAX_SUMMARY_CHARS} characters")));
        }
        // Page numbers help to find the place, and decide nothing: those that can't be are left out.
        let mut named: Vec<u32> =
            self.pages.unwrap_or_default().into_iter().filter_map(|page| page.try_into().ok()).collect();
        named.retain(|page| (1..=pages).contains(page));
        named.sort_unstable();
        named.dedup();
        Ok(Answer { summary, pages: named })
    }
}

/// Some models put their JSON into a fence, although they are told not to.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("```json").or_else(|| text.strip_prefix("```")).and_then(|t| t.strip_suffix("```"));
    inner.map_or(text, str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_answer_has_its_key_its_text_and_pages_that_exist() {
        let text = r#"{"key":"k1","summary":" The lease runs on. ","pages":[3,1,3,0,-1,9]}"#;
        let answer = Answer { summary: "The lease runs on.".into(), pages: vec![1, 3] };
        assert_eq!(read(text, "k1", 3), Ok(answer.clone()));
        assert_eq!(read(&format!("```json\n{text}\n```"), "k1", 3), Ok(answer));
        assert_eq!(read(r#"{"key":"k1","summary":"x","pages":null}"#, "k1", 3).map(|a| a.pages), Ok(vec![]));
    }

    #[test]
    fn whatever_else_is_refused_with_its_cause() {
        let refused = |text: &str| read(text, "k1", 0).unwrap_err();
        assert_eq!(refused(r#"{"key":"k2","summary":"x"}"#), LlmError::WrongKey("k2".into()));
        assert!(matches!(refused(r#"{"key":"k1","summary":" "}"#), LlmError::Empty(_)));
        let long = format!(r#"{{"key":"k1","summary":"{}"}}"#, "x".repeat(MAX_SUMMARY_CHARS + 1));
        for text in ["", "The lease.", r#"{"key":"k1","summary":"cut of"#, r#"{"key":"k1"}"#, "[]", &long] {
            assert!(matches!(refused(text), LlmError::Malformed(_)), "{text}");
        }
        // No tools: a field that nobody asked for makes it another kind of answer.
        assert!(matches!(refused(r#"{"key":"k1","summary":"x","tool":"rm"}"#), LlmError::Malformed(_)));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,200}") {
            if let Ok(answer) = read(&text, "k1", 2) {
                prop_assert!(!answer.summary.is_empty());
            }
        }
    }
}
