//! A schema for one scenario: it begins empty, with fresh statistics, and leaves nothing behind.

use super::spec::BenchError;
use crate::db;
use tokio_postgres::{Client, Config};

/// A migrated schema of its own.
pub(super) struct Ground {
    pub(super) config: Config,
    /// The bench's own connection.
    pub(super) client: Client,
    schema: String,
}

impl Ground {
    pub(super) async fn make(database: &Config) -> Result<Self, BenchError> {
        let schema = format!("docket_bench_{}", uuid::Uuid::new_v4().simple());
        let outside = db::connect(database).await?;
        outside.batch_execute(&format!("create schema {schema}")).await?;
        let mut config = database.clone();
        config.options(format!("-csearch_path={schema}"));
        let made = async {
            db::migrate(&config).await?;
            let client = db::connect(&config).await?;
            // A message that an earlier schema left in the broker names none of this one's jobs.
            let first = uuid::Uuid::new_v4().as_u64_pair().0 >> 32 | 1;
            client.batch_execute(&format!("alter table jobs alter column id restart with {first}")).await?;
            Ok(client)
        };
        match made.await {
            Ok(client) => Ok(Self { config, client, schema }),
            Err(error) => {
                drop_schema(&outside, &schema).await?;
                Err(error)
            }
        }
    }

    pub(super) async fn remove(self) -> Result<(), BenchError> {
        drop_schema(&self.client, &self.schema).await
    }
}

/// Whoever still has a lock there (an autovacuum) gives way, or ends soon.
async fn drop_schema(client: &Client, schema: &str) -> Result<(), BenchError> {
    Ok(client.batch_execute(&format!("drop schema {schema} cascade")).await?)
}

/// Refuses a database in which a fleet keeps its jobs.
pub(super) async fn check_empty(database: &Config) -> Result<(), BenchError> {
    let client = db::connect(database).await?;
    let there = client.query_one("select to_regclass('jobs') is not null", &[]).await?;
    if there.get(0) && client.query_one("select exists (select 1 from jobs)", &[]).await?.get(0) {
        return Err(BenchError::Occupied);
    }
    Ok(())
}
