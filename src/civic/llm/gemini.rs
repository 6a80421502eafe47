//! Google's `generateContent`.

use super::{
    LlmError, Usage,
    prompt::Prompt,
    reply::{self, Reply, by_status, count},
};
use serde_json::{Value, json};
use std::time::Duration;

/// How much a model may think before it answers. The two are of different generations, and a request with both is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Thinking {
    /// As the model likes.
    #[default]
    Default,
    /// Tokens (2.5): 0 turns it off, −1 leaves it to the model.
    Budget(i32),
    /// A word (3 and later), such as `low`.
    Level(String),
}

/// Reasons to stop that are the filter's.
const BLOCKED: &[&str] = &["SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE"];

/// The body of a request.
pub(super) fn question(prompt: &Prompt, thinking: &Thinking) -> Value {
    let Prompt { system, user, schema, max_tokens } = prompt;
    let mut config = json!({
        "maxOutputTokens": max_tokens,
        "responseMimeType": "application/json",
        "responseSchema": schema,
    });
    match thinking {
        Thinking::Default => {}
        Thinking::Budget(tokens) => config["thinkingConfig"] = json!({"thinkingBudget": tokens}),
        Thinking::Level(level) => config["thinkingConfig"] = json!({"thinkingLevel": level}),
    }
    json!({
        "systemInstruction": {"parts": [{"text": system}]},
        "contents": [{"role": "user", "parts": [{"text": user}]}],
        "generationConfig": config,
    })
}

/// Reads the body of a 200.
pub(super) fn read(body: &[u8]) -> Reply {
    let answer: Value = match serde_json::from_slice(body) {
        Ok(answer) => answer,
        Err(e) => return Reply::failed(LlmError::Malformed(e.to_string())),
    };
    let usage = usage(&answer["usageMetadata"]);
    if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
        let status = count(error.get("code")).and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
        return Reply { usage, result: Err(failure(status, error, None)) };
    }
    if let Some(reason) = answer["promptFeedback"]["blockReason"].as_str() {
        return Reply { usage, result: Err(LlmError::Blocked(super::clip(reason, 40).to_owned())) };
    }
    let Some(candidate) = answer["candidates"].as_array().and_then(|candidates| candidates.first()) else {
        return Reply { usage, result: Err(LlmError::Malformed("no candidates".to_owned())) };
    };
    let reason = super::clip(candidate["finishReason"].as_str().unwrap_or("unknown"), 40);
    let text = text(&candidate["content"]["parts"]);
    let result = match (reason, text.is_empty()) {
        (reason, _) if BLOCKED.contains(&reason) => Err(LlmError::Blocked(reason.to_owned())),
        ("MAX_TOKENS", _) => Err(LlmError::Truncated),
        (reason, true) => Err(LlmError::Empty(reason.to_owned())),
        _ => Ok(text),
    };
    Reply { usage, result }
}

/// The parts of the answer; what the model thought aloud is none.
fn text(parts: &Value) -> String {
    let parts = parts.as_array().into_iter().flatten();
    let spoken = parts.filter(|part| part["thought"].as_bool() != Some(true));
    spoken.filter_map(|part| part["text"].as_str()).collect::<String>().trim().to_owned()
}

/// Reads the body of any other status.
pub(super) fn read_error(status: u16, body: &[u8], after: Option<Duration>) -> LlmError {
    let json = reply::lenient(body);
    // Streaming endpoints and some gateways put the object into a list.
    let json = json.as_array().and_then(|list| list.first()).unwrap_or(&json);
    failure(status, json.get("error").unwrap_or(json), after)
}

fn failure(status: u16, error: &Value, after: Option<Duration>) -> LlmError {
    let message = reply::message(error);
    if matches!(status, 400 | 500) && reply::says_too_long(&message) {
        return LlmError::TooLong(message);
    }
    if status == 429 && is_per_day(error) {
        return LlmError::DailyQuota(message);
    }
    by_status(status, message, after.or_else(|| retry_delay(error)))
}

fn details(error: &Value) -> impl Iterator<Item = &Value> {
    error["details"].as_array().into_iter().flatten()
}

/// A quota of the day, which is not there again after the delay of some seconds that comes with it.
fn is_per_day(error: &Value) -> bool {
    let violations = details(error).filter_map(|detail| detail["violations"].as_array()).flatten();
    violations.filter_map(|violation| violation["quotaId"].as_str()).any(|id| id.contains("PerDay"))
}

/// `RetryInfo`: `"22s"`, `"22.87s"`.
fn retry_delay(error: &Value) -> Option<Duration> {
    let text = details(error).find_map(|detail| detail["retryDelay"].as_str())?;
    Duration::try_from_secs_f64(text.strip_suffix('s')?.parse().ok()?).ok()
}

