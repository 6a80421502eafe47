//! The server.

use super::{Fault, answer::Asked};
use crate::civic::model::Fingerprint;
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
    routing::post,
};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// Calls that are remembered; the others are counted only.
const MAX_SEEN: usize = 100_000;

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Path and query, as they were asked.
    pub path: String,
    /// The key that came with it.
    pub key: Option<String>,
    /// Title of the question; of several, the first's.
    pub title: String,
    /// How many questions it has.
    pub questions: usize,
    /// Hash of all of them.
    pub question: Fingerprint,
    /// The model.
    pub model: String,
    /// Its header `traceparent`.
    pub trace: Option<String>,
}

#[derive(Debug, Default)]
struct Memory {
    calls: u64,
    seen: Vec<Seen>,
    next: VecDeque<Fault>,
    always: Option<Fault>,
    by_text: Vec<(String, Fault)>,
}

type Shared = Arc<Mutex<Memory>>;

/// A running server. It ends when it is dropped.
#[derive(Debug)]
pub struct ModelServer {
    address: SocketAddr,
    memory: Shared,
    task: JoinHandle<io::Result<()>>,
}

impl ModelServer {
    /// Serves on a free port of loopback.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let memory = Shared::default();
        let routes = Router::new()
            .route("/v1/chat/completions", post(openai))
            .route("/v1beta/models/{call}", post(gemini))
            .with_state(memory.clone());
        let task = tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { address, memory, task })
    }

    /// The base of OpenAI's addresses.
    #[must_use]
    pub fn openai_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The base of Google's addresses.
    #[must_use]
    pub fn gemini_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next calls have these faults, one each; those after them have none.
    pub fn plan(&self, faults: impl IntoIterator<Item = Fault>) {
        self.memory().next.extend(faults);
    }

    /// Every call without a planned fault has this one; none: they have none.
    pub fn always(&self, fault: Option<Fault>) {
        self.memory().always = fault;
    }

    /// Every call whose question holds this text has this fault, unless another is planned.
    pub fn whenever(&self, text: &str, fault: Fault) {
        self.memory().by_text.push((text.to_owned(), fault));
    }

    /// Calls so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.memory().calls
    }

    /// The calls so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.memory().seen.clone()
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Counts a call, and tells its fault.
fn called(
    memory: &Shared,
    (path, model): (&str, &str),
    key: Option<&str>,
    headers: &HeaderMap,
    asked: &Asked,
) -> Option<Fault> {
    let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
    memory.calls += 1;
    if memory.seen.len() < MAX_SEEN {
        let seen = Seen {
            path: path.to_owned(),
            key: key.map(str::to_owned),
            title: asked.questions().first().map_or("", |question| question.title()).to_owned(),
            questions: asked.questions().len(),
            question: Fingerprint::of_bytes(asked.user.as_bytes()),
            model: model.to_owned(),
            trace: headers.get("traceparent").and_then(|value| value.to_str().ok()).map(str::to_owned),
        };
        memory.seen.push(seen);
    }
    let planned = memory.next.pop_front();
    let by_text = || memory.by_text.iter().find(|(text, _)| asked.user.contains(text.as_str())).map(|(_, f)| f.clone());
    planned.or_else(by_text).or_else(|| memory.always.clone())
}

async fn pause(fault: Option<&Fault>) {
    if let Some(Fault::Slow(time)) = fault {
        tokio::time::sleep(*time).await;
    }
}

async fn openai(State(memory): State<Shared>, uri: axum::http::Uri, headers: HeaderMap, body: Bytes) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let asked = Asked::of_openai(&body);
    let key = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let model = body["model"].as_str().unwrap_or_default();
    let fault = called(&memory, (&uri.to_string(), model), key, &headers, &asked);
    pause(fault.as_ref()).await;
    let error = |status: u16, code: &str, message: &str| {
        let body = json!({"error": {"message": message, "type": code, "param": null, "code": code}});
        (StatusCode::from_u16(status).unwrap_or_default(), Json(body)).into_response()
    };
    match &fault {
        Some(Fault::RateLimited(after)) => {
            let mut response = error(429, "rate_limit_exceeded", "slow down");
            response.headers_mut().insert(RETRY_AFTER, after.as_secs().into());
            response
        }
        Some(Fault::DailyQuota) => {
            let mut response =
                error(429, "rate_limit_exceeded", "Rate limit reached on requests per day (RPD): Limit 3");
            response.headers_mut().insert(RETRY_AFTER, 22.into());
            response
        }
        Some(Fault::NoMoney) => error(429, "insufficient_quota", "You exceeded your current quota"),
        Some(Fault::Status(status)) => error(*status, "made_up", "made up for a test"),
        Some(Fault::QuotesKey) => {
            error(401, "invalid_api_key", &format!("Incorrect API key: {}", key.unwrap_or_default()))
        }
        Some(Fault::TooLong) => error(400, "context_length_exceeded", "too many tokens"),
        Some(Fault::ErrorBody) => {
            Json(json!({"error": {"message": "an upstream failed", "code": "bad_gateway"}})).into_response()
        }
        Some(Fault::HalfBody) => "{\"choices\": [{\"message\": ".into_response(),
        Some(Fault::BreaksOff) => breaks_off(),
        _ => Json(completion(&asked, fault.as_ref())).into_response(),
    }
}

