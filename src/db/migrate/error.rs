//! What can go wrong.

use super::super::describe;
use std::path::PathBuf;
use tokio_postgres::{Client, error::SqlState};

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// No connection.
    #[error("the database can't be reached: {}", describe(.0))]
    Connect(tokio_postgres::Error),
    /// The database failed at something that is no migration's.
    #[error("{}", describe(.0))]
    Statement(tokio_postgres::Error),
    /// A file that can't be run.
    #[error("migration failed: {0}")]
    Migration(String),
    /// A statement of a file failed.
    #[error("migration {migration} failed in {place}: {}; {left}", describe(.error))]
    Failed {
        /// The file.
        migration: String,
        /// Which part of it.
        place: String,
        /// What the server said.
        error: tokio_postgres::Error,
        /// What that means for the database.
        left: &'static str,
    },
    /// The search path names no schema that is there.
    #[error(
        "there is no schema to work in: the search path is {0:?}; create the schema, or name another in DATABASE_URL \
         (?options=-csearch_path%3DNAME)"
    )]
    NoSchema(String),
    /// A right that is missing.
    #[error(
        "{0}; as an owner of the database: grant create, usage on schema {1} to {2}, or migrate as the tables' owner"
    )]
    Denied(String, String, String),
    /// A right that only `verify` needs.
    #[error("{0}; verify makes a schema to compare with, and takes it back: grant create on the database to this role")]
    Scratch(String),
    /// Something else is where a table of Docket should be.
    #[error(
        "schema {schema} holds something that no migration of Docket made: {found}; nothing was changed: give Docket a \
         schema of its own (DATABASE_URL with ?options=-csearch_path%3DNAME)"
    )]
    Foreign {
        /// The schema.
        schema: String,
        /// What the server said.
        found: String,
    },
    /// The database is newer than this binary.
    #[error(
        "the database has schema version {database}, this binary knows {binary}: nothing was changed; run a newer docket"
    )]
    Newer {
        /// Its version.
        database: i32,
        /// The newest that is known here.
        binary: i32,
    },
    /// What was applied isn't what this binary holds.
    #[error(
        "migration {0} was applied with another text than this binary's: nothing was changed; restore the file (an applied \
         file never changes), or use the binary that applied it"
    )]
    Changed(String),
    /// A file below the newest applied one was never applied.
    #[error(
        "migration {0} is missing below newer ones: nothing was changed; its number came too late, give it a new one"
    )]
    Gap(String),
    /// A version that isn't this database's, or isn't known here.
    #[error("{0}")]
    Version(String),
    /// Others held the locks for too long.
    #[error(
        "others hold the locks: {0}; nothing waits for them any more, and what was done stays. End them, or start again later"
    )]
    Locked(String),
    /// The rehearsal took longer than it may.
    #[error(
        "the dry run was given {limit:?}, and statement {done} needed more: nothing was changed. Give it more with --limit \
         while the fleet rests, or run it on a copy of the database"
    )]
    Limit {
        /// What it was given.
        limit: std::time::Duration,
        /// The statement's place, from 1.
        done: usize,
    },
    /// No backup, so nothing was changed.
    #[error("no backup, and nothing was changed: {0}")]
    Backup(#[from] BackupError),
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file is there.
    #[error("{} is there already: name another file", .0.display())]
    Exists(PathBuf),
    /// The directory can't be written.
    #[error("can't write in {}: {error}", .directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// There is no `pg_dump`.
    #[error("found no pg_dump: install PostgreSQL's client programs (Debian: postgresql-client)")]
    NoPgDump,
    /// `pg_dump` failed.
    #[error("pg_dump: {0}")]
    Dump(String),
}

impl MigrateError {
    /// What a statement that is no migration's own failed with.
    pub(super) fn of(error: tokio_postgres::Error) -> Self {
        Self::Statement(error)
    }
}

/// Whether a lock was not to be had: worth another try.
pub(super) fn is_lock(error: &tokio_postgres::Error) -> bool {
    let busy = [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED];
    error.code().is_some_and(|code| busy.contains(code))
}

/// The two faults that a person can mend at once get words of their own.
pub(super) async fn explain(
    client: &Client,
    schema: &str,
    is_new: bool,
    error: tokio_postgres::Error,
    otherwise: impl FnOnce(tokio_postgres::Error) -> MigrateError,
) -> MigrateError {
    let taken = [SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT, SqlState::DUPLICATE_FUNCTION];
    match error.code() {
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
            let user = client.query_one("select quote_ident(current_user)", &[]).await;
            let user = user.map_or_else(|_| "this role".to_owned(), |row| row.get(0));
            MigrateError::Denied(describe(&error), schema.to_owned(), user)
        }
        Some(code) if is_new && taken.contains(code) => {
            MigrateError::Foreign { schema: schema.to_owned(), found: describe(&error) }
        }
        _ => otherwise(error),
    }
}
