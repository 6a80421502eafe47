//! What goes wrong with a model, and what becomes of the job.

use super::CallStatus;
use crate::fleet::handler::{ErrorClass, HandlerError};
use std::time::Duration;

/// An account without money is looked at again after this long: a job that waits costs no attempt.
const QUOTA_PAUSE: Duration = Duration::from_hours(1);

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
    /// 200 without a text.
    #[error("the model answered with no text (finish reason {0})")]
    Empty(String),
    /// 200 with something else than promised.
    #[error("the model's answer can't be read: {0}")]
    Malformed(String),
    /// The model's filter refuses this text.
    #[error("the model's content filter refuses the text")]
    Blocked,
}

impl LlmError {
    /// For the metric and the ledger.
    #[must_use]
    pub const fn status(&self) -> CallStatus {
        match self {
            Self::RateLimited { .. } => CallStatus::RateLimited,
            Self::Quota(_) => CallStatus::Quota,
            Self::Refused { .. } => CallStatus::Refused,
            Self::Server { .. } => CallStatus::ServerError,
            Self::Timeout(_) => CallStatus::Timeout,
            Self::Connect(_) => CallStatus::Connect,
            Self::Empty(_) => CallStatus::Empty,
            Self::Malformed(_) => CallStatus::Malformed,
            Self::Blocked => CallStatus::Blocked,
        }
    }

    const fn class(&self) -> ErrorClass {
        match self {
            Self::RateLimited { .. } => ErrorClass::RateLimited,
            Self::Quota(_) => ErrorClass::Quota,
            Self::Refused { status: 401 | 403, .. } => ErrorClass::Forbidden,
            Self::Refused { status: 404, .. } => ErrorClass::NotFound,
            Self::Refused { .. } => ErrorClass::ClientError,
            Self::Server { .. } => ErrorClass::ServerError,
            Self::Timeout(_) => ErrorClass::Timeout,
            Self::Connect(_) => ErrorClass::Connect,
            Self::Empty(_) | Self::Malformed(_) => ErrorClass::Malformed,
            Self::Blocked => ErrorClass::Other,
        }
    }
}

impl From<LlmError> for HandlerError {
    fn from(error: LlmError) -> Self {
        let (class, message) = (error.class(), error.to_string());
        match error {
            LlmError::Quota(_) => Self::Snooze(QUOTA_PAUSE),
            LlmError::Refused { .. } | LlmError::Blocked => Self::NonRetryable { class, message },
            LlmError::RateLimited { after, .. } | LlmError::Server { after, .. } => {
                Self::Retryable { class, message, after }
            }
            _ => Self::Retryable { class, message, after: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_decides_what_becomes_of_the_job() {
        let after = Some(Duration::from_secs(7));
        let of = |error: LlmError| HandlerError::from(error);
        assert!(matches!(
            of(LlmError::RateLimited { message: String::new(), after }),
            HandlerError::Retryable { class: ErrorClass::RateLimited, after: Some(d), .. } if d.as_secs() == 7
        ));
        assert!(matches!(of(LlmError::Quota(String::new())), HandlerError::Snooze(_)));
        for (status, class) in
            [(400, ErrorClass::ClientError), (403, ErrorClass::Forbidden), (404, ErrorClass::NotFound)]
        {
            let error = of(LlmError::Refused { status, message: String::new() });
            assert!(matches!(error, HandlerError::NonRetryable { class: c, .. } if c == class), "{status}");
        }
        for error in [LlmError::Empty("stop".into()), LlmError::Malformed("x".into()), LlmError::Connect("x".into())] {
            assert!(matches!(of(error), HandlerError::Retryable { after: None, .. }));
        }
    }
}
