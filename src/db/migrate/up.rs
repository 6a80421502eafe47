//! `migrate up`.

use super::{
    apply, backup,
    error::MigrateError,
    history::{self, Migration, State},
    lock,
    set::MigrationSet,
};
use std::path::Path;
use tokio_postgres::{Client, Config};

/// Told what happens, a line at a time.
pub type Tell<'a> = dyn Fn(&str) + Send + Sync + 'a;

/// What to do.
pub struct Upgrade<'a> {
    /// The files.
    pub set: MigrationSet,
    /// The last file to apply; none: all.
    pub to: Option<i32>,
    /// Where what is about to change is written first.
    pub backup: Option<&'a Path>,
    /// Progress.
    pub tell: &'a Tell<'a>,
}

impl Default for Upgrade<'_> {
    /// All files of this binary, silently.
    fn default() -> Self {
        Self { set: MigrationSet::embedded(), to: None, backup: None, tell: &|_| {} }
    }
}

/// Brings the schema (the first of the search path) up to date. Safe to call from many processes at once.
///
/// # Errors
/// When the database is away, a migration fails, or an applied one was changed.
pub async fn migrate(config: &Config) -> Result<Vec<Migration>, MigrateError> {
    upgrade(config, &Upgrade::default()).await
}

/// The same, as told. Returns what was applied.
///
/// # Errors
/// When the database is away, locks are not to be had, a migration fails, what was applied doesn't fit, or the backup
/// can't be made.
pub async fn upgrade(config: &Config, upgrade: &Upgrade<'_>) -> Result<Vec<Migration>, MigrateError> {
    let mut client = connect(config).await?;
    let schema = schema(&client).await?;
    let to = target(&upgrade.set, upgrade.to)?;
    lock::acquire(&client, upgrade.tell).await?;
    let records = history::read(&client).await.map_err(MigrateError::of)?;
    let missing = history::missing(&upgrade.set, &records, to)?;
    if missing.is_empty() {
        lock::release(&client).await?;
        return Ok(Vec::new());
    }
    if let Some(file) = upgrade.backup {
        backup::write(&client, config, &schema, &missing, file, upgrade.tell).await?;
    }
    let mut done = Vec::new();
    let mut runner =
        apply::Runner { client: &mut client, schema: &schema, is_new: records.is_empty(), tell: upgrade.tell };
    runner.begin().await?;
    for migration in missing {
        runner.apply(migration).await?;
        let (version, name) = (migration.version(), migration.name().to_owned());
        done.push(Migration { version, name, applied: true, state: State::Applied });
    }
    lock::release(&client).await?;
    Ok(done)
}

/// The migrations of this binary, and those that the database has besides.
///
/// # Errors
/// When the database is away.
pub async fn migrations(config: &Config) -> Result<Vec<Migration>, MigrateError> {
    let client = connect(config).await?;
    let records = history::read(&client).await.map_err(MigrateError::of)?;
    Ok(history::compare(&MigrationSet::embedded(), &records))
}

/// The newest migration of this binary.
#[must_use]
pub fn newest() -> i32 {
    MigrationSet::embedded().newest()
}

pub(super) async fn connect(config: &Config) -> Result<Client, MigrateError> {
    let client = super::super::connect(config).await.map_err(MigrateError::Connect)?;
    // A step may take long where it holds nobody up; the network's death is noticed by keepalives. What a step would
    // say by the way (`if not exists`) is no news.
    client
        .batch_execute("set statement_timeout = 0; set client_min_messages = warning")
        .await
        .map_err(MigrateError::of)?;
    Ok(client)
}

/// The schema in use, quoted.
pub(super) async fn schema(client: &Client) -> Result<String, MigrateError> {
    let row = client.query_one("select quote_ident(current_schema()), current_setting('search_path')", &[]).await;
    let row = row.map_err(MigrateError::of)?;
    row.get::<_, Option<String>>(0).ok_or_else(|| MigrateError::NoSchema(row.get(1)))
}

pub(super) fn target(set: &MigrationSet, to: Option<i32>) -> Result<i32, MigrateError> {
    match to {
        None => Ok(set.newest()),
        Some(to) if set.iter().any(|m| m.version() == to) => Ok(to),
        Some(to) => Err(MigrateError::Version(format!("--to {to}: this binary has migrations up to {}", set.newest()))),
    }
}
