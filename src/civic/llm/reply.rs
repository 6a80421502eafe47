//! What both wire formats share: what comes back, and the words of an error.

use super::{LlmError, Usage, clip};
use serde_json::Value;
use std::time::Duration;

/// Longest part of a server's message that is kept.
const MESSAGE_CHARS: usize = 300;

/// The body of a 200: the tokens are spent whatever the text is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// None: the server told none.
    pub(super) usage: Option<Usage>,
    pub(super) result: Result<String, LlmError>,
}

impl Reply {
    pub(super) const fn failed(error: LlmError) -> Self {
        Self { usage: None, result: Err(error) }
    }
}

/// The JSON of a body, or its text.
pub(super) fn lenient(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}

/// What an error says, cut short.
pub(super) fn message(error: &Value) -> String {
    let text = error.get("message").and_then(Value::as_str).or_else(|| error.as_str()).unwrap_or("no message");
    clip(text.trim(), MESSAGE_CHARS).to_owned()
}

/// Whether the words of an error say that the text was too long for the model.
pub(super) fn says_too_long(message: &str) -> bool {
    let words = message.to_lowercase();
    let names_length = ["context", "token count", "input is too long", "prompt is too long"];
    let says_more = ["too long", "exceed", "maximum", "longer than"];
    names_length.iter().any(|text| words.contains(text)) && says_more.iter().any(|text| words.contains(text))
}

/// A number that may be absent, null, negative or absurd behind a gateway.
pub(super) fn count(value: Option<&Value>) -> Option<u32> {
    let number = value?.as_u64()?;
    Some(u32::try_from(number).unwrap_or(u32::MAX))
}

/// What a status means that needs no look into the error.
pub(super) const fn by_status(status: u16, message: String, after: Option<Duration>) -> LlmError {
    match status {
        429 => LlmError::RateLimited { message, after },
        // 408 and 499 are time-outs of the server's side.
        408 | 499 => LlmError::Server { status, message, after },
        413 => LlmError::TooLong(message),
        400..=499 => LlmError::Refused { status, message },
        _ => LlmError::Server { status, message, after },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_context_is_told_in_many_words() {
        for text in [
            "Your input context is too long. Please reduce it.",
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        ] {
            assert!(says_too_long(text), "{text}");
        }
        for text in ["An internal error has occurred.", "rate limit exceeded", "no context given"] {
            assert!(!says_too_long(text), "{text}");
        }
    }

    #[test]
    fn an_error_without_json_is_cut_short() {
        assert_eq!(message(&lenient("x".repeat(9_000).as_bytes())).len(), MESSAGE_CHARS);
        assert_eq!(message(&lenient(b"\xff\xfe")), "\u{fffd}\u{fffd}");
        assert_eq!(message(&Value::Null), "no message");
    }
}
