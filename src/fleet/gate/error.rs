//! Why the gate let nothing through.

/// Why a job was not enqueued, or why nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// Too many jobs of this kind wait; nothing was written.
    #[error("{pending} jobs of {kind} are pending, at most {max} may be")]
    TooManyPending {
        /// The kind.
        kind: String,
        /// How many wait, as far as is known.
        pending: u64,
        /// How many may.
        max: u64,
    },
    /// More callers wait than can be served in time; nothing was written.
    #[error("too many callers wait")]
    Busy,
    /// The database is away; nothing was written.
    #[error("the database is away: {0}")]
    Away(String),
    /// The database asks to repeat; nothing was written.
    #[error("the database asks to repeat: {0}")]
    Repeat(String),
    /// The commit was not answered: the job is there, or it is not.
    #[error("the commit was not answered: {0}")]
    Unknown(String),
    /// The database refuses it, and always will; nothing was written.
    #[error("the database refuses: {0}")]
    Refused(String),
}
