//! Why there is no answer.

use super::address::NotGlobal;
use crate::{
    fleet::{
        handler::{ErrorClass, HandlerError},
        job::Hold,
    },
    telemetry::deepest,
};
use reqwest::StatusCode;
use std::time::Duration;
use url::Url;

/// Longest Retry-After that is believed: a site that says "next year" is asked again tomorrow.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

/// A request without a usable answer. Addresses are shown without user name, password and query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// A time limit passed.
    #[error("{url}: no complete answer in time")]
    Timeout {
        /// The address.
        url: String,
    },
    /// No connection, or one that broke before the answer was complete.
    #[error("{url}: {reason}")]
    Connect {
        /// The address.
        url: String,
        /// What happened.
        reason: String,
    },
    /// A body over the limit.
    #[error("{url}: the body is larger than {limit} bytes")]
    TooLarge {
        /// The address.
        url: String,
        /// The limit.
        limit: usize,
    },
    /// An address, port or name that must not be asked.
    #[error("{url}: refused, only public addresses on ports 80 and 443 are asked")]
    RefusedAddress {
        /// The address.
        url: String,
    },
    /// No http or https address.
    #[error("{url}: not an address that can be asked")]
    BadUrl {
        /// The address.
        url: String,
    },
    /// A chain of redirects that doesn't end.
    #[error("{url}: more than {limit} redirects")]
    TooManyRedirects {
        /// The address that was asked first.
        url: String,
        /// The limit.
        limit: usize,
    },
    /// An answer with an error status.
    #[error("{url}: status {status}")]
    Status {
        /// The address that answered.
        url: String,
        /// The status.
        status: u16,
        /// The Retry-After header, as a delay.
        retry_after: Option<Duration>,
    },
    /// No request went out: its host is not asked now, and the job waits for that without cost.
    #[error("held by {hold}: {key}")]
    Held {
        /// Why.
        hold: Hold,
        /// What it waits for.
        key: String,
    },
    /// No request went out, because the database did not answer.
    #[error("the database is in trouble: {0}")]
    Database(String),
    /// No request went out: a re-parse reads the record alone, and the record has no answer of this address.
    #[error("{url}: not in the record: list the city at its site, or re-parse from a day on which it was listed")]
    NotRecorded {
        /// The address.
        url: String,
    },
    /// The client itself could not be built.
    #[error("the HTTP client can't start: {0}")]
    Setup(String),
}

/// An address fit for logs: no user name, no password, no query, no fragment.
#[must_use]
pub fn redacted(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for addresses that can't hold credentials at all.
    let _ = (url.set_username(""), url.set_password(None));
    let had_query = url.query().is_some();
    url.set_query(None);
    url.set_fragment(None);
    if had_query { format!("{url}?…") } else { url.into() }
}

impl FetchError {
    pub(super) fn from_reqwest(error: &reqwest::Error, url: &Url) -> Self {
        let url = redacted(url);
        if error.is_timeout() {
            return Self::Timeout { url };
        }
        match deepest(error) {
            cause if cause.is::<NotGlobal>() => Self::RefusedAddress { url },
            cause => Self::Connect { url, reason: cause.to_string() },
        }
    }

    /// The error class: the metric label of a job that fails by it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Timeout { .. } => ErrorClass::Timeout,
            Self::Connect { .. } => ErrorClass::Connect,
            Self::TooLarge { .. } => ErrorClass::TooLarge,
            Self::RefusedAddress { .. } => ErrorClass::RefusedAddress,
            Self::BadUrl { .. } | Self::TooManyRedirects { .. } => ErrorClass::Malformed,
            Self::NotRecorded { .. } => ErrorClass::NotFound,
            Self::Held { .. } | Self::Database(_) | Self::Setup(_) => ErrorClass::Other,
            Self::Status { status, .. } => match StatusCode::from_u16(*status) {
                Ok(StatusCode::NOT_FOUND | StatusCode::GONE) => ErrorClass::NotFound,
                Ok(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => ErrorClass::Forbidden,
                Ok(StatusCode::TOO_MANY_REQUESTS) => ErrorClass::RateLimited,
                Ok(StatusCode::REQUEST_TIMEOUT) => ErrorClass::Timeout,
                Ok(code) if code.is_server_error() => ErrorClass::ServerError,
                _ => ErrorClass::ClientError,
            },
        }
    }

    /// False when asking again can't help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.class(),
            ErrorClass::Timeout | ErrorClass::Connect | ErrorClass::ServerError | ErrorClass::RateLimited
        ) || matches!(self, Self::TooManyRedirects { .. })
    }
}

