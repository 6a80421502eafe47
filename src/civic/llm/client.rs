//! A model over HTTP: one client, two wire formats.

use super::{
    Answering, Call, CallStatus, LlmError, MicroUsd, Outcome, PROMPT_VERSION, PriceTable, Provider, ProviderKind,
    Questions, Usage, answer,
    budget::next_midnight,
    gemini, openai,
    prompt::Prompt,
    reply::Reply,
    several::{self, Answers},
};
use crate::telemetry::{Attribute, OpenSpan, SpanKind, current_trace, deepest};
use jiff::{Timestamp, Zoned, tz::TimeZone};
use reqwest::{Client, Response, Url, header::RETRY_AFTER, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};

pub use super::gemini::Thinking;

/// Largest answer that is read: a summary is a few kilobytes.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// Longest Retry-After that is read: beyond it the number is no delay.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(30 * 24);
/// A server that doesn't take a connection for this long is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Characters of a token, as English has them: for what a server doesn't tell.
pub const CHARS_PER_TOKEN: usize = 4;
/// The same, at worst: tables and figures have more tokens than prose.
const WORST_CHARS_PER_TOKEN: usize = 2;

/// What the client needs to know of one model.
#[derive(Clone, Debug)]
pub struct ModelSettings {
    /// Whose wire format its server speaks; [`ProviderKind::Extractive`] is none, and is refused.
    pub provider: ProviderKind,
    /// The base of the server's addresses: `https://api.openai.com/v1`, `https://generativelanguage.googleapis.com`.
    pub base_url: String,
    /// The key; none for a server of one's own.
    pub api_key: Option<SecretString>,
    /// The model to ask.
    pub model: String,
    /// Deadline of one request, the whole answer included.
    pub timeout: Duration,
    /// Most tokens of an answer, hidden reasoning included.
    pub max_tokens: u32,
    /// How much it may think (Gemini only).
    pub thinking: Thinking,
    /// Where it is midnight when the quota of the day is there again.
    pub quota_zone: TimeZone,
    /// Prices. A model without one is refused: its cost would show as nothing.
    pub prices: Arc<PriceTable>,
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
    /// No wire format.
    #[error("{0} is no model's server: openai or gemini")]
    NoServer(ProviderKind),
    /// TLS can't be set up.
    #[error("the HTTP client can't be built: {0}")]
    Client(String),
}

/// A client of one model.
#[derive(Debug)]
pub struct ModelClient {
    client: Client,
    url: Url,
    settings: ModelSettings,
}

