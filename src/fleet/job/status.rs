//! The states of a job and every legal transition between them.
//!
//! The trigger `job_guard` of the schema refuses the same transitions; an integration test holds the two equal.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Where a job is in its life. The names are those of the database enum `job_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waiting in the ledger: due, or held for a reason.
    Pending,
    /// A broker message points to it.
    Queued,
    /// A worker holds its lease.
    Processing,
    /// Done; its effects are committed.
    Completed,
    /// Ended by a non-retryable error.
    Failed,
    /// Ended by its last attempt, or lost too often.
    DeadLetter,
    /// Ended by an operator or by its own handler.
    Cancelled,
}

impl Status {
    /// All states, in the order of a job's life.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Queued,
        Self::Processing,
        Self::Completed,
        Self::Failed,
        Self::DeadLetter,
        Self::Cancelled,
    ];

    /// The name in the database, in JSON and in metric labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Queued => "queued",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::DeadLetter => "dead_letter",
            Self::Cancelled => "cancelled",
        }
    }

    /// True for the four states in which nothing more happens by itself.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::DeadLetter | Self::Cancelled)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is none of the seven states.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown status {0:?}: one of pending, queued, processing, completed, failed, dead_letter, cancelled")]
pub struct UnknownStatus(pub String);

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|status| status.as_str() == s).ok_or_else(|| UnknownStatus(s.to_owned()))
    }
}

/// Whether a job may go from `from` to `to`. `requeued_from` is the state that a requeue left behind on a row that has
/// not started since: an undo may return there and nowhere else.
#[must_use]
pub fn is_legal(from: Status, to: Status, requeued_from: Option<Status>) -> bool {
    use Status::{Cancelled, Completed, DeadLetter, Failed, Pending, Processing, Queued};
    match from {
        Pending => matches!(to, Queued | Processing | Cancelled) || requeued_from == Some(to),
        Queued => matches!(to, Processing | Pending | Cancelled),
        Processing => matches!(to, Completed | Failed | DeadLetter | Pending | Cancelled),
        Failed | DeadLetter => matches!(to, Pending | Cancelled),
        Completed | Cancelled => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_status() -> impl Strategy<Value = Status> {
        proptest::sample::select(Status::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn completed_and_cancelled_are_final(to in any_status(), undo in proptest::option::of(any_status())) {
            prop_assert!(!is_legal(Status::Completed, to, undo));
            prop_assert!(!is_legal(Status::Cancelled, to, undo));
        }

        #[test]
        fn no_job_completes_without_having_been_processed(from in any_status()) {
            prop_assert_eq!(is_legal(from, Status::Completed, None), from == Status::Processing);
        }

        #[test]
        fn a_walk_of_legal_steps_ends_or_can_be_brought_to_an_end(steps in proptest::collection::vec(any_status(), 0..40)) {
            let mut at = Status::Pending;
            for to in steps {
                if is_legal(at, to, None) { at = to; }
            }
            let can_end = at.is_terminal() || Status::ALL.iter().any(|&to| to.is_terminal() && is_legal(at, to, None));
            prop_assert!(can_end, "{at} is a trap");
        }

        #[test]
        fn names_round_trip(status in any_status()) {
            prop_assert_eq!(status.as_str().parse::<Status>(), Ok(status));
        }
    }

    #[test]
    fn every_transition_is_listed() {
        let legal: Vec<String> = Status::ALL
            .into_iter()
            .flat_map(|from| Status::ALL.into_iter().map(move |to| (from, to)))
            .filter(|&(from, to)| is_legal(from, to, None))
            .map(|(from, to)| format!("{from}>{to}"))
            .collect();
        assert_eq!(
            legal.join(" "),
            "pending>queued pending>processing pending>cancelled \
             queued>pending queued>processing queued>cancelled \
             processing>pending processing>completed processing>failed processing>dead_letter processing>cancelled \
             failed>pending failed>cancelled dead_letter>pending dead_letter>cancelled"
        );
    }

    #[test]
    fn undo_returns_only_where_it_came_from() {
        assert!(is_legal(Status::Pending, Status::DeadLetter, Some(Status::DeadLetter)));
        assert!(!is_legal(Status::Pending, Status::Failed, Some(Status::DeadLetter)));
    }
}
