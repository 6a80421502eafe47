//! `migrate plan`: what is missing, and how it will run.

use super::{
    affected::{self, Table},
    error::MigrateError,
    history,
    set::{MigrationSet, script, sql},
    steps::{Script, Step, header},
    up::{connect, schema, target},
};
use serde::Serialize;
use tokio_postgres::Config;

/// A file that is missing in the database.
#[derive(Clone, Debug, Serialize)]
pub struct Planned {
    /// Its number.
    pub version: i32,
    /// Its name.
    pub name: String,
    /// Whether it runs in steps, while a fleet works.
    pub in_steps: bool,
    /// Its steps; one if it runs whole.
    pub steps: Vec<PlannedStep>,
    /// Which locks it takes, in the words of its author.
    pub locks: Option<String>,
    /// For how long it was seen to hold them.
    pub measured: Option<String>,
}

/// A part of a file.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedStep {
    /// What it does.
    pub what: String,
    /// The tables that are there already and that it names, with about as many rows.
    pub tables: Vec<(String, i64)>,
}

/// What is missing up to `to`.
///
/// # Errors
/// When the database is away, or what was applied doesn't fit.
pub async fn plan(config: &Config, set: &MigrationSet, to: Option<i32>) -> Result<Vec<Planned>, MigrateError> {
    let client = connect(config).await?;
    schema(&client).await?;
    let records = history::read(&client).await.map_err(MigrateError::of)?;
    let missing = history::missing(set, &records, target(set, to)?)?;
    let tables = affected::tables(&client).await?;
    missing.into_iter().map(|migration| planned(migration, records.is_empty(), &tables)).collect()
}

fn planned(migration: &refinery::Migration, is_new: bool, tables: &[Table]) -> Result<Planned, MigrateError> {
    let script = script(migration)?;
    let in_steps = script.in_steps && !is_new;
    let steps = if in_steps {
        script.steps.iter().map(|step| of(step, tables)).collect()
    } else {
        vec![whole(&script, tables)]
    };
    let text = sql(migration);
    Ok(Planned {
        version: migration.version(),
        name: migration.name().to_owned(),
        in_steps,
        steps,
        locks: header(text, "Locks"),
        measured: header(text, "Measured"),
    })
}

fn of(step: &Step, tables: &[Table]) -> PlannedStep {
    let named = affected::named(step.statements.iter().map(String::as_str), tables);
    PlannedStep { what: step.describe(), tables: named.into_iter().map(|table| (table.name, table.rows)).collect() }
}

fn whole(script: &Script, tables: &[Table]) -> PlannedStep {
    let statements: Vec<&str> =
        script.steps.iter().flat_map(|step| step.statements.iter().map(String::as_str)).collect();
    let what = format!("one transaction of {} statements", statements.len());
    let named = affected::named(statements.into_iter(), tables);
    PlannedStep { what, tables: named.into_iter().map(|table| (table.name, table.rows)).collect() }
}