impl ModelClient {
    /// A client for these settings. It sends nothing yet.
    ///
    /// # Errors
    /// When the address is none, or the model has no price.
    pub fn new(settings: ModelSettings) -> Result<Self, SetupError> {
        let base = settings.base_url.trim_end_matches('/');
        let url = match settings.provider {
            ProviderKind::OpenAi => format!("{base}/chat/completions"),
            ProviderKind::Gemini => format!("{base}/v1beta/models/{}:generateContent", settings.model),
            ProviderKind::Extractive => return Err(SetupError::NoServer(settings.provider)),
        };
        let url: Url = url
            .parse()
            .ok()
            .filter(|url: &Url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| SetupError::BaseUrl(settings.base_url.clone()))?;
        if settings.prices.since(&settings.model, Zoned::now().date()).is_none() {
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

    async fn call(&self, questions: &Questions) -> Outcome {
        let (started, span) = (Instant::now(), OpenSpan::begin());
        let prompt = Prompt::new(questions, self.settings.max_tokens);
        let asked = timeout(self.settings.timeout, span.run(self.send(&prompt))).await;
        let reply = asked.unwrap_or_else(|_| Reply::failed(LlmError::Timeout(self.settings.timeout)));
        let (usage, estimated) = usage(&reply, &prompt);
        let (Answers { own, along }, status) = read(reply.result, questions);
        let call = Call {
            provider: self.settings.provider,
            model: self.settings.model.clone(),
            prompt_version: PROMPT_VERSION,
            prompt: questions.prompt(),
            status,
            usage,
            estimated,
            cost: self.cost(usage),
            duration: started.elapsed(),
        };
        tell(span, &call);
        Outcome { call, result: own, along }
    }

    async fn send(&self, prompt: &Prompt) -> Reply {
        let mut post = self.client.post(self.url.clone()).json(&self.body(prompt));
        if let Some(key) = &self.settings.api_key {
            // A header, never the address: addresses stand in logs.
            post = match self.settings.provider {
                ProviderKind::Gemini => post.header("x-goog-api-key", key.expose_secret()),
                ProviderKind::OpenAi | ProviderKind::Extractive => post.bearer_auth(key.expose_secret()),
            };
        }
        if let Some(trace) = current_trace() {
            post = post.header("traceparent", trace.to_string());
        }
        let response = match post.send().await {
            Ok(response) => response,
            Err(e) => return Reply::failed(self.transport(&e)),
        };
        let (status, after) = (response.status().as_u16(), retry_after(&response));
        let gemini = self.settings.provider == ProviderKind::Gemini;
        match self.read_body(response).await.map(|body| self.without_key(body)) {
            // Of an answer that had begun; an error that broke off has cost nothing.
            Err(LlmError::Connect(reason)) if status == 200 => Reply::failed(LlmError::Interrupted(reason)),
            Err(error) => Reply::failed(error),
            Ok(body) if status == 200 && gemini => gemini::read(&body),
            Ok(body) if status == 200 => openai::read(&body),
            Ok(body) if gemini => Reply::failed(gemini::read_error(status, &body, after)),
            Ok(body) => Reply::failed(openai::read_error(status, &body, after)),
        }
    }

    fn body(&self, prompt: &Prompt) -> Value {
        let ModelSettings { provider, model, thinking, .. } = &self.settings;
        match provider {
            ProviderKind::Gemini => gemini::question(prompt, thinking),
            ProviderKind::OpenAi | ProviderKind::Extractive => openai::question(model, prompt),
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

    async fn read_body(&self, mut response: Response) -> Result<Vec<u8>, LlmError> {
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

    /// By the calendar of UTC, as budgets are.
    fn cost(&self, usage: Usage) -> MicroUsd {
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let price = self.settings.prices.of(&self.settings.model, today, usage.input);
        price.map_or(0, |price| price.cost(usage))
    }
}

impl Provider for ModelClient {
    fn kind(&self) -> ProviderKind {
        self.settings.provider
    }

    fn model(&self) -> &str {
        &self.settings.model
    }

    fn prompt_version(&self) -> &'static str {
        PROMPT_VERSION
    }

    fn worst_cost(&self, questions: &Questions) -> MicroUsd {
        let prompt = Prompt::new(questions, self.settings.max_tokens);
        let input = tokens(prompt.system.len() + prompt.user.len(), WORST_CHARS_PER_TOKEN);
        self.cost(Usage { input, cached: 0, output: prompt.max_tokens, thoughts: 0 })
    }

    fn deadline(&self) -> Duration {
        self.settings.timeout
    }

    fn quota_reset(&self, now: Timestamp) -> Timestamp {
        next_midnight(now, &self.settings.quota_zone)
    }

    fn ask<'a>(&'a self, questions: &'a Questions) -> Answering<'a> {
        Box::pin(self.call(questions))
    }
}

/// What a text says to each question, and what the call is booked as: of several answers one of use is enough.
fn read(text: Result<String, LlmError>, questions: &Questions) -> (Answers, CallStatus) {
    let own = &questions.own;
    let answers = if questions.along.is_empty() {
        Ok(Answers { own: text.and_then(|text| answer::read(&text, &own.key(), own.pages)), along: Vec::new() })
    } else {
        text.and_then(|text| several::read(&text, questions))
    };
    let answers = answers.unwrap_or_else(|error| Answers { own: Err(error), along: Vec::new() });
    let status = match &answers.own {
        Err(error) if answers.along.iter().all(Option::is_none) => error.status(),
        _ => CallStatus::Ok,
    };
    (answers, status)
}

/// What the server tells; else an estimate, for what a server bills: answers, also those that broke off on their way, and
/// what it was still working on at the deadline. An error costs nothing.
fn usage(reply: &Reply, prompt: &Prompt) -> (Usage, bool) {
    if let Some(usage) = reply.usage {
        return (usage, false);
    }
    let written = match &reply.result {
        Ok(text) => tokens(text.chars().count(), CHARS_PER_TOKEN),
        // Whatever it has written by then is billed and unknown: no more than it was allowed.
        Err(LlmError::Timeout(_) | LlmError::Interrupted(_) | LlmError::Truncated) => prompt.max_tokens,
        Err(LlmError::Empty(_) | LlmError::Malformed(_)) => 0,
        Err(_) => return (Usage::default(), false),
    };
    let input = tokens(prompt.system.chars().count() + prompt.user.chars().count(), CHARS_PER_TOKEN);
    (Usage { input, cached: 0, output: written, thoughts: 0 }, true)
}

/// Tokens of so many characters.
fn tokens(chars: usize, per_token: usize) -> u32 {
    u32::try_from(chars.div_ceil(per_token)).unwrap_or(u32::MAX)
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
