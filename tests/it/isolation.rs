//! The support itself: tests that share servers don't meet.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{TestDb, TestVhost};

#[tokio::test]
async fn schemas_are_apart() {
    let (one, other) = (TestDb::new().await, TestDb::new().await);
    let client = one.connect().await;
    client.batch_execute("create table mine (id int)").await.unwrap();
    let schema: String = client.query_one("select current_schema()::text", &[]).await.unwrap().get(0);
    assert_eq!(schema, one.schema());
    assert!(one.url().ends_with(&schema));
    let error = other.connect().await.batch_execute("select * from mine").await.unwrap_err();
    assert_eq!(error.code(), Some(&tokio_postgres::error::SqlState::UNDEFINED_TABLE));
}

#[tokio::test]
async fn migrations_land_in_the_schema() {
    let db = TestDb::migrated().await;
    let client = db.connect().await;
    let sql = "select count(*) from pg_tables where schemaname = $1 and tablename = 'jobs'";
    let tables: i64 = client.query_one(sql, &[&db.schema()]).await.unwrap().get(0);
    assert_eq!(tables, 1);
}

#[tokio::test]
async fn definitions_are_imported_and_hosts_are_apart() {
    let queue = json!({
        "name": "q", "vhost": "somewhere else", "durable": true, "auto_delete": false,
        "arguments": { "x-queue-type": "quorum" },
    });
    let full = TestVhost::new(&json!({ "vhosts": [{ "name": "somewhere else" }], "queues": [queue] })).await;
    let empty = TestVhost::new(&json!({})).await;
    let queues = full.call(Method::GET, &format!("queues/{}", full.name()), &Value::Null).await;
    assert_eq!(queues[0]["name"], "q");
    assert!(full.url().ends_with(full.name()));
    assert_eq!(empty.call(Method::GET, &format!("queues/{}", empty.name()), &Value::Null).await, json!([]));

    let gone = full.name().to_owned();
    full.delete().await;
    let (status, _) = empty.try_call(Method::GET, &format!("vhosts/{gone}"), &Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
