//! What is in a schema, as text that compares.

use super::{
    super::describe,
    error::MigrateError,
    history,
    set::{MigrationSet, script},
    steps::How,
};
use std::collections::BTreeMap;
use tokio_postgres::{GenericClient, error::SqlState};

/// What makes two schemas equal.
pub(super) type Catalogue = BTreeMap<(String, String), Entry>;

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The table that it belongs to, or nothing.
    pub(super) table: String,
    pub(super) definition: String,
}

/// Reads a schema, by its plain name.
pub(super) async fn read<C: GenericClient>(client: &C, schema: &str) -> Result<Catalogue, MigrateError> {
    let rows = client.query(include_str!("catalogue.sql"), &[&schema]).await.map_err(MigrateError::of)?;
    let entry =
        |row: &tokio_postgres::Row| ((row.get(0), row.get(2)), Entry { table: row.get(1), definition: row.get(3) });
    Ok(rows.iter().map(entry).collect())
}

/// Builds a schema from the files, reads it, and leaves it to the caller's transaction to undo it.
pub(super) async fn expected<C: GenericClient>(transaction: &C, set: &MigrationSet) -> Result<Catalogue, MigrateError> {
    let name = format!("docket_verify_{}", uuid::Uuid::new_v4().simple());
    let path: String =
        transaction.query_one("select current_setting('search_path')", &[]).await.map_err(MigrateError::of)?.get(0);
    let build = format!("create schema {name}; set local search_path = {name}; {}", history::CREATE);
    transaction.batch_execute(&build).await.map_err(|e| match e.code() {
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => MigrateError::Scratch(describe(&e)),
        _ => MigrateError::of(e),
    })?;
    for migration in set.iter() {
        let script = script(migration)?;
        let plain = script.plain().filter(|(step, _)| !matches!(step.how, How::Batch { .. }));
        let sql: String = plain.map(|(_, statement)| statement + ";\n").collect();
        transaction.batch_execute(&sql).await.map_err(MigrateError::of)?;
    }
    let built = read(transaction, &name).await?;
    transaction.execute("select set_config('search_path', $1, true)", &[&path]).await.map_err(MigrateError::of)?;
    Ok(built)
}
