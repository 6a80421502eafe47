//! Why a call gave no answer.

use std::time::Duration;

/// Why a ledger call gave no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LedgerError {
    /// The statement may or may not have been committed: connection lost, or no answer in time.
    #[error("the ledger did not answer: {0}")]
    Unknown(String),
    /// Nothing was committed: no connection could be had.
    #[error("the ledger is away: {0}")]
    Unavailable(String),
    /// Nothing was committed: a deadlock or a serialization failure. Repeat without cost.
    #[error("the ledger asks to repeat: {0}")]
    Repeat(String),
    /// Nothing was committed: the database refuses the statement.
    #[error("the ledger refuses: {0}")]
    Refused(String),
}

impl LedgerError {
    /// Whether the statement may have been committed.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}

/// Why a broker call failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BrokerError {
    /// No connection, or it was lost meanwhile.
    #[error("the broker is away: {0}")]
    Away(String),
    /// No answer in time.
    #[error("the broker did not answer within {0:?}")]
    Timeout(Duration),
    /// The broker's topology is not what Docket needs.
    #[error("{0}")]
    Topology(String),
    /// Any other refusal.
    #[error("the broker refuses: {0}")]
    Refused(String),
}
