//! Dry runs.

use super::{
    bring, version,
    version2::{fill, version2},
};
use crate::{cli::process::docket, support::TestDb};
use docket::db::{self, MigrateError, MigrationSet, Rehearsal};
use std::time::Duration;

async fn rehearse(db: &TestDb, files: &[(&str, &str)], limit: Duration) -> Result<Rehearsal, MigrateError> {
    db::rehearse(&db.config(), &MigrationSet::of(files).unwrap(), None, limit, &|_| {}).await
}

#[tokio::test]
async fn it_says_what_would_change_and_changes_nothing() {
    let db = version2().await;
    fill(&db.connect().await, 1000).await;
    let run = docket("migrate up --to 3 --dry-run --limit 60").database(db.url()).json().await;
    let statements = run["dry_run"]["statements"].as_array().unwrap();
    let with = |word: &str| statements.iter().find(|s| s["sql"].as_str().unwrap().contains(word)).expect(word);
    let lock = |word: &str| with(word)["locks"].to_string();
    assert_eq!(with("set failed_at = finished_at")["rows"], 100, "the failed ones");
    assert!(lock("share update exclusive").contains(r#""mode":"ShareUpdateExclusiveLock","table":"jobs""#), "{run}");
    assert!(lock("in access exclusive").contains(r#""mode":"AccessExclusiveLock","table":"jobs""#), "{run}");
    assert!(with("jobs_failed")["sql"].as_str().unwrap().starts_with("create index if not exists"), "{run}");
    assert!(statements.iter().all(|s| s["rewritten"] == serde_json::json!([])), "nothing is rewritten: {run}");
    assert!(run["dry_run"]["compared"].as_u64().unwrap() > 100, "{run}");
    assert_eq!(version(&db).await, Some(2));
    let columns = "select count(*) from information_schema.columns where column_name = 'failed_at' and table_schema = current_schema()";
    assert_eq!(db.connect().await.query_one(columns, &[]).await.unwrap().get::<_, i64>(0), 0);
    let text = docket("migrate up --to 3 --dry-run --limit 60").database(db.url()).run().await;
    for word in ["alter table jobs", "100 rows", "AccessExclusiveLock on jobs", "rewritten: none", "nothing changed"] {
        assert!(text.stdout.contains(word), "{word}: {text:?}");
    }
}

#[tokio::test]
async fn a_new_schema_can_be_rehearsed() {
    let db = TestDb::new().await;
    docket("migrate up --dry-run --limit 60").database(db.url()).json().await;
    assert_eq!(version(&db).await, None);
}

#[tokio::test]
async fn a_rewrite_is_named() {
    let db = TestDb::new().await;
    let first = ("V1__t", "create table t (a int); insert into t values (1)");
    bring(&db, &[first]).await.unwrap();
    let run =
        rehearse(&db, &[first, ("V2__wide", "alter table t alter column a type bigint")], Duration::from_mins(1)).await;
    assert_eq!(run.unwrap().statements[0].rewritten, ["t"]);
}

#[tokio::test]
async fn it_ends_in_time_and_at_a_fault() {
    let db = TestDb::new().await;
    let first = ("V1__t", "create table t (a int)");
    bring(&db, &[first]).await.unwrap();
    let slow = [first, ("V2__slow", "select 1; select pg_sleep(60)")];
    let late = rehearse(&db, &slow, Duration::from_secs(5)).await.unwrap_err();
    assert!(matches!(late, MigrateError::Limit { done: 2, .. }) && late.to_string().contains("copy"), "{late}");
    let bad = [first, ("V2__bad", "alter table t add column b int; select 1 / 0")];
    let bad = rehearse(&db, &bad, Duration::from_mins(1)).await.unwrap_err().to_string();
    assert!(bad.contains("statement 2 of the dry run") && bad.contains("division by zero"), "{bad}");
    assert_eq!(version(&db).await, Some(1));
}
