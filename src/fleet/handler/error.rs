//! How a handler says what went wrong. The kind of error decides what becomes of the job.

use crate::{fleet::job::Hold, telemetry::names::ERRORS};
use std::{fmt, time::Duration};

macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $label:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every value: the closed set of the metric label.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The metric label.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(self.as_str()) }
        }
    };
}

labels! {
    /// The part of the product that an error belongs to.
    Component {
        /// Job code that names no other part.
        Handler = "handler",
        /// Requests to a vendor's site.
        Vendor = "vendor",
        /// Fetching and reading documents.
        Document = "document",
        /// Language models.
        Llm = "llm",
        /// Matters and other bookkeeping of the domain.
        Matter = "matter",
        /// The scheduler's loops.
        Scheduler = "scheduler",
        /// The worker's loops.
        Worker = "worker",
        /// PostgreSQL.
        Database = "database",
        /// RabbitMQ.
        Broker = "broker",
        /// The HTTP endpoint.
        Http = "http",
    }
}

labels! {
    /// What kind of error it was.
    ErrorClass {
        /// The attempt's deadline passed.
        Timeout = "timeout",
        /// The handler panicked.
        Panic = "panic",
        /// The arguments don't fit the handler, or are of a newer version.
        InvalidArgs = "invalid_args",
        /// No connection.
        Connect = "connect",
        /// The other side answered 5xx.
        ServerError = "server_error",
        /// The other side answered 404 or 410.
        NotFound = "not_found",
        /// The other side answered 401 or 403.
        Forbidden = "forbidden",
        /// The other side answered another 4xx.
        ClientError = "client_error",
        /// 429, or a quota for the moment.
        RateLimited = "rate_limited",
        /// A quota that waiting minutes doesn't cure.
        Quota = "quota",
        /// An answer that is not what was promised.
        Malformed = "malformed",
        /// Larger than allowed.
        TooLarge = "too_large",
        /// An address that must not be asked.
        RefusedAddress = "refused_address",
        /// The client that a vendor was asked for doesn't exist.
        UnknownClient = "unknown_client",
        /// PostgreSQL refused or was away.
        Database = "database",
        /// RabbitMQ refused or was away.
        Broker = "broker",
        /// A worker died with the job.
        WorkerLost = "worker_lost",
        /// A message that no scheduler wrote.
        Quarantined = "quarantined",
        /// The worker's machine: no room on its disk, no process, no file.
        Io = "io",
        /// Anything else.
        Other = "other",
    }
}

impl Component {
    /// Counts an error of this part.
    pub fn failed(self, class: ErrorClass) {
        metrics::counter!(ERRORS, "component" => self.as_str(), "type" => class.as_str()).increment(1);
    }
}

/// How an attempt ended without a result.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HandlerError {
    /// Costs an attempt; tried again after the backoff, and not before `after`.
    #[error("{message}")]
    Retryable {
        /// What kind of error.
        class: ErrorClass,
        /// What happened, for people. Never a secret.
        message: String,
        /// The least delay, such as a Retry-After.
        after: Option<Duration>,
    },
    /// `failed` at once.
    #[error("{message}")]
    NonRetryable {
        /// What kind of error.
        class: ErrorClass,
        /// What happened, for people. Never a secret.
        message: String,
    },
    /// The database's own trouble, not the job's: effects are repeated, an attempt is given back, both without cost.
    #[error("the database is in trouble: {0}")]
    DatabaseAway(String),
    /// Not now: back to pending until then, without cost.
    #[error("snoozed for {0:?}")]
    Snooze(Duration),
    /// Not now: back to pending until what the key names lets it through, without cost. What lifts the hold is the hold's own.
    #[error("held by {hold}: {key}")]
    Held {
        /// Why.
        hold: Hold,
        /// What it waits for.
        key: String,
    },
    /// Not now: back to pending for so long, without cost.
    #[error("held by {hold}: {key}, for {after:?}")]
    HeldFor {
        /// Why.
        hold: Hold,
        /// What it waits for.
        key: String,
        /// For how long.
        after: Duration,
    },
    /// No longer wanted: `cancelled`, with the reason.
    #[error("discarded: {0}")]
    Discard(String),
}

impl HandlerError {
    /// An error that costs an attempt.
    pub fn retryable(class: ErrorClass, message: impl Into<String>) -> Self {
        Self::Retryable { class, message: message.into(), after: None }
    }

    /// An error that costs an attempt and must not be tried again before `after`.
    pub fn retryable_after(class: ErrorClass, message: impl Into<String>, after: Duration) -> Self {
        Self::Retryable { class, message: message.into(), after: Some(after) }
    }

    /// An error that no further attempt cures.
    pub fn non_retryable(class: ErrorClass, message: impl Into<String>) -> Self {
        Self::NonRetryable { class, message: message.into() }
    }

    /// The metric label of the error; none for what is no error.
    #[must_use]
    pub const fn class(&self) -> Option<ErrorClass> {
        match self {
            Self::Retryable { class, .. } | Self::NonRetryable { class, .. } => Some(*class),
            Self::DatabaseAway(_) | Self::Snooze(_) | Self::Held { .. } | Self::HeldFor { .. } | Self::Discard(_) => {
                None
            }
        }
    }
}

impl From<tokio_postgres::Error> for HandlerError {
    /// A statement that the database refuses is the job's failure; a database in trouble is not.
    fn from(e: tokio_postgres::Error) -> Self {
        let message = crate::db::describe(&e);
        if crate::db::is_passing(&e) {
            Self::DatabaseAway(message)
        } else {
            Self::retryable(ErrorClass::Database, message)
        }
    }
}