/// A body that ends with an error, for which the connection is closed: after a moment, in which its beginning is sent.
fn breaks_off() -> Response {
    let end = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(io::Error::other("made up for a test"))
    };
    let beginning = futures_util::stream::once(async { Ok("{") });
    Body::from_stream(beginning.chain(futures_util::stream::once(end))).into_response()
}

fn completion(asked: &Asked, fault: Option<&Fault>) -> Value {
    let text = asked.answer(fault);
    let tokens = asked.tokens(&text);
    let (content, reason) = match fault {
        Some(Fault::Empty) => ("", "stop"),
        Some(Fault::Blocked) => ("", "content_filter"),
        Some(Fault::Truncated) => (&text[..text.floor_char_boundary(text.len() / 2)], "length"),
        _ => (text.as_str(), "stop"),
    };
    let output = tokens.output + tokens.thoughts;
    let usage = json!({
        "prompt_tokens": tokens.input, "completion_tokens": output, "total_tokens": tokens.input + output,
        "prompt_tokens_details": {"cached_tokens": tokens.cached},
        "completion_tokens_details": {"reasoning_tokens": tokens.thoughts},
    });
    let usage = if fault == Some(&Fault::NoUsage) { Value::Null } else { usage };
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "model": "made-up", "usage": usage,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": reason}],
    })
}

async fn gemini(
    State(memory): State<Shared>,
    Path(call): Path<String>,
    uri: axum::http::Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let Some(model) = call.strip_suffix(":generateContent") else { return StatusCode::NOT_FOUND.into_response() };
    let asked = Asked::of_gemini(&body);
    let key = headers.get("x-goog-api-key").and_then(|value| value.to_str().ok());
    let fault = called(&memory, (&uri.to_string(), model), key, &headers, &asked);
    pause(fault.as_ref()).await;
    let error = |status: u16, name: &str, message: &str, details: Value| {
        let body = json!({"error": {"code": status, "message": message, "status": name, "details": details}});
        (StatusCode::from_u16(status).unwrap_or_default(), Json(body)).into_response()
    };
    let exhausted = |quota: &str, delay: String| {
        let details = json!([
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure",
             "violations": [{"quotaMetric": "generativelanguage.googleapis.com/made_up", "quotaId": quota}]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay},
        ]);
        error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", details)
    };
    match &fault {
        Some(Fault::RateLimited(after)) => {
            exhausted("GenerateRequestsPerMinutePerProjectPerModel", format!("{}s", after.as_secs()))
        }
        Some(Fault::DailyQuota) => exhausted("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "22s".to_owned()),
        // Google has no such answer: an account without money is refused.
        Some(Fault::NoMoney) => error(403, "PERMISSION_DENIED", "Enable billing.", json!([])),
        Some(Fault::Status(status)) => error(*status, "MADE_UP", "made up for a test", json!([])),
        Some(Fault::QuotesKey) => {
            error(400, "INVALID_ARGUMENT", &format!("API key not valid: {}", key.unwrap_or_default()), json!([]))
        }
        Some(Fault::TooLong) => error(500, "INTERNAL", "Your input context is too long.", json!([])),
        Some(Fault::ErrorBody) => {
            Json(json!({"error": {"code": 503, "message": "an upstream failed", "status": "UNAVAILABLE"}}))
                .into_response()
        }
        Some(Fault::HalfBody) => "{\"candidates\": [{\"content\": ".into_response(),
        Some(Fault::BreaksOff) => breaks_off(),
        _ => Json(candidate(&asked, fault.as_ref())).into_response(),
    }
}

fn candidate(asked: &Asked, fault: Option<&Fault>) -> Value {
    let text = asked.answer(fault);
    let tokens = asked.tokens(&text);
    let (parts, reason) = match fault {
        Some(Fault::Empty) => (json!([]), "STOP"),
        Some(Fault::Blocked) => (json!([]), "SAFETY"),
        Some(Fault::Truncated) => (json!([{"text": &text[..text.floor_char_boundary(text.len() / 2)]}]), "MAX_TOKENS"),
        _ => (json!([{"text": "Let me see.", "thought": true}, {"text": text}]), "STOP"),
    };
    let mut reply = json!({
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": reason, "index": 0}],
        "modelVersion": "made-up", "responseId": "made-up",
    });
    if fault != Some(&Fault::NoUsage) {
        reply["usageMetadata"] = json!({
            "promptTokenCount": tokens.input, "cachedContentTokenCount": tokens.cached,
            "candidatesTokenCount": tokens.output, "thoughtsTokenCount": tokens.thoughts,
            "totalTokenCount": tokens.input + tokens.output + tokens.thoughts,
        });
    }
    reply
}
