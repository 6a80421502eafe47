//! One request to a model: what is asked, what it cost, what came back.

use super::{LlmError, MicroUsd, PromptType};
use std::{fmt, time::Duration};

/// What is to be summarised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which prompt.
    pub prompt: PromptType,
    /// What the text is about: an item's or a meeting's title.
    pub title: String,
    /// The text. Cut by the caller with [`clip`](super::clip).
    pub text: String,
}

/// Tokens of one call, as the model's server counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read, the cached ones included.
    pub input: u32,
    /// Of those, how many came from the server's cache.
    pub cached: u32,
    /// Tokens written, hidden reasoning included.
    pub output: u32,
}

/// How a call ended. A closed set: it is a metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallStatus {
    /// With a text.
    Ok,
    /// 429, for the moment.
    RateLimited,
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
    /// 200 with no text.
    Empty,
    /// 200 with something that is no answer.
    Malformed,
    /// The model's filter refused the text.
    Blocked,
}

impl CallStatus {
    /// The metric label, and the text in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::RateLimited => "rate_limited",
            Self::Quota => "quota",
            Self::Refused => "refused",
            Self::ServerError => "server_error",
            Self::Timeout => "timeout",
            Self::Connect => "connect",
            Self::Empty => "empty",
            Self::Malformed => "malformed",
            Self::Blocked => "blocked",
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
    /// The model that was asked.
    pub model: String,
    /// For which prompt.
    pub prompt: PromptType,
    /// How it ended.
    pub status: CallStatus,
    /// Tokens; 0 where the server told none.
    pub usage: Usage,
    /// What it cost.
    pub cost: MicroUsd,
    /// From the request to the last byte of the answer.
    pub duration: Duration,
}

/// A call and its result.
#[derive(Debug)]
pub struct Outcome {
    /// For the ledger.
    pub call: Call,
    /// The summary.
    pub result: Result<String, LlmError>,
}
