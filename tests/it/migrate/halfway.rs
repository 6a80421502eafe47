//! Migrations that stop in the middle, and go on.

use super::{
    bring, bring_to, version,
    version2::{fill, version2},
};
use crate::support::TestDb;
use docket::db::{self, MigrateError};
use std::{process::Stdio, sync::Mutex, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

const FIRST: (&str, &str) = ("V1__table", "create table t (id bigint primary key, a int)");
const STEPS: (&str, &str) = (
    "V2__steps",
    "-- step: transaction\nalter table t add column if not exists b int;\n\
     -- step: batch t.id 10\nupdate t set b = a where id > $1 and id <= $2 and b is null;\n\
     -- step: concurrently\ncreate unique index concurrently if not exists t_b on t (b);\n",
);

/// Rows 1 to 100, of which two have one value.
async fn with_rows() -> TestDb {
    let db = TestDb::new().await;
    bring(&db, &[FIRST]).await.unwrap();
    let rows = "insert into t select n, n from generate_series(1, 100) n; update t set a = 1 where id = 2";
    db.connect().await.batch_execute(rows).await.unwrap();
    db
}

async fn indexes(db: &TestDb) -> Vec<(String, bool)> {
    let sql = "select c.relname::text, i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid \
               where i.indrelid = 't'::regclass order by 1";
    let rows = db.connect().await.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn a_step_that_fails_is_told_and_begun_anew() {
    let db = with_rows().await;
    let error = bring(&db, &[FIRST, STEPS]).await.unwrap_err();
    let said = error.to_string();
    for word in ["V2__steps", "step 3 of 3", "23505", "start again"] {
        assert!(said.contains(word), "{said}");
    }
    assert_eq!(version(&db).await, Some(1));
    assert_eq!(indexes(&db).await, [("t_b".to_owned(), false), ("t_pkey".to_owned(), true)], "a build that failed");

    db.connect().await.batch_execute("update t set a = 2, b = 2 where id = 2").await.unwrap();
    let told = Mutex::default();
    bring_to(&db, &[FIRST, STEPS], None, &told).await.unwrap();
    assert_eq!(version(&db).await, Some(2));
    assert_eq!(indexes(&db).await, [("t_b".to_owned(), true), ("t_pkey".to_owned(), true)]);
    let told = told.into_inner().unwrap().join("\n");
    assert!(told.contains("V2__steps: step 2 of 3: a batch over t") && told.contains("0 rows changed"), "{told}");
}

#[tokio::test]
async fn a_batch_reaches_every_row_once() {
    let db = with_rows().await;
    db.connect()
        .await
        .batch_execute("update t set a = 2 where id = 2; update t set id = id * 1000000007 - 50")
        .await
        .unwrap();
    let told = Mutex::default();
    bring_to(&db, &[FIRST, STEPS], None, &told).await.unwrap();
    let left: i64 =
        db.connect().await.query_one("select count(*) from t where b is distinct from a", &[]).await.unwrap().get(0);
    assert_eq!(left, 0);
    let told = told.into_inner().unwrap().join("\n");
    assert!(told.contains("100 rows changed"), "{told}");
}

#[tokio::test]
async fn a_whole_file_that_fails_leaves_nothing() {
    let db = with_rows().await;
    let bad = ("V2__bad", "create table u (id int);\ninsert into t values (1, 1);");
    let error = bring(&db, &[FIRST, bad]).await.unwrap_err();
    assert!(matches!(&error, MigrateError::Failed { .. }), "{error}");
    assert!(error.to_string().contains("rolled back"), "{error}");
    let there = "select to_regclass('u') is not null";
    assert!(!db.connect().await.query_one(there, &[]).await.unwrap().get::<_, bool>(0));
    assert_eq!(version(&db).await, Some(1));
}

#[tokio::test]
async fn a_lock_that_is_held_is_asked_for_again() {
    let db = with_rows().await;
    let mut reader = db.connect().await;
    let reading = reader.transaction().await.unwrap();
    reading.execute("select 1 from t limit 1", &[]).await.unwrap();
    let told = Mutex::default();
    let files = [FIRST, ("V2__column", "alter table t add column b int")];
    let migrating = bring_to(&db, &files, None, &told);
    let writing = async {
        while told.lock().unwrap().iter().all(|line| !line.contains("letting others pass")) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // Nobody stands in the queue now: a writer passes.
        db.connect().await.execute("update t set a = a where id = 1", &[]).await.unwrap();
        reading.commit().await.unwrap();
    };
    let (migrated, ()) = tokio::join!(migrating, writing);
    migrated.unwrap();
    assert!(told.into_inner().unwrap().join("\n").contains("in a transaction since"), "it says who");
    assert_eq!(version(&db).await, Some(2));
}

#[tokio::test]
async fn two_at_once_apply_each_file_once() {
    let db = version2().await;
    fill(&db.connect().await, 3000).await;
    let config = db.config();
    let (one, other) = tokio::join!(db::migrate(&config), db::migrate(&config));
    let applied = [one.unwrap(), other.unwrap()];
    let versions: Vec<i32> = applied.iter().flatten().map(|m| m.version).collect();
    assert_eq!(versions, (3..=db::newest()).filter(|v| versions.contains(v)).collect::<Vec<_>>());
    assert!(applied.iter().any(Vec::is_empty), "the second finds nothing to do");
    assert_eq!(version(&db).await, Some(db::newest()));
}

#[tokio::test]
async fn who_comes_second_waits_and_says_so() {
    let db = with_rows().await;
    let holder = db.connect().await;
    let lock = "(hashtext('docket.migrate'), hashtext(current_schema()))";
    holder.execute(&format!("select pg_advisory_lock{lock}"), &[]).await.unwrap();
    let told = Mutex::default();
    let files = [FIRST, ("V2__column", "alter table t add column b int")];
    let migrating = bring_to(&db, &files, None, &told);
    let waiting = async {
        while told.lock().unwrap().iter().all(|line| !line.contains("another migration of this schema runs")) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(version(&db).await, Some(1));
        holder.execute(&format!("select pg_advisory_unlock{lock}"), &[]).await.unwrap();
    };
    let (migrated, ()) = tokio::join!(migrating, waiting);
    assert_eq!(migrated.unwrap().len(), 1);
}

/// Runs `docket migrate up` until it says `word`, and kills it there.
async fn killed_at(db: &TestDb, word: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docket"));
    command
        .args(["migrate", "up"])
        .env("DATABASE_URL", db.url())
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    loop {
        let line = lines.next_line().await.unwrap().unwrap_or_else(|| panic!("it ended before it said {word}"));
        if line.contains(word) {
            break;
        }
    }
    child.kill().await.unwrap();
}

#[tokio::test]
async fn killed_at_any_step_it_is_started_again() {
    let db = version2().await;
    fill(&db.connect().await, 50_000).await;
    for word in ["step 1 of 4", "step 2 of 4", "step 3 of 4", "step 4 of 4"] {
        killed_at(&db, word).await;
        // It may just have made it.
        if version(&db).await == Some(2) {
            // Version 2 goes on meanwhile.
            let fail = "with d as (delete from job_messages where id = (select max(id) from jobs where status = 'processing')) \
                        update jobs set status = 'failed', epoch = epoch + 1, finished_at = now() \
                        where id = (select max(id) from jobs where status = 'processing')";
            assert_eq!(db.connect().await.execute(fail, &[]).await.unwrap(), 1);
        }
    }
    db::migrate(&db.config()).await.unwrap();
    assert_eq!(version(&db).await, Some(db::newest()));
    let wrong = "select count(*) from jobs where (failed_at is not null) <> (status in ('failed', 'dead_letter'))";
    assert_eq!(db.connect().await.query_one(wrong, &[]).await.unwrap().get::<_, i64>(0), 0);
    crate::cli::process::docket("migrate verify").database(db.url()).json().await;
}
