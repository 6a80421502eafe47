//! How a command ends, and what it says then.

use crate::{
    civic::{SyncError, store::cities::CityError},
    config::{ConfigError, Problems},
    db::{BackupError, MigrateError, is_passing},
    dev::UnusableDir,
    fleet::enqueue::EnqueueError,
    http::ServeError,
};
use std::{fmt, process::ExitCode};
use tokio_postgres::error::SqlState;

/// Why a command failed.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    text: String,
}

/// What a command returns.
pub(super) type Outcome = Result<(), Failure>;

impl Failure {
    /// 1: it ran, and found that a promise does not hold.
    pub(super) fn broken(text: impl fmt::Display) -> Self {
        Self { code: 1, text: text.to_string() }
    }

    /// 75: it ran, and proves nothing; another try may.
    pub(super) fn void(text: impl fmt::Display) -> Self {
        Self { code: 75, text: text.to_string() }
    }

    /// 64: the command line or the configuration.
    pub(super) fn usage(text: impl fmt::Display) -> Self {
        Self { code: 64, text: text.to_string() }
    }

    /// 65: ledger and broker disagree.
    pub(super) fn disagreement(text: impl fmt::Display) -> Self {
        Self { code: 65, text: text.to_string() }
    }

    /// 69: the broker or the database.
    pub(super) fn unavailable(text: impl fmt::Display) -> Self {
        Self { code: 69, text: text.to_string() }
    }

    /// 70: anything else.
    pub(super) fn internal(text: impl fmt::Display) -> Self {
        Self { code: 70, text: text.to_string() }
    }

    /// Whether it is a service's, so that waiting may help.
    pub(super) const fn is_unavailable(&self) -> bool {
        self.code == 69
    }

    /// The same code, and more to say.
    pub(super) fn with(self, more: &str) -> Self {
        Self { text: format!("{}; {more}", self.text), ..self }
    }

    pub(super) fn code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error)
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::usage(problems)
    }
}

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Self {
        use MigrateError as E;
        match &error {
            E::Connect(_) | E::Statement(_) | E::Locked(_) | E::Limit { .. } => Self::unavailable(&error),
            E::NoSchema(_) | E::Denied(..) | E::Scratch(_) | E::Foreign { .. } | E::Newer { .. } | E::Version(_) => {
                Self::usage(&error)
            }
            E::Backup(BackupError::Dump(_)) => Self::internal(&error),
            E::Backup(_) => Self::usage(&error),
            E::Failed { error: cause, .. } if is_passing(cause) => Self::unavailable(&error),
            E::Migration(_) | E::Failed { .. } | E::Changed(_) | E::Gap(_) => Self::internal(&error),
        }
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        Self::usage(error)
    }
}

impl From<tokio_postgres::Error> for Failure {
    /// The server's refusal is our fault; silence, and a server that stops, are the server's.
    fn from(error: tokio_postgres::Error) -> Self {
        let text = format!("the database: {}", crate::db::describe(&error));
        let stops = |code: &SqlState| code.code().starts_with("57P");
        if error.code().is_some_and(|code| !stops(code)) { Self::internal(text) } else { Self::unavailable(text) }
    }
}

impl From<EnqueueError> for Failure {
    fn from(error: EnqueueError) -> Self {
        match error {
            EnqueueError::Database(error) => error.into(),
            EnqueueError::Job(_) => Self::usage(error),
            EnqueueError::Vanished(_) => Self::internal(error),
        }
    }
}

impl From<CityError> for Failure {
    fn from(error: CityError) -> Self {
        match error {
            CityError::Database(error) => error.into(),
            CityError::Unusable { .. } => Self::internal(error),
            CityError::Slug(_) | CityError::Taken { .. } => Self::usage(error),
            CityError::Unknown { .. } => Self::usage(format!("{error}; see docket cities list")),
        }
    }
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::City(error) => error.into(),
            SyncError::Enqueue(error) => error.into(),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let text = format!("{error:#}");
        if error.is::<UnusableDir>() { Self::usage(text) } else { Self::internal(text) }
    }
}
