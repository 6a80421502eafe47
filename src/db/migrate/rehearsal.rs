//! `migrate up --dry-run`: everything in one transaction that is rolled back, and what it did.

use super::{
    catalogue,
    error::{MigrateError, explain},
    history, lock,
    patience::{LOCK_TIMEOUT, Patience},
    set::{MigrationSet, script},
    steps::{How, Step},
    up::{Tell, connect, schema, target},
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;
use tokio_postgres::{Client, Config, Error, SimpleQueryMessage, Transaction, error::SqlState};

/// What would happen.
#[derive(Clone, Debug, Serialize)]
pub struct Rehearsal {
    /// The statements, in order.
    pub statements: Vec<Rehearsed>,
    /// How many objects were compared, after the rollback, with what they were before: all were the same.
    pub compared: usize,
}

/// A statement.
#[derive(Clone, Debug, Serialize)]
pub struct Rehearsed {
    /// Its file.
    pub migration: String,
    /// Its text.
    pub sql: String,
    /// Rows that it touched.
    pub rows: u64,
    /// Locks that it took first, or made stronger, on tables that were there before.
    pub locks: Vec<TableLock>,
    /// Tables and indexes that it wrote anew as a whole.
    pub rewritten: Vec<String>,
    /// How long it ran.
    pub milliseconds: u64,
}

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableLock {
    /// The table.
    pub table: String,
    /// Its strongest mode.
    pub mode: String,
}

/// Modes from the weakest to the strongest, as `pg_locks` names them.
const MODES: [&str; 8] = [
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
];

const LOCKS: &str = "select c.relname::text, l.mode from pg_locks l join pg_class c on c.oid = l.relation \
    where l.pid = pg_backend_pid() and l.granted and c.oid::bigint = any($1) and c.relkind in ('r', 'p')";
const FILES: &str = "select oid::bigint, relname::text, coalesce(pg_relation_filenode(oid), 0)::bigint from pg_class \
    where relnamespace = to_regnamespace(quote_ident(current_schema())) and relkind in ('r', 'p', 'i', 'm')";

/// Runs what is missing up to `to`, for `limit` at most, and takes it back. Meanwhile it holds the locks that it lists.
///
/// # Errors
/// When the database fails, locks are not to be had, a statement fails or needs more time, or the rollback left anything.
pub async fn rehearse(
    config: &Config,
    set: &MigrationSet,
    to: Option<i32>,
    limit: Duration,
    tell: &Tell<'_>,
) -> Result<Rehearsal, MigrateError> {
    let mut client = connect(config).await?;
    let schema = schema(&client).await?;
    let to = target(set, to)?;
    lock::acquire(&client, tell).await?;
    let records = history::read(&client).await.map_err(MigrateError::of)?;
    let missing = history::missing(set, &records, to)?;
    let before = state(&client).await?;
    let mut patience = Patience::default();
    let statements = loop {
        let mut stage = Stage {
            until: Instant::now() + limit,
            limit,
            files: BTreeMap::new(),
            held: BTreeMap::new(),
            done: Vec::new(),
        };
        match stage.run(&mut client, &missing).await {
            Ok(()) => break stage.done,
            Err(MigrateError::Failed { ref error, .. }) if patience.wait(&client, error, tell).await? => {}
            Err(error) => return Err(explained(error, &client, &schema, records.is_empty()).await),
        }
    };
    let after = state(&client).await?;
    if before != after {
        return Err(MigrateError::Migration(
            "the dry run left something behind: compare docket migrate verify".to_owned(),
        ));
    }
    lock::release(&client).await?;
    Ok(Rehearsal { statements, compared: after.0.len() + after.1.len() })
}

async fn explained(error: MigrateError, client: &Client, schema: &str, is_new: bool) -> MigrateError {
    match error {
        MigrateError::Failed { migration, place, error, left } => {
            let failed = |error| MigrateError::Failed { migration, place, error, left };
            explain(client, schema, is_new, error, failed).await
        }
        MigrateError::Statement(error) => explain(client, schema, is_new, error, MigrateError::Statement).await,
        other => other,
    }
}

/// All that a migration could change but rows: the catalogue, and the file of each table and index.
async fn state(client: &Client) -> Result<(catalogue::Catalogue, Vec<(i64, i64)>), MigrateError> {
    let name: String = client.query_one("select current_schema()::text", &[]).await.map_err(MigrateError::of)?.get(0);
    let files = client.query(FILES, &[]).await.map_err(MigrateError::of)?;
    let mut files: Vec<(i64, i64)> = files.iter().map(|row| (row.get(0), row.get(2))).collect();
    files.sort_unstable();
    Ok((catalogue::read(client, &name).await?, files))
}

/// One run.
struct Stage {
    until: Instant,
    limit: Duration,
    /// Name and file of all that was there before.
    files: BTreeMap<i64, (String, i64)>,
    /// The strongest lock of each table so far.
    held: BTreeMap<String, usize>,
    done: Vec<Rehearsed>,
}

impl Stage {
    async fn run(&mut self, client: &mut Client, missing: &[&refinery::Migration]) -> Result<(), MigrateError> {
        let transaction = client.transaction().await.map_err(MigrateError::of)?;
        transaction.batch_execute(LOCK_TIMEOUT).await.map_err(MigrateError::of)?;
        self.files = files(&transaction).await.map_err(MigrateError::of)?;
        transaction.batch_execute(history::CREATE).await.map_err(MigrateError::of)?;
        for migration in missing {
            for (step, sql) in script(migration)?.plain() {
                if let Err(error) = self.statement(&transaction, migration, step, &sql).await {
                    return Err(self.failed(migration, error));
                }
            }
            let record = [
                &migration.version() as &(dyn tokio_postgres::types::ToSql + Sync),
                &migration.name(),
                &migration.checksum().to_string(),
            ];
            transaction.execute(history::RECORD, &record).await.map_err(MigrateError::of)?;
        }
        transaction.rollback().await.map_err(MigrateError::of)
    }

    async fn statement(
        &mut self,
        transaction: &Transaction<'_>,
        migration: &refinery::Migration,
        step: &Step,
        sql: &str,
    ) -> Result<(), Error> {
        let left = self.until.saturating_duration_since(Instant::now()).as_millis().max(1);
        transaction.batch_execute(&format!("set local statement_timeout = {left}")).await?;
        let began = Instant::now();
        let rows = match step.how {
            How::Batch { .. } => transaction.execute(sql, &[&i64::MIN, &i64::MAX]).await?,
            _ => touched(&transaction.simple_query(sql).await?),
        };
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let locks = self.new_locks(transaction).await?;
        let rewritten = self.rewritten(transaction).await?;
        let migration = migration.to_string();
        self.done.push(Rehearsed { migration, sql: sql.to_owned(), rows, locks, rewritten, milliseconds });
        Ok(())
    }

    async fn new_locks(&mut self, transaction: &Transaction<'_>) -> Result<Vec<TableLock>, Error> {
        let before: Vec<i64> = self.files.keys().copied().collect();
        let mut now: BTreeMap<String, usize> = BTreeMap::new();
        for row in transaction.query(LOCKS, &[&before]).await? {
            let (table, mode): (String, String) = (row.get(0), row.get(1));
            let strength = MODES.iter().position(|known| *known == mode).unwrap_or_default();
            let strongest = now.entry(table).or_default();
            *strongest = (*strongest).max(strength);
        }
        // Everybody who reads holds the weakest, these very looks among them.
        let is_new = |(table, strength): &(&String, &usize)| **strength > 0 && self.held.get(*table) < Some(*strength);
        let name = |(table, strength): (&String, &usize)| TableLock {
            table: table.clone(),
            mode: MODES[*strength].to_owned(),
        };
        let new = now.iter().filter(is_new).map(name).collect();
        self.held = now;
        Ok(new)
    }

    async fn rewritten(&mut self, transaction: &Transaction<'_>) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        for (oid, (name, file)) in files(transaction).await? {
            if let Some((_, known)) = self.files.get_mut(&oid).filter(|(_, known)| *known != file) {
                *known = file;
                names.push(name);
            }
        }
        Ok(names)
    }

    fn failed(&self, migration: &refinery::Migration, error: Error) -> MigrateError {
        let place = self.done.len() + 1;
        if error.code() == Some(&SqlState::QUERY_CANCELED) {
            return MigrateError::Limit { limit: self.limit, done: place };
        }
        let (migration, place) = (migration.to_string(), format!("statement {place} of the dry run"));
        MigrateError::Failed { migration, place, error, left: "everything was rolled back" }
    }
}

async fn files(transaction: &Transaction<'_>) -> Result<BTreeMap<i64, (String, i64)>, Error> {
    let rows = transaction.query(FILES, &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect())
}

fn touched(messages: &[SimpleQueryMessage]) -> u64 {
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::CommandComplete(rows) => Some(*rows),
        _ => None,
    });
    rows.sum()
}
