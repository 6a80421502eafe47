//! Databases on which nothing can be migrated, and what they are told.

use super::{bring, version, version2::version2};
use crate::{
    cli::process::docket,
    support::{TestDb, services, unique},
};
use docket::db::MigrateError;
use url::Url;

#[tokio::test]
async fn a_changed_checksum() {
    let db = version2().await;
    db.connect()
        .await
        .batch_execute("update refinery_schema_history set checksum = '1' where version = 2")
        .await
        .unwrap();
    for command in ["migrate up", "migrate up --dry-run", "migrate plan", "migrate verify --to 2"] {
        docket(command).database(db.url()).fails(70, &["V2__civic", "another text"]).await;
    }
    let status = docket("migrate status").database(db.url()).json().await;
    assert_eq!(status["migrations"][1]["state"], "changed", "{status}");
    assert_eq!(version(&db).await, Some(2));
}

#[tokio::test]
async fn a_newer_database() {
    let db = TestDb::migrated().await;
    let newer = "insert into refinery_schema_history values (9999, 'wings', '2030-01-01T00:00:00Z', '1')";
    db.connect().await.batch_execute(newer).await.unwrap();
    for command in
        ["migrate up", "migrate up --dry-run", "migrate plan", "queue stats", "jobs list", "enqueue sync_city"]
    {
        docket(command).database(db.url()).fails(64, &["9999", "newer docket"]).await;
    }
    docket("migrate verify").database(db.url()).fails(64, &["9999"]).await;
    for role in ["worker", "scheduler", "server"] {
        docket(role).database(db.url()).env("AMQP_URL", "amqp://127.0.0.1:1").run().await.says(64, "newer docket");
    }
    let status = docket("migrate status").database(db.url()).json().await;
    assert_eq!(status["migrations"].as_array().unwrap().last().unwrap()["state"], "unknown", "{status}");
}

#[tokio::test]
async fn an_older_database() {
    let db = version2().await;
    for command in ["queue stats", "jobs list", "dead list", "enqueue sync_city"] {
        docket(command).database(db.url()).fails(64, &["version 2", "docket migrate up"]).await;
    }
    for role in ["worker", "scheduler", "server"] {
        docket(role).database(db.url()).env("AMQP_URL", "amqp://127.0.0.1:1").run().await.says(64, "docket migrate up");
    }
    docket("migrate verify").database(db.url()).fails(64, &["version 2", "--to 2"]).await;
    docket("migrate up --to 9999").database(db.url()).fails(64, &["--to 9999", "up to"]).await;
    let plan = docket("migrate plan").database(db.url()).json().await;
    assert_eq!((&plan["plan"][0]["version"], &plan["plan"][0]["in_steps"]), (&3.into(), &true.into()), "{plan}");
    let told = docket("migrate plan --to 3").database(db.url()).run().await;
    for word in ["add_dlq_support", "jobs_failed and jobs_dead", "ACCESS EXCLUSIVE", "measured: "] {
        assert!(told.stdout.contains(word), "{word}: {told:?}");
    }
}

/// A role that may look and nothing else.
async fn stranger(db: &TestDb) -> String {
    let role = unique("role");
    let make = format!(
        "create role {role} login password 'hunter2'; grant usage on schema {} to {role}; \
         grant select on all tables in schema {} to {role}",
        db.schema(),
        db.schema()
    );
    db.connect().await.batch_execute(&make).await.unwrap();
    let mut url = Url::parse(db.url()).unwrap();
    url.set_username(&role).unwrap();
    url.set_password(Some("hunter2")).unwrap();
    url.into()
}

#[tokio::test]
async fn no_rights() {
    let empty = TestDb::new().await;
    let url = stranger(&empty).await;
    let ended =
        docket("migrate up").database(&url).fails(64, &["permission denied", "grant create", empty.schema()]).await;
    assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
    let old = version2().await;
    let url = stranger(&old).await;
    docket("migrate up").database(&url).fails(64, &["tables' owner"]).await;
    docket("migrate up --dry-run").database(&url).fails(64, &["tables' owner"]).await;
    docket("migrate verify --to 2").database(&url).fails(64, &["grant create on the database"]).await;
    docket("migrate status").database(&url).json().await;
    docket("migrate plan").database(&url).json().await;
    assert_eq!(version(&old).await, Some(2));
}

#[tokio::test]
async fn no_database_and_no_schema() {
    let mut url = Url::parse(&services().await.database_url).unwrap();
    url.set_path("/nowhere");
    for command in ["migrate up", "migrate up --dry-run", "migrate status", "migrate plan", "migrate verify"] {
        docket(command).database(url.as_str()).fails(64, &["nowhere"]).await;
    }
    let nowhere = services().await.database_url.clone() + "?options=-csearch_path%3Dno_such_schema";
    for command in ["migrate up", "migrate up --dry-run", "migrate plan", "migrate verify"] {
        docket(command).database(&nowhere).fails(64, &["no_such_schema", "create the schema"]).await;
    }
}

#[tokio::test]
async fn tables_of_another_program() {
    let db = TestDb::new().await;
    let client = db.connect().await;
    client.batch_execute("create table jobs (id int); create table crates (id int primary key)").await.unwrap();
    docket("migrate up").database(db.url()).fails(64, &["jobs", "schema of its own", db.schema()]).await;
    let left = "select string_agg(relname, ' ' order by relname) from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace";
    let left: String = client.query_one(left, &[]).await.unwrap().get(0);
    assert_eq!(left, "crates jobs refinery_schema_history");

    // What doesn't collide is left alone, and named.
    client.batch_execute("drop table jobs").await.unwrap();
    docket("migrate up").database(db.url()).json().await;
    let found = docket("migrate verify").database(db.url()).json().await;
    let drift = found["drift"].as_array().unwrap();
    assert!(drift.iter().any(|d| d["name"] == "crates" && d["kind"] == "foreign"), "{found}");
}

#[tokio::test]
async fn the_history_of_another_program() {
    let db = TestDb::new().await;
    bring(&db, &[("V1__theirs", "create table theirs (id int)")]).await.unwrap();
    docket("migrate up").database(db.url()).fails(70, &["V1__ledger", "another text"]).await;
}

#[tokio::test]
async fn a_number_that_came_too_late() {
    let db = TestDb::new().await;
    bring(&db, &[("V1__a", "select 1"), ("V3__c", "select 3")]).await.unwrap();
    let late = bring(&db, &[("V1__a", "select 1"), ("V2__b", "select 2"), ("V3__c", "select 3")]).await;
    assert!(matches!(late, Err(MigrateError::Gap(name)) if name == "V2__b"));
}
