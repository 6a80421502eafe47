//! The client against a server that speaks the real protocol over real HTTP.

use super::{OpenAi, OpenAiSettings, SetupError};
use crate::civic::llm::{Call, CallStatus, LlmError, Price, PriceTable, PromptType, Request, Summariser};
use axum::{Router, body::Bytes, http::HeaderMap, response::IntoResponse, routing::post};
use jiff::civil::date;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const KEY: &str = "sk-test-not-a-key";
type Seen = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

/// Answers each request with the same status, headers and body, and keeps what it was asked.
async fn stub(status: u16, headers: &'static [(&'static str, &'static str)], body: String) -> (String, Seen) {
    let seen = Seen::default();
    let keep = seen.clone();
    let answer = move |asked_headers: HeaderMap, asked: Bytes| async move {
        keep.lock().unwrap().push((asked_headers, serde_json::from_slice(&asked).unwrap()));
        let mut response = body.into_response();
        *response.status_mut() = status.try_into().unwrap();
        for (name, value) in headers {
            response.headers_mut().insert(*name, value.parse().unwrap());
        }
        response
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/chat/completions", post(answer))).await });
    (base, seen)
}

fn settings(base_url: String) -> OpenAiSettings {
    OpenAiSettings {
        base_url,
        api_key: Some(KEY.into()),
        model: "small".into(),
        timeout: Duration::from_secs(5),
        max_tokens: 300,
        prices: PriceTable::new(vec![Price {
            model: "small".into(),
            effective_from: date(2026, 1, 1),
            input: 300_000,
            cached: 30_000,
            output: 2_500_000,
            source: "a price list".into(),
        }]),
    }
}

async fn ask(base: String) -> (Call, Result<String, LlmError>) {
    let summariser = Summariser::OpenAi(Box::new(OpenAi::new(settings(base)).unwrap()));
    let request = Request { prompt: PromptType::Item, title: "Harbor lease".into(), text: "The lease runs on.".into() };
    let outcome = summariser.summarise(&request).await;
    (outcome.call, outcome.result)
}

fn completion(content: &Value, reason: &str) -> String {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "model": "small-2026",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": reason}],
        "usage": {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100,
                  "prompt_tokens_details": {"cached_tokens": 200}},
    })
    .to_string()
}

fn error(code: &str) -> String {
    json!({"error": {"message": format!("the words of {code}"), "type": code, "param": null, "code": code}}).to_string()
}

#[tokio::test]
async fn an_answer_brings_text_tokens_and_cost() {
    let (base, seen) = stub(200, &[], completion(&json!(" A summary. "), "stop")).await;
    let (call, result) = ask(base).await;
    assert_eq!(result, Ok("A summary.".to_owned()));
    // 800 × $0.30 + 200 × $0.03 + 100 × $2.50 a million.
    assert_eq!((call.status, call.cost), (CallStatus::Ok, 240 + 6 + 250));
    assert_eq!((call.usage.input, call.usage.cached, call.usage.output), (1_000, 200, 100));
    let seen = seen.lock().unwrap();
    let (headers, question) = &seen[0];
    assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!((&question["model"], &question["max_tokens"]), (&json!("small"), &json!(300)));
    assert_eq!(question["messages"][0]["role"], "system");
    let user = question["messages"][1]["content"].as_str().unwrap();
    assert!(user.contains("Harbor lease") && user.contains("The lease runs on."), "{user}");
}

#[tokio::test]
async fn a_limit_names_its_pause_and_a_quota_is_something_else() {
    let (base, _) = stub(429, &[("retry-after", "22")], error("rate_limit_exceeded")).await;
    let (call, result) = ask(base).await;
    assert_eq!(call.status, CallStatus::RateLimited);
    assert!(matches!(result, Err(LlmError::RateLimited { after: Some(after), .. }) if after.as_secs() == 22));

    let (base, _) = stub(429, &[("retry-after", "9999999")], error("rate_limit_exceeded")).await;
    let (_, result) = ask(base).await;
    assert!(matches!(result, Err(LlmError::RateLimited { after: Some(after), .. }) if after.as_secs() == 3_600));

    let (base, _) = stub(429, &[("retry-after", "22")], error("insufficient_quota")).await;
    assert_eq!(ask(base).await.1, Err(LlmError::Quota("the words of insufficient_quota".into())));
}

#[tokio::test]
async fn refusals_and_faults_of_the_server_differ() {
    for status in [400, 401, 403, 404] {
        let (base, _) = stub(status, &[], error("invalid_request_error")).await;
        assert!(matches!(ask(base).await.1, Err(LlmError::Refused { status: s, .. }) if s == status), "{status}");
    }
    for status in [500, 502, 503, 529] {
        let (base, _) = stub(status, &[], "<html>bad gateway</html>".into()).await;
        assert!(matches!(ask(base).await.1, Err(LlmError::Server { status: s, .. }) if s == status), "{status}");
    }
}

#[tokio::test]
async fn an_empty_answer_still_costs() {
    for content in [json!(""), json!(null)] {
        let (base, _) = stub(200, &[], completion(&content, "length")).await;
        let (call, result) = ask(base).await;
        assert_eq!(result, Err(LlmError::Empty("length".into())));
        assert_eq!((call.status, call.cost), (CallStatus::Empty, 496));
    }
    let (base, _) = stub(200, &[], completion(&json!("half a"), "content_filter")).await;
    assert_eq!(ask(base).await.1, Err(LlmError::Blocked));
}

#[tokio::test]
async fn what_is_no_json_is_malformed_and_bounded() {
    let huge = "x".repeat(2 * 1024 * 1024);
    for body in ["{\"choices\": [", "<html>hello</html>", "", huge.as_str()] {
        let (base, _) = stub(200, &[], body.into()).await;
        assert!(matches!(ask(base).await.1, Err(LlmError::Malformed(_))));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_key() {
    let (elsewhere, seen) = stub(200, &[], completion(&json!("no"), "stop")).await;
    let target: &'static str = Box::leak(format!("{elsewhere}/chat/completions").into_boxed_str());
    let headers: &'static [(&'static str, &'static str)] = Box::leak(Box::new([("location", target)]));
    let (base, _) = stub(307, headers, String::new()).await;
    assert!(ask(base).await.1.is_err());
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_silent_server_ends_at_the_deadline_and_a_missing_one_at_once() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", silent.local_addr().unwrap());
    let client = OpenAi::new(OpenAiSettings { timeout: Duration::from_millis(50), ..settings(base.clone()) }).unwrap();
    let request = Request { prompt: PromptType::Meeting, title: String::new(), text: "x".into() };
    assert!(matches!(client.summarise(&request).await.result, Err(LlmError::Timeout(_))));
    drop(silent);
    assert!(matches!(ask(base).await.1, Err(LlmError::Connect(_))));
}

#[test]
fn bad_settings_are_refused_and_the_key_is_never_shown() {
    let bad = OpenAi::new(settings("ftp://models.example".into()));
    assert!(matches!(bad, Err(SetupError::BaseUrl(_))));
    let free = OpenAi::new(OpenAiSettings { model: "unknown".into(), ..settings("http://models.example/v1".into()) });
    assert!(matches!(free, Err(SetupError::NoPrice(model)) if model == "unknown"));
    assert!(!format!("{:?}", settings("http://models.example/v1".into())).contains(KEY));
}
