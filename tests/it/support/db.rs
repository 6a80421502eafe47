//! A schema of its own for each test.

use tokio_postgres::{Client, NoTls};
use url::Url;

use super::{services, unique};

/// A fresh schema in the tests' database.
pub(crate) struct TestDb {
    url: String,
    schema: String,
}

impl TestDb {
    /// A schema with all migrations.
    pub(crate) async fn migrated() -> Self {
        let db = Self::new().await;
        docket::db::migrate(&db.config()).await.unwrap();
        db
    }

    /// An empty schema.
    pub(crate) async fn new() -> Self {
        let database = &services().await.database_url;
        let schema = unique("test");
        connect(database).await.batch_execute(&format!("create schema {schema}")).await.unwrap();
        let mut url = Url::parse(database).unwrap();
        // PostgreSQL's clients decode %XX but not the + that a form encoder would write.
        url.set_query(Some(&format!("options=-csearch_path%3D{schema}")));
        Self { url: url.into(), schema }
    }

    /// The database's URL; whoever connects with it finds his tables in this schema.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The same for `docket::db`.
    pub(crate) fn config(&self) -> tokio_postgres::Config {
        docket::db::parse_url(&self.url).unwrap()
    }

    /// The schema's name.
    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// A connection of its own.
    pub(crate) async fn connect(&self) -> Client {
        connect(&self.url).await
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
