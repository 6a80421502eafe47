//! `migrate verify`: the rules, tried; the catalogue, compared.

use super::{
    catalogue,
    drift::{Drift, DriftKind, compare},
    error::MigrateError,
    history,
    patience::LOCK_TIMEOUT,
    set::MigrationSet,
    trial::{self, Trial, Tried},
    up::{connect, schema, target},
};
use serde::Serialize;
use tokio_postgres::Config;

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// The schema's version.
    pub version: i32,
    /// Every rule that was tried.
    pub trials: Vec<Tried>,
    /// Every difference.
    pub drift: Vec<Drift>,
}

impl Verification {
    /// Rules that don't hold.
    pub fn faults(&self) -> impl Iterator<Item = &Tried> {
        self.trials.iter().filter(|tried| !tried.ok)
    }

    /// Differences that are faults.
    pub fn drifted(&self) -> impl Iterator<Item = &Drift> {
        self.drift.iter().filter(|drift| drift.kind != DriftKind::Foreign)
    }
}

/// Tries the rules and compares the catalogue with what `set` makes up to `to`, in a transaction that is rolled back.
///
/// What is left of it: a hundred or so numbers of `jobs.id` that no job will have.
///
/// # Errors
/// When the database fails, or its schema is of another version.
pub async fn verify(
    config: &Config,
    set: &MigrationSet,
    to: Option<i32>,
    trials: &[Trial],
) -> Result<Verification, MigrateError> {
    let mut client = connect(config).await?;
    schema(&client).await?;
    let set = set.up_to(target(set, to)?);
    let records = history::read(&client).await.map_err(MigrateError::of)?;
    same_version(&set, &records)?;
    let version = set.newest();
    let transaction = client.transaction().await.map_err(MigrateError::of)?;
    transaction.batch_execute(LOCK_TIMEOUT).await.map_err(MigrateError::of)?;
    let name: String =
        transaction.query_one("select current_schema()::text", &[]).await.map_err(MigrateError::of)?.get(0);
    let found = catalogue::read(&transaction, &name).await?;
    // First: a role that may not is told so before anything is tried.
    let expected = catalogue::expected(&transaction, &set).await?;
    let mut tried = Vec::new();
    for trial in trials.iter().filter(|trial| trial.since <= version) {
        tried.push(trial::run(&transaction, trial).await?);
    }
    transaction.rollback().await.map_err(MigrateError::of)?;
    Ok(Verification { version, trials: tried, drift: compare(&expected, &found) })
}

fn same_version(set: &MigrationSet, records: &[history::Record]) -> Result<(), MigrateError> {
    let wanted = set.newest();
    match records.last() {
        None => Err(MigrateError::Version("the database has no schema of Docket: run docket migrate up".to_owned())),
        Some(record) if record.version != wanted => Err(MigrateError::Version(format!(
            "the database has schema version {}, and version {wanted} was to be verified: bring it there with docket \
             migrate up, or say --to {} (of a version that this binary knows)",
            record.version, record.version
        ))),
        Some(_) => history::missing(set, records, wanted).map(drop),
    }
}
