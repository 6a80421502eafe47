//! Schema migrations: numbered SQL files, embedded, checksummed, applied under an advisory lock.

use tokio_postgres::{Client, Config};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Any fixed number: whoever migrates a schema of this database holds this lock.
const LOCK: i64 = 0x0d0c_4e70;

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// No connection.
    #[error("the database can't be reached: {}", super::describe(.0))]
    Connect(tokio_postgres::Error),
    /// A statement failed; its migration was rolled back.
    #[error("{}", super::describe(.0))]
    Statement(tokio_postgres::Error),
    /// A migration failed or doesn't fit what was applied before.
    #[error("migration failed, and was rolled back: {0}")]
    Migration(String),
}

/// A migration of this binary.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Migration {
    /// Its number.
    pub version: i32,
    /// Its name.
    pub name: String,
    /// Whether the database has it.
    pub applied: bool,
}

/// Brings the schema (the first of the search path, created if it is missing) up to date. Safe to call from many
/// processes at once.
///
/// # Errors
/// When the database is away, a migration fails, or an applied one was changed.
pub async fn migrate(config: &Config) -> Result<Vec<Migration>, MigrateError> {
    let mut client = super::connect(config).await.map_err(MigrateError::Connect)?;
    client.execute("select pg_advisory_lock($1)", &[&LOCK]).await.map_err(MigrateError::Statement)?;
    let report = embedded::migrations::runner().run_async(&mut client).await;
    let done = report.map_err(|e| MigrateError::Migration(chain(&e)));
    client.execute("select pg_advisory_unlock($1)", &[&LOCK]).await.map_err(MigrateError::Statement)?;
    Ok(done?
        .applied_migrations()
        .iter()
        .map(|m| Migration { version: m.version(), name: m.name().to_owned(), applied: true })
        .collect())
}

/// The migrations of this binary, and whether the database has them.
///
/// # Errors
/// When the database is away.
pub async fn migrations(config: &Config) -> Result<Vec<Migration>, MigrateError> {
    let client = super::connect(config).await.map_err(MigrateError::Connect)?;
    let newest = applied(&client).await.map_err(MigrateError::Statement)?;
    let mut all = embedded::migrations::runner().get_migrations().clone();
    all.sort();
    Ok(all
        .iter()
        .map(|m| Migration {
            version: m.version(),
            name: m.name().to_owned(),
            applied: newest.is_some_and(|newest| m.version() <= newest),
        })
        .collect())
}

/// The newest migration of this binary.
#[must_use]
pub fn newest() -> i32 {
    let runner = embedded::migrations::runner();
    runner.get_migrations().iter().map(refinery::Migration::version).max().unwrap_or_default()
}

/// The newest migration that the database has; none: it has no schema of Docket.
///
/// # Errors
/// When the database fails.
pub async fn applied(client: &Client) -> Result<Option<i32>, tokio_postgres::Error> {
    let row = client.query_one("select to_regclass('refinery_schema_history') is not null", &[]).await?;
    if !row.get::<_, bool>(0) {
        return Ok(None);
    }
    let row = client.query_one("select max(version) from refinery_schema_history", &[]).await?;
    Ok(row.get(0))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = match inner.downcast_ref::<tokio_postgres::Error>() {
            Some(db) => format!("{text}: {}", super::describe(db)),
            None => format!("{text}: {inner}"),
        };
        source = inner.source();
    }
    text
}
