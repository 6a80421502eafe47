//! What goes wrong with a model.

use super::CallStatus;
use crate::fleet::handler::ErrorClass;
use std::time::Duration;

/// Why a model gave no summary. Texts come from the model's server, cut short; they never hold the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LlmError {
    /// 429: too many requests for the moment.
    #[error("the model's server limits requests: {message}")]
    RateLimited {
        /// The server's words.
        message: String,
        /// Its Retry-After.
        after: Option<Duration>,
    },
    /// 429: the quota of the day is used up, whatever delay the server names.
    #[error("the day's quota at the model's server is used up: {0}")]
    DailyQuota(String),
    /// 429 that waiting minutes doesn't cure.
    #[error("the account at the model's server has no quota left: {0}")]
    Quota(String),
    /// Another 4xx.
    #[error("the model's server refuses the request with {status}: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// The text is longer than the model can read.
    #[error("the text is too long for the model: {0}")]
    TooLong(String),
    /// 5xx.
    #[error("the model's server answers {status}: {message}")]
    Server {
        /// HTTP status.
        status: u16,
        /// The server's words.
        message: String,
        /// Its Retry-After.
        after: Option<Duration>,
    },
    /// No answer within the deadline.
    #[error("the model did not answer within {0:?}")]
    Timeout(Duration),
    /// No connection.
    #[error("the model's server can't be reached: {0}")]
    Connect(String),
    /// The connection broke within a 200.
    #[error("the connection to the model's server broke within its answer: {0}")]
    Interrupted(String),
    /// 200 without a text.
    #[error("the model answered with no text (finish reason {0})")]
    Empty(String),
    /// 200 with half a text.
    #[error("the model's answer was cut off at its longest length")]
    Truncated,
    /// 200 with something else than promised.
    #[error("the model's answer can't be read: {0}")]
    Malformed(String),
    /// 200 with the answer to another question.
    #[error("the model answered another question, with the key {0:?}")]
    WrongKey(String),
    /// The model's filter refuses this text.
    #[error("the model's safety filter refuses the text: {0}")]
    Blocked(String),
}

impl LlmError {
    /// For the metric and the ledger.
    #[must_use]
    pub const fn status(&self) -> CallStatus {
        match self {
            Self::RateLimited { .. } => CallStatus::RateLimited,
            Self::DailyQuota(_) => CallStatus::DailyQuota,
            Self::Quota(_) => CallStatus::Quota,
            Self::Refused { .. } => CallStatus::Refused,
            Self::TooLong(_) => CallStatus::TooLong,
            Self::Server { .. } => CallStatus::ServerError,
            Self::Timeout(_) => CallStatus::Timeout,
            Self::Connect(_) => CallStatus::Connect,
            Self::Interrupted(_) => CallStatus::Interrupted,
            Self::Empty(_) => CallStatus::Empty,
            Self::Truncated => CallStatus::Truncated,
            Self::Malformed(_) => CallStatus::Malformed,
            Self::WrongKey(_) => CallStatus::WrongKey,
            Self::Blocked(_) => CallStatus::Blocked,
        }
    }

    /// The metric label of the job's error.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::RateLimited { .. } => ErrorClass::RateLimited,
            Self::DailyQuota(_) | Self::Quota(_) => ErrorClass::Quota,
            Self::Refused { status: 401 | 403, .. } => ErrorClass::Forbidden,
            Self::Refused { status: 404, .. } => ErrorClass::NotFound,
            Self::Refused { .. } => ErrorClass::ClientError,
            Self::TooLong(_) => ErrorClass::TooLarge,
            Self::Server { .. } => ErrorClass::ServerError,
            Self::Timeout(_) => ErrorClass::Timeout,
            Self::Connect(_) | Self::Interrupted(_) => ErrorClass::Connect,
            Self::Empty(_) | Self::Truncated | Self::Malformed(_) | Self::WrongKey(_) => ErrorClass::Malformed,
            Self::Blocked(_) => ErrorClass::Other,
        }
    }

    /// Whether the server gave no answer of its own: what a circuit breaker counts.
    #[must_use]
    pub const fn is_outage(&self) -> bool {
        matches!(self, Self::Server { .. } | Self::Timeout(_) | Self::Connect(_) | Self::Interrupted(_))
    }
}
