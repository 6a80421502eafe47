//! One request to a model: what is asked, what it cost, what came back.

use super::{Answer, LlmError, MicroUsd, PromptType, ProviderKind};
use crate::civic::model::Fingerprint;
use std::{fmt, time::Duration};

/// Digits of the input's hash that a model has to repeat.
const KEY_DIGITS: usize = 12;

/// What is to be summarised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which prompt.
    pub prompt: PromptType,
    /// What the text is about: an item's or a meeting's title.
    pub title: String,
    /// The text. Cut by the caller with [`clip`](super::clip).
    pub text: String,
    /// Pages that are marked in the text, counted from 1; 0: none are.
    pub pages: u32,
    /// An earlier answer was not proven by the text. No part of the input's hash.
    pub again: bool,
}

impl Request {
    /// A first question about a text without marked pages.
    #[must_use]
    pub fn new(prompt: PromptType, title: &str, text: &str) -> Self {
        Self { prompt, title: title.to_owned(), text: text.to_owned(), pages: 0, again: false }
    }

    /// Hash of all that the model reads of the source.
    #[must_use]
    pub fn input_hash(&self) -> Fingerprint {
        Fingerprint::of(&(self.prompt, &self.title, &self.text))
    }

    /// What the answer has to be labelled with: it follows from the input, so that no other input's answer has it.
    #[must_use]
    pub fn key(&self) -> String {
        self.input_hash().as_str()[..KEY_DIGITS].to_owned()
    }
}

/// What one call asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Questions {
    /// The question of who asks.
    pub own: Request,
    /// Short ones of other items, which are taken along; none of them has the key of another.
    pub along: Vec<Request>,
}

impl Questions {
    /// All of them, the own one first.
    pub fn all(&self) -> impl Iterator<Item = &Request> {
        std::iter::once(&self.own).chain(&self.along)
    }

    /// The prompt that the call has.
    #[must_use]
    pub fn prompt(&self) -> PromptType {
        if self.along.is_empty() { self.own.prompt } else { PromptType::Batch }
    }
}

impl From<Request> for Questions {
    fn from(own: Request) -> Self {
        Self { own, along: Vec::new() }
    }
}

/// Tokens of one call, as the model's server counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read, the cached ones included.
    pub input: u32,
    /// Of those, how many came from the server's cache.
    pub cached: u32,
    /// Tokens written, hidden reasoning included: it is billed like them.
    pub output: u32,
    /// Of those, how many were hidden reasoning.
    pub thoughts: u32,
}

/// How a call ended. A closed set: it is a metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallStatus {
    /// With a text.
    Ok,
    /// 429, for the moment.
    RateLimited,
    /// 429, until the quota of the day is reset.
    DailyQuota,
    /// 429, because the account has nothing left.
    Quota,
    /// 4xx: the request, the key or the model is wrong.
    Refused,
    /// 5xx.
    ServerError,
    /// No answer in time.
    Timeout,
    /// No connection.
    Connect,
    /// 200 that broke off on its way.
    Interrupted,
    /// 200 with no text.
    Empty,
    /// 200 with half an answer: the limit of its length was reached.
    Truncated,
    /// 200 with something that is no answer.
    Malformed,
    /// 200 with the answer to another question.
    WrongKey,
    /// The text is longer than the model can read.
    TooLong,
    /// The model's filter refused the text.
    Blocked,
    /// Nobody knows: its worker died.
    Lost,
}

impl CallStatus {
    /// The metric label, and the text in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::RateLimited => "rate_limited",
            Self::DailyQuota => "daily_quota",
            Self::Quota => "quota",
            Self::Refused => "refused",
            Self::ServerError => "server_error",
            Self::Timeout => "timeout",
            Self::Connect => "connect",
            Self::Interrupted => "interrupted",
            Self::Empty => "empty",
            Self::Truncated => "truncated",
            Self::Malformed => "malformed",
            Self::WrongKey => "wrong_key",
            Self::TooLong => "too_long",
            Self::Blocked => "blocked",
            Self::Lost => "lost",
        }
    }
}

impl fmt::Display for CallStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A call for the ledger: money is booked whether or not the answer was of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Who was asked.
    pub provider: ProviderKind,
    /// The model that was asked.
    pub model: String,
    /// Version of the prompt.
    pub prompt_version: &'static str,
    /// For which prompt.
    pub prompt: PromptType,
    /// How it ended.
    pub status: CallStatus,
    /// Tokens.
    pub usage: Usage,
    /// True: the server told no tokens, and these are counted from the characters.
    pub estimated: bool,
    /// What it cost.
    pub cost: MicroUsd,
    /// From the request to the last byte of the answer.
    pub duration: Duration,
}

/// A call whose worker died before it could tell how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Number of its job, if that is known.
    pub job: Option<i64>,
    /// For which city.
    pub city: String,
    /// The model that was asked.
    pub model: String,
    /// For which prompt, as [`PromptType::as_str`] tells it.
    pub prompt: String,
    /// The most that it can have cost, which is what it is booked with.
    pub cost: MicroUsd,
}

/// A call and its result.
#[derive(Debug)]
pub struct Outcome {
    /// For the ledger.
    pub call: Call,
    /// The answer to the own question.
    pub result: Result<Answer, LlmError>,
    /// Those to the questions that were taken along, in their order, so far as they are of use. Empty after an error of the
    /// whole call.
    pub along: Vec<Option<Answer>>,
}
