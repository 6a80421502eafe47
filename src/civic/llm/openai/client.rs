//! The requests.

use super::wire::{self, Message, Question};
use crate::{
    civic::llm::{Call, CallStatus, LlmError, MicroUsd, Outcome, PriceTable, Request, Usage, prompt},
    telemetry::{Attribute, OpenSpan, SpanKind, current_trace, deepest},
};
use jiff::Zoned;
use reqwest::{Client, Response, Url, header::RETRY_AFTER, redirect};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Largest answer that is read: a summary is a few kilobytes.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// Longest Retry-After that is believed.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);
/// A server that doesn't take a connection for this long is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What the client needs to know.
#[derive(Clone, Debug)]
pub struct OpenAiSettings {
    /// Where `/chat/completions` is added, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// The key; none for a server of one's own.
    pub api_key: Option<SecretString>,
    /// The model to ask.
    pub model: String,
    /// Deadline of one request, the whole answer included.
    pub timeout: Duration,
    /// Most tokens of an answer.
    pub max_tokens: u32,
    /// Prices. A model without one is refused: its cost would show as nothing.
    pub prices: PriceTable,
}

/// Settings that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The base is no http(s) address.
    #[error("{0:?} is no http or https address: give the model server's base, such as https://api.openai.com/v1")]
    BaseUrl(String),
    /// No price for the model today.
    #[error("model {0:?} has no price in force: add one to the price table (0 for a server of your own)")]
    NoPrice(String),
    /// TLS can't be set up.
    #[error("the HTTP client can't be built: {0}")]
    Client(String),
}

/// A client of one model.
#[derive(Debug)]
pub struct OpenAi {
    client: Client,
    url: Url,
    settings: OpenAiSettings,
}

impl OpenAi {
    /// A client for these settings. It sends nothing yet.
    ///
    /// # Errors
    /// When the address is none, or the model has no price.
    pub fn new(settings: OpenAiSettings) -> Result<Self, SetupError> {
        let url: Url = format!("{}/chat/completions", settings.base_url.trim_end_matches('/'))
            .parse()
            .ok()
            .filter(|url: &Url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| SetupError::BaseUrl(settings.base_url.clone()))?;
        if settings.prices.of(&settings.model, Zoned::now().date()).is_none() {
            return Err(SetupError::NoPrice(settings.model));
        }
        // No redirects: the key must not travel to another host.
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(settings.timeout)
            .build()
            .map_err(|e| SetupError::Client(e.to_string()))?;
        Ok(Self { client, url, settings })
    }

    /// The model's name.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.settings.model
    }

    /// One request. It never repeats itself: the job's attempts do.
    pub async fn summarise(&self, request: &Request) -> Outcome {
        let (started, span) = (Instant::now(), OpenSpan::begin());
        let asked = timeout(self.settings.timeout, span.run(self.ask(request))).await;
        let (usage, result) =
            asked.unwrap_or_else(|_| (Usage::default(), Err(LlmError::Timeout(self.settings.timeout))));
        let call = Call {
            model: self.settings.model.clone(),
            prompt: request.prompt,
            status: result.as_ref().map_or_else(LlmError::status, |_| CallStatus::Ok),
            usage,
            cost: self.cost(usage),
            duration: started.elapsed(),
        };
        tell(span, &call);
        Outcome { call, result }
    }

    async fn ask(&self, request: &Request) -> (Usage, Result<String, LlmError>) {
        let content = prompt::user(&request.title, &request.text);
        let question = Question {
            model: &self.settings.model,
            messages: [
                Message { role: "system", content: request.prompt.system() },
                Message { role: "user", content: &content },
            ],
            max_tokens: self.settings.max_tokens,
        };
        let mut post = self.client.post(self.url.clone()).json(&question);
        if let Some(key) = &self.settings.api_key {
            post = post.bearer_auth(key.expose_secret());
        }
        if let Some(trace) = current_trace() {
            post = post.header("traceparent", trace.to_string());
        }
        let response = match post.send().await {
            Ok(response) => response,
            Err(e) => return (Usage::default(), Err(self.transport(&e))),
        };
        let (status, after) = (response.status().as_u16(), retry_after(&response));
        match self.body(response).await.map(|body| self.without_key(body)) {
            Err(error) => (Usage::default(), Err(error)),
            Ok(body) if status == 200 => wire::read(&body),
            Ok(body) => (Usage::default(), Err(wire::read_error(status, &body, after))),
        }
    }

    /// Some servers quote the key that they refuse, and their words go into the ledger.
    fn without_key(&self, body: Vec<u8>) -> Vec<u8> {
        let key = self.settings.api_key.as_ref().map_or("", |key| key.expose_secret());
        if key.is_empty() || !body.windows(key.len()).any(|window| window == key.as_bytes()) {
            return body;
        }
        String::from_utf8_lossy(&body).replace(key, "[REDACTED]").into_bytes()
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, LlmError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.transport(&e))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(LlmError::Malformed(format!("the answer is larger than {MAX_ANSWER_BYTES} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn transport(&self, error: &reqwest::Error) -> LlmError {
        if error.is_timeout() {
            return LlmError::Timeout(self.settings.timeout);
        }
        LlmError::Connect(deepest(error).to_string())
    }

    fn cost(&self, usage: Usage) -> MicroUsd {
        let price = self.settings.prices.of(&self.settings.model, Zoned::now().date());
        price.map_or(0, |price| price.cost(usage))
    }
}

/// By OpenTelemetry's names for generative models.
fn tell(span: OpenSpan, call: &Call) {
    let attributes = [
        ("gen_ai.operation.name", Attribute::Text("chat")),
        ("gen_ai.request.model", Attribute::Text(&call.model)),
        ("gen_ai.usage.input_tokens", Attribute::Number(call.usage.input.into())),
        ("gen_ai.usage.output_tokens", Attribute::Number(call.usage.output.into())),
    ];
    let error = (call.status != CallStatus::Ok).then(|| call.status.as_str());
    span.end((SpanKind::Client, "chat"), call.duration, &attributes, error);
}

/// Seconds; the other form, a date, is rare and left to the backoff.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok().map(|after| after.min(MAX_RETRY_AFTER))
}
