//! Why a pending job is not due.

use serde::{Deserialize, Serialize};
use std::fmt;

/// "Not now": one mechanism for everything that makes a job wait. A held job is pending and outside the due index; a
/// sweep lifts what is due or freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// Enqueued for a later time.
    Scheduled,
    /// A failed attempt waits for its backoff.
    Retry,
    /// Its kind is paused by an operator.
    Paused,
    /// A concurrency or rate limit is reached.
    Limit,
    /// A circuit breaker is open.
    Breaker,
    /// A budget is spent.
    Budget,
    /// No live worker of the lane knows its kind.
    UnknownKind,
    /// It waits for its children.
    Children,
}

impl Hold {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::Scheduled,
        Self::Retry,
        Self::Paused,
        Self::Limit,
        Self::Breaker,
        Self::Budget,
        Self::UnknownKind,
        Self::Children,
    ];

    /// The name in the database, in JSON and in metric labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Retry => "retry",
            Self::Paused => "paused",
            Self::Limit => "limit",
            Self::Breaker => "breaker",
            Self::Budget => "budget",
            Self::UnknownKind => "unknown_kind",
            Self::Children => "children",
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