/// Cached tokens are inside those of the prompt; thoughts are beside those of the answer, and billed like them; what tools
/// read is input.
fn usage(wire: &Value) -> Option<Usage> {
    let prompt = count(wire.get("promptTokenCount"))?;
    let of = |name: &str| count(wire.get(name)).unwrap_or(0);
    let input = prompt.saturating_add(of("toolUsePromptTokenCount"));
    let thoughts = of("thoughtsTokenCount");
    let output = of("candidatesTokenCount").saturating_add(thoughts);
    Some(Usage { input, cached: of("cachedContentTokenCount").min(prompt), output, thoughts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::civic::llm::{PromptType, Request};

    fn candidate(reason: &str, parts: &Value) -> Reply {
        let body = json!({"candidates": [{"content": {"parts": parts}, "finishReason": reason}],
                          "usageMetadata": {"promptTokenCount": 100, "cachedContentTokenCount": 40,
                                            "candidatesTokenCount": 10, "thoughtsTokenCount": 30,
                                            "toolUsePromptTokenCount": 5, "totalTokenCount": 145}});
        read(body.to_string().as_bytes())
    }

    #[test]
    fn usage_counts_thoughts_as_output_and_cached_tokens_once() {
        let reply = candidate("STOP", &json!([{"text": "thinking", "thought": true}, {"text": " o"}, {"text": "k "}]));
        assert_eq!(reply.usage, Some(Usage { input: 105, cached: 40, output: 40, thoughts: 30 }));
        assert_eq!(reply.result, Ok("ok".into()));
        assert_eq!(read(br#"{"candidates":[{"content":{"parts":[{"text":"x"}]}}]}"#).usage, None);
    }

    #[test]
    fn a_two_hundred_may_hold_no_answer() {
        let parts = json!([{"text": "half"}]);
        assert_eq!(candidate("MAX_TOKENS", &parts).result, Err(LlmError::Truncated));
        for reason in ["SAFETY", "RECITATION", "PROHIBITED_CONTENT"] {
            assert_eq!(candidate(reason, &parts).result, Err(LlmError::Blocked(reason.into())));
        }
        assert_eq!(candidate("STOP", &json!([])).result, Err(LlmError::Empty("STOP".into())));
        assert_eq!(
            candidate("STOP", &json!([{"text": "t", "thought": true}])).result,
            Err(LlmError::Empty("STOP".into()))
        );
        let error = |body: &[u8]| read(body).result.unwrap_err();
        assert_eq!(error(br#"{"promptFeedback":{"blockReason":"SAFETY"}}"#), LlmError::Blocked("SAFETY".into()));
        assert!(matches!(error(br#"{"candidates":[]}"#), LlmError::Malformed(_)));
        assert!(matches!(error(br#"{"candidates":[{"#), LlmError::Malformed(_)));
        assert!(matches!(error(br#"{"error":{"code":503,"message":"m"}}"#), LlmError::Server { status: 503, .. }));
    }

    #[test]
    fn errors_are_told_apart() {
        let message = || "m".to_owned();
        let of = |status: u16, message: &str, details: Value| {
            let body = json!({"error": {"code": status, "message": message, "status": "X", "details": details}});
            read_error(status, body.to_string().as_bytes(), None)
        };
        let quota = |id: &str| {
            json!([{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": id}]},
                   {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "22s"}])
        };
        let (minute, day) =
            ("GenerateRequestsPerMinutePerProjectPerModel", "GenerateRequestsPerDayPerProjectPerModel-FreeTier");
        let after = Some(Duration::from_secs(22));
        assert_eq!(of(429, "m", quota(minute)), LlmError::RateLimited { message: message(), after });
        assert_eq!(of(429, "m", quota(day)), LlmError::DailyQuota(message()), "whatever delay it names");
        assert_eq!(of(429, "m", json!(null)), LlmError::RateLimited { message: message(), after: None });
        for status in [400, 401, 403, 404] {
            assert_eq!(of(status, "m", json!([])), LlmError::Refused { status, message: message() });
        }
        for status in [499, 500, 502, 503, 504] {
            assert_eq!(of(status, "m", json!([])), LlmError::Server { status, message: message(), after: None });
        }
        let long = "Your input context is too long.";
        assert_eq!(of(500, long, json!([])), LlmError::TooLong(long.into()));
        assert!(matches!(of(400, "The input token count (9) exceeds the maximum", json!([])), LlmError::TooLong(_)));
        assert!(matches!(read_error(429, br#"[{"error":{"message":"m"}}]"#, None), LlmError::RateLimited { .. }));
        assert!(matches!(read_error(502, b"<html>", None), LlmError::Server { status: 502, .. }));
    }

    #[test]
    fn thinking_is_asked_for_in_one_way_only() {
        let prompt = Prompt::new(&Request::new(PromptType::Item, "t", "u").into(), 9);
        let config = |thinking| question(&prompt, &thinking)["generationConfig"].clone();
        assert_eq!(config(Thinking::Default)["maxOutputTokens"], 9);
        assert!(config(Thinking::Default).get("thinkingConfig").is_none());
        assert_eq!(config(Thinking::Budget(0))["thinkingConfig"], json!({"thinkingBudget": 0}));
        assert_eq!(config(Thinking::Level("low".into()))["thinkingConfig"], json!({"thinkingLevel": "low"}));
    }
}
