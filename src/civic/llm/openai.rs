//! Chat completions of OpenAI, and of the many servers that speak the same. Behind gateways any field may be null or absent.

use super::{
    LlmError, Usage,
    prompt::Prompt,
    reply::{self, Reply, by_status, count},
};
use serde_json::{Value, json};
use std::time::Duration;

/// Codes of a 429 (or 402) that no waiting cures.
const NO_MONEY: &[&str] = &["insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached"];

/// The body of a request.
pub(super) fn question(model: &str, prompt: &Prompt) -> Value {
    let Prompt { system, user, schema, max_tokens } = prompt;
    json!({
        "model": model,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
        "max_tokens": max_tokens,
        "response_format": {"type": "json_schema", "json_schema": {"name": "summary", "schema": schema}},
    })
}

/// Reads the body of a 200.
pub(super) fn read(body: &[u8]) -> Reply {
    let answer: Value = match serde_json::from_slice(body) {
        Ok(answer) => answer,
        Err(e) => return Reply::failed(LlmError::Malformed(e.to_string())),
    };
    let usage = usage(&answer["usage"]);
    if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
        return Reply { usage, result: Err(failure(500, error, None)) };
    }
    let Some(choice) = answer["choices"].as_array().and_then(|choices| choices.first()) else {
        return Reply { usage, result: Err(LlmError::Malformed("no choices".to_owned())) };
    };
    let reason = choice["finish_reason"].as_str().unwrap_or("unknown");
    let text = choice["message"]["content"].as_str().unwrap_or_default().trim();
    let result = match (reason, text.is_empty()) {
        ("content_filter", _) => Err(LlmError::Blocked(reason.to_owned())),
        ("length", _) => Err(LlmError::Truncated),
        (_, true) => Err(LlmError::Empty(super::clip(reason, 40).to_owned())),
        _ => Ok(text.to_owned()),
    };
    Reply { usage, result }
}

/// Reads the body of any other status.
pub(super) fn read_error(status: u16, body: &[u8], after: Option<Duration>) -> LlmError {
    let json = reply::lenient(body);
    failure(status, json.get("error").unwrap_or(&json), after)
}

fn failure(status: u16, error: &Value, after: Option<Duration>) -> LlmError {
    let message = reply::message(error);
    let codes = || ["code", "type"].into_iter().filter_map(|name| error.get(name).and_then(Value::as_str));
    if status == 402 || codes().any(|code| NO_MONEY.contains(&code)) {
        return LlmError::Quota(message);
    }
    if codes().any(|code| code == "context_length_exceeded") || status == 400 && reply::says_too_long(&message) {
        return LlmError::TooLong(message);
    }
    // "… on tokens per day (TPD): limit …"
    let per_day = ["per day", "(rpd)", "(tpd)"];
    if status == 429 && per_day.iter().any(|text| message.to_lowercase().contains(text)) {
        return LlmError::DailyQuota(message);
    }
    by_status(status, message, after)
}

/// Cached tokens are inside those of the prompt, hidden reasoning is inside those of the completion.
fn usage(wire: &Value) -> Option<Usage> {
    let input = count(wire.get("prompt_tokens"))?;
    let output = count(wire.get("completion_tokens"))?;
    let detail =
        |details: &str, name: &str| count(wire.get(details).and_then(|details| details.get(name))).unwrap_or(0);
    let cached = detail("prompt_tokens_details", "cached_tokens").min(input);
    let thoughts = detail("completion_tokens_details", "reasoning_tokens").min(output);
    Some(Usage { input, cached, output, thoughts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_read_where_it_is_told() {
        let all = br#"{"choices":[{"message":{"content":"ok"},"finish_reason":"stop"}],"usage":{"prompt_tokens":100,
            "completion_tokens":50,"prompt_tokens_details":{"cached_tokens":20},
            "completion_tokens_details":{"reasoning_tokens":30}}}"#;
        let told = Usage { input: 100, cached: 20, output: 50, thoughts: 30 };
        assert_eq!(read(all), Reply { usage: Some(told), result: Ok("ok".into()) });
        let gateways = [
            r#"{"choices":[{"message":{"content":" ok "}}],"usage":null}"#,
            r#"{"choices":[{"message":{"content":" ok "}}]}"#,
            r#"{"choices":[{"message":{"content":"ok"}}],"usage":{"prompt_tokens":null,"completion_tokens":3}}"#,
        ];
        for body in gateways {
            assert_eq!(read(body.as_bytes()), Reply { usage: None, result: Ok("ok".into()) }, "{body}");
        }
    }

    #[test]
    fn a_two_hundred_may_hold_no_answer() {
        let error = |body: &str| read(body.as_bytes()).result.unwrap_err();
        let choice = |reason: &str, text: &str| {
            error(&json!({"choices": [{"message": {"content": text}, "finish_reason": reason}]}).to_string())
        };
        assert_eq!(choice("stop", ""), LlmError::Empty("stop".into()));
        assert_eq!(choice("length", "half"), LlmError::Truncated);
        assert_eq!(choice("content_filter", "half"), LlmError::Blocked("content_filter".into()));
        assert_eq!(error(r#"{"choices":null}"#), LlmError::Malformed("no choices".into()));
        assert!(matches!(error("<html>hello</html>"), LlmError::Malformed(_)));
        assert!(matches!(error(r#"{"error":"bad gateway"}"#), LlmError::Server { status: 500, .. }));
        let no_money = r#"{"error":{"message":"pay","code":"insufficient_quota"}}"#;
        assert_eq!(error(no_money), LlmError::Quota("pay".into()));
    }

    #[test]
    fn errors_are_told_apart() {
        let after = Some(Duration::from_secs(22));
        let of = |status: u16, code: &str, message: &str| {
            let body = json!({"error": {"message": message, "type": code, "param": null, "code": code}});
            read_error(status, body.to_string().as_bytes(), after)
        };
        let message = || "m".to_owned();
        let refused = |status| LlmError::Refused { status, message: message() };
        let server = |status| LlmError::Server { status, message: message(), after };
        let table = [
            (429, "rate_limit_exceeded", LlmError::RateLimited { message: message(), after }),
            (429, "slow_down", LlmError::RateLimited { message: message(), after }),
            (429, "insufficient_quota", LlmError::Quota(message())),
            (429, "credit_balance_exhausted", LlmError::Quota(message())),
            (402, "", LlmError::Quota(message())),
            (400, "invalid_request_error", refused(400)),
            (400, "context_length_exceeded", LlmError::TooLong(message())),
            (401, "invalid_api_key", refused(401)),
            (403, "", refused(403)),
            (404, "model_not_found", refused(404)),
            (408, "", server(408)),
            (500, "", server(500)),
            (503, "server_is_overloaded", server(503)),
            (504, "", server(504)),
            (529, "", server(529)),
        ];
        for (status, code, error) in table {
            assert_eq!(of(status, code, "m"), error, "{status} {code}");
        }
        let daily = of(429, "rate_limit_exceeded", "Rate limit reached for m on tokens per day (TPD): Limit 9");
        assert!(matches!(daily, LlmError::DailyQuota(_)), "{daily:?}");
        assert!(matches!(read_error(503, b"<html>", None), LlmError::Server { status: 503, .. }));
    }
}
