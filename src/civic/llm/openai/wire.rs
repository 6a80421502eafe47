//! What goes over the wire. Behind gateways any field may be null or absent.

use crate::civic::llm::{LlmError, Usage};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// Longest part of a server's message that is kept.
const MESSAGE_CHARS: usize = 300;
/// Codes of a 429 (or 402) that no waiting cures.
const NO_MONEY: &[&str] = &["insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached"];

#[derive(Serialize)]
pub(super) struct Question<'a> {
    pub(super) model: &'a str,
    pub(super) messages: [Message<'a>; 2],
    pub(super) max_tokens: u32,
}

#[derive(Serialize)]
pub(super) struct Message<'a> {
    pub(super) role: &'static str,
    pub(super) content: &'a str,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default)]
    usage: Option<WireUsage>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    message: Option<Content>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    content: Option<String>,
}

#[derive(Default, Deserialize)]
struct WireUsage {
    #[serde(default)]
    prompt_tokens: Option<u32>,
    #[serde(default)]
    completion_tokens: Option<u32>,
    #[serde(default)]
    prompt_tokens_details: Option<Details>,
}

#[derive(Default, Deserialize)]
struct Details {
    #[serde(default)]
    cached_tokens: Option<u32>,
}

/// Reads the body of a 200: the tokens are spent whatever the text is.
pub(super) fn read(body: &[u8]) -> (Usage, Result<String, LlmError>) {
    let answer: Answer = match serde_json::from_slice(body) {
        Ok(answer) => answer,
        Err(e) => return (Usage::default(), Err(LlmError::Malformed(e.to_string()))),
    };
    let usage = usage(answer.usage);
    if let Some(error) = answer.error.filter(|error| !error.is_null()) {
        return (usage, Err(failure(500, &error, None)));
    }
    let Some(choice) = answer.choices.into_iter().flatten().next() else {
        return (usage, Err(LlmError::Malformed("no choices".to_owned())));
    };
    let reason = choice.finish_reason.unwrap_or_else(|| "unknown".to_owned());
    let text = choice.message.and_then(|message| message.content).unwrap_or_default().trim().to_owned();
    let result = match (reason.as_str(), text.is_empty()) {
        ("content_filter", _) => Err(LlmError::Blocked),
        (_, true) => Err(LlmError::Empty(reason)),
        _ => Ok(text),
    };
    (usage, result)
}

/// Reads the body of any other status.
pub(super) fn read_error(status: u16, body: &[u8], after: Option<Duration>) -> LlmError {
    let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let error = json.get("error").cloned().unwrap_or_else(|| Value::String(String::from_utf8_lossy(body).into_owned()));
    failure(status, &error, after)
}

fn failure(status: u16, error: &Value, after: Option<Duration>) -> LlmError {
    let field = |name: &str| error.get(name).and_then(Value::as_str);
    let message = field("message").or_else(|| error.as_str()).unwrap_or("no message");
    let message = crate::civic::llm::clip(message.trim(), MESSAGE_CHARS).to_owned();
    let no_money = [field("code"), field("type")].into_iter().flatten().any(|code| NO_MONEY.contains(&code));
    match status {
        _ if no_money => LlmError::Quota(message),
        402 => LlmError::Quota(message),
        429 => LlmError::RateLimited { message, after },
        408 => LlmError::Server { status, message, after },
        400..=499 => LlmError::Refused { status, message },
        _ => LlmError::Server { status, message, after },
    }
}

fn usage(wire: Option<WireUsage>) -> Usage {
    let wire = wire.unwrap_or_default();
    let input = wire.prompt_tokens.unwrap_or(0);
    let cached = wire.prompt_tokens_details.and_then(|details| details.cached_tokens).unwrap_or(0);
    Usage { input, cached: cached.min(input), output: wire.completion_tokens.unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateways_leave_fields_out() {
        let (usage, text) = read(br#"{"choices":[{"message":{"content":" ok "}}],"usage":null}"#);
        assert_eq!((usage, text), (Usage::default(), Ok("ok".to_owned())));
        let (_, text) = read(br#"{"choices":null}"#);
        assert_eq!(text, Err(LlmError::Malformed("no choices".to_owned())));
    }

    #[test]
    fn a_two_hundred_may_hold_an_error() {
        let (_, text) = read(br#"{"error":{"message":"slow down","code":"insufficient_quota"}}"#);
        assert_eq!(text, Err(LlmError::Quota("slow down".to_owned())));
        let (_, text) = read(br#"{"error":"bad gateway"}"#);
        assert!(matches!(text, Err(LlmError::Server { status: 500, .. })));
    }

    #[test]
    fn an_error_that_is_no_json_is_cut_short() {
        let error = read_error(503, "x".repeat(9_000).as_bytes(), None);
        let LlmError::Server { message, .. } = error else { panic!("{error:?}") };
        assert_eq!(message.len(), MESSAGE_CHARS);
        assert!(matches!(read_error(400, b"\xff\xfe", None), LlmError::Refused { status: 400, .. }));
    }
}
