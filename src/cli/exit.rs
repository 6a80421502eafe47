//! How a command ends, and what it says then.

use crate::{config::ConfigError, db::MigrateError, http::ServeError};
use std::{fmt, process::ExitCode};

/// Why a command failed.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    text: String,
}

/// What a command returns.
pub(super) type Outcome = Result<(), Failure>;

impl Failure {
    /// 64: the command line or the configuration.
    pub(super) fn usage(text: impl fmt::Display) -> Self {
        Self { code: 64, text: text.to_string() }
    }

    /// 69: the broker or the database.
    pub(super) fn unavailable(text: impl fmt::Display) -> Self {
        Self { code: 69, text: text.to_string() }
    }

    /// 70: anything else.
    pub(super) fn internal(text: impl fmt::Display) -> Self {
        Self { code: 70, text: text.to_string() }
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

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Connect(_) | MigrateError::Statement(_) => Self::unavailable(error),
            MigrateError::Migration(_) => Self::internal(error),
        }
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        Self::usage(error)
    }
}

impl From<tokio_postgres::Error> for Failure {
    /// The server's refusal is our fault; silence is the server's.
    fn from(error: tokio_postgres::Error) -> Self {
        let text = crate::db::describe(&error);
        if error.as_db_error().is_some() { Self::internal(text) } else { Self::unavailable(text) }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::internal(format!("{error:#}"))
    }
}
