//! Running a file.

use super::{
    error::{MigrateError, explain},
    history,
    patience::{LOCK_TIMEOUT, Patience},
    set::{script, sql},
    steps::{How, Script, Step, index_name},
    up::Tell,
};
use refinery::Migration;
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::{Client, Error};

/// How often a batch tells where it is.
const NEWS: Duration = Duration::from_secs(2);

/// What its locks hold up is other changes of the schema, and vacuum: it may wait for the transactions of others.
const CONCURRENT_TIMEOUT: &str = "set lock_timeout = '10min'";

const ROLLED_BACK: &str = "it was rolled back";
const STOPPED: &str =
    "what was done before stays and harms nobody; when the cause is gone, start again: it begins anew";

/// Applies files, one after the other.
pub(super) struct Runner<'a> {
    pub(super) client: &'a mut Client,
    pub(super) schema: &'a str,
    /// Nobody else can be there: no steps are needed, and none are taken.
    pub(super) is_new: bool,
    pub(super) tell: &'a Tell<'a>,
}

impl Runner<'_> {
    /// Makes the history.
    pub(super) async fn begin(&self) -> Result<(), MigrateError> {
        if let Err(error) = self.client.batch_execute(history::CREATE).await {
            return Err(explain(self.client, self.schema, self.is_new, error, MigrateError::Statement).await);
        }
        Ok(())
    }

    /// Applies a file and records it.
    pub(super) async fn apply(&mut self, migration: &Migration) -> Result<(), MigrateError> {
        let script = script(migration)?;
        if self.is_new || !script.in_steps {
            return self.whole(migration, &script).await;
        }
        let count = script.steps.len();
        for (index, step) in script.steps.iter().enumerate() {
            let place = format!("step {} of {count}", index + 1);
            (self.tell)(&format!("{migration}: {place}: {}", step.describe()));
            self.step(migration, step, &place).await?;
        }
        self.transaction(migration, "", true, "its record").await
    }

    /// In one transaction, together with its record.
    async fn whole(&mut self, migration: &Migration, script: &Script) -> Result<(), MigrateError> {
        if !self.is_new {
            (self.tell)(&format!("{migration}: in one transaction"));
        }
        if !script.in_steps {
            return self.transaction(migration, sql(migration), true, "its transaction").await;
        }
        // A batch has no rows to look at where nothing was before.
        let has_work = |step: &Step| !matches!(step.how, How::Batch { .. });
        let all = script.plain().filter(|(step, _)| has_work(step)).map(|(_, statement)| statement + ";\n");
        let sql: String = all.collect();
        self.transaction(migration, &sql, true, "its transaction").await
    }

    async fn step(&mut self, migration: &Migration, step: &Step, place: &str) -> Result<(), MigrateError> {
        match &step.how {
            How::Transaction => self.transaction(migration, &step.statements.join(";\n"), false, place).await,
            How::Concurrently => {
                for statement in &step.statements {
                    self.concurrently(migration, statement, place).await?;
                }
                Ok(())
            }
            How::Batch { table, key, size } => {
                let boundary = format!(
                    "select max({key}) from (select {key} from {table} where {key} > $1 order by {key} limit {size}) t"
                );
                self.batches(migration, &boundary, &step.statements[0], place).await
            }
        }
    }

    async fn transaction(
        &mut self,
        migration: &Migration,
        sql: &str,
        last: bool,
        place: &str,
    ) -> Result<(), MigrateError> {
        let mut patience = Patience::default();
        loop {
            let Err(error) = transaction(self.client, sql, last.then_some(migration)).await else { return Ok(()) };
            if !patience.wait(self.client, &error, self.tell).await? {
                return Err(self.failed(migration, place, error).await);
            }
        }
    }

    /// A build that was cut short leaves an index that is written and never read: it goes first.
    async fn concurrently(&self, migration: &Migration, statement: &str, place: &str) -> Result<(), MigrateError> {
        let mut patience = Patience::default();
        loop {
            let Err(error) = concurrently(self.client, statement).await else { return Ok(()) };
            if !patience.wait(self.client, &error, self.tell).await? {
                return Err(self.failed(migration, place, error).await);
            }
        }
    }

    async fn batches(
        &mut self,
        migration: &Migration,
        boundary: &str,
        sql: &str,
        place: &str,
    ) -> Result<(), MigrateError> {
        let mut patience = Patience::default();
        let (mut from, mut rows, mut told) = (i64::MIN, 0, Instant::now());
        loop {
            match batch(self.client, boundary, sql, from).await {
                Ok(None) => {
                    (self.tell)(&format!("{migration}: {place}: {rows} rows changed"));
                    return Ok(());
                }
                Ok(Some((to, changed))) => {
                    (from, rows, patience) = (to, rows + changed, Patience::default());
                    if told.elapsed() >= NEWS {
                        (self.tell)(&format!("{migration}: {place}: at {to}, {rows} rows changed"));
                        told = Instant::now();
                    }
                }
                Err(error) if patience.wait(self.client, &error, self.tell).await? => {}
                Err(error) => return Err(self.failed(migration, place, error).await),
            }
        }
    }

    async fn failed(&self, migration: &Migration, place: &str, error: Error) -> MigrateError {
        let left = if place.starts_with("step") { STOPPED } else { ROLLED_BACK };
        let (migration, place) = (migration.to_string(), place.to_owned());
        let failed = |error| MigrateError::Failed { migration, place, error, left };
        explain(self.client, self.schema, self.is_new, error, failed).await
    }
}

async fn transaction(client: &mut Client, sql: &str, record: Option<&Migration>) -> Result<(), Error> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(LOCK_TIMEOUT).await?;
    transaction.batch_execute(sql).await?;
    if let Some(m) = record {
        transaction.execute(history::RECORD, &[&m.version(), &m.name(), &m.checksum().to_string()]).await?;
    }
    transaction.commit().await
}

async fn concurrently(client: &Client, statement: &str) -> Result<(), Error> {
    let name = index_name(statement).unwrap_or_default();
    let invalid = "select exists (select 1 from pg_index i join pg_class c on c.oid = i.indexrelid where c.relname = $1 \
                   and c.relnamespace = to_regnamespace(quote_ident(current_schema())) and not i.indisvalid)";
    client.batch_execute(CONCURRENT_TIMEOUT).await?;
    let built = async {
        if client.query_one(invalid, &[&name]).await?.get(0) {
            client.batch_execute(&format!("drop index concurrently if exists {name}")).await?;
        }
        client.batch_execute(statement).await
    };
    let built = built.await;
    client.batch_execute("reset lock_timeout").await?;
    built
}

/// Returns where it came to, and how many rows it changed; none at the end.
async fn batch(client: &mut Client, boundary: &str, sql: &str, from: i64) -> Result<Option<(i64, u64)>, Error> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(LOCK_TIMEOUT).await?;
    let Some(to) = transaction.query_one(boundary, &[&from]).await?.get::<_, Option<i64>>(0) else { return Ok(None) };
    let changed = transaction.execute(sql, &[&from, &to]).await?;
    transaction.commit().await?;
    Ok(Some((to, changed)))
}