/// What a request that failed says of the site behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It is down, for everybody: no answer, or a server's error.
    Down,
    /// It answers: also what it refuses or doesn't have.
    Answers,
    /// Nothing: it was not asked, or nobody can tell.
    Unknown,
}

impl FetchError {
    /// What it says of the site.
    #[must_use]
    pub const fn reach(&self) -> Reach {
        match self {
            Self::Timeout { .. } | Self::Connect { .. } => Reach::Down,
            Self::Status { status, .. } if *status >= 500 => Reach::Down,
            Self::Status { .. } | Self::TooLarge { .. } | Self::TooManyRedirects { .. } => Reach::Answers,
            Self::RefusedAddress { .. }
            | Self::BadUrl { .. }
            | Self::Held { .. }
            | Self::Database(_)
            | Self::NotRecorded { .. }
            | Self::Setup(_) => Reach::Unknown,
        }
    }

    /// Whether nobody was asked, so that it says nothing of the site, the city or the job.
    #[must_use]
    pub const fn is_not_now(&self) -> bool {
        matches!(self, Self::Held { .. } | Self::Database(_))
    }
}

impl From<HandlerError> for FetchError {
    fn from(error: HandlerError) -> Self {
        match error {
            HandlerError::Held { hold, key } => Self::Held { hold, key },
            other => Self::Database(other.to_string()),
        }
    }
}

impl From<FetchError> for HandlerError {
    fn from(error: FetchError) -> Self {
        let error = match error {
            FetchError::Held { hold, key } => return Self::Held { hold, key },
            FetchError::Database(message) => return Self::DatabaseAway(message),
            other => other,
        };
        let after = match &error {
            FetchError::Status { retry_after, .. } => retry_after.map(|after| after.min(MAX_RETRY_AFTER)),
            _ => None,
        };
        if error.is_retryable() {
            Self::Retryable { class: error.class(), message: error.to_string(), after }
        } else {
            Self::non_retryable(error.class(), error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_an_address_are_not_shown() {
        let url = Url::parse("https://user:pw@city.example/a?token=secret#frag").unwrap();
        assert_eq!(redacted(&url), "https://city.example/a?…");
    }

    #[test]
    fn only_a_site_that_is_down_is_an_outage() {
        let status = |status| FetchError::Status { url: String::new(), status, retry_after: None };
        assert!([500, 502, 503, 504].map(status).iter().all(|error| error.reach() == Reach::Down));
        let answers = [404, 410, 401, 403, 400, 429].map(status);
        assert!(answers.iter().all(|error| error.reach() == Reach::Answers));
        assert_eq!(FetchError::Timeout { url: String::new() }.reach(), Reach::Down);
        assert_eq!(FetchError::RefusedAddress { url: String::new() }.reach(), Reach::Unknown);
    }

    #[test]
    fn what_a_status_means_for_the_job() {
        let job = |status, seconds: Option<u64>| {
            let retry_after = seconds.map(Duration::from_secs);
            HandlerError::from(FetchError::Status { url: String::new(), status, retry_after })
        };
        for (status, class) in [(404, ErrorClass::NotFound), (410, ErrorClass::NotFound), (403, ErrorClass::Forbidden)]
        {
            assert!(matches!(job(status, None), HandlerError::NonRetryable { class: c, .. } if c == class), "{status}");
        }
        assert!(matches!(job(503, Some(7)), HandlerError::Retryable { class: ErrorClass::ServerError, after, .. }
            if after == Some(Duration::from_secs(7))));
        assert!(
            matches!(job(429, Some(u64::MAX)), HandlerError::Retryable { class: ErrorClass::RateLimited, after, .. }
            if after == Some(MAX_RETRY_AFTER))
        );
    }
}
