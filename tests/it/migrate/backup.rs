//! What is written before anything changes, and how it comes back.

use super::{
    version,
    version2::{COLUMNS, fill, version2},
};
use crate::{
    cli::process::docket,
    support::{TestDb, Tiny},
};
use std::{os::unix::fs::PermissionsExt, path::Path, process::Command};

async fn digest(db: &TestDb) -> String {
    let sql = format!("select md5(string_agg(md5(row({COLUMNS})::text), '' order by id)) from jobs");
    let in_flight = "select md5(string_agg(m::text, '' order by id)) from job_messages m";
    let client = db.connect().await;
    let jobs: String = client.query_one(&sql, &[]).await.unwrap().get(0);
    jobs + client.query_one(in_flight, &[]).await.unwrap().get(0)
}

/// As `migrations/README.md` says it.
fn restore(db: &TestDb, file: &Path) {
    let mut psql = Command::new("psql");
    psql.args([
        "--no-psqlrc",
        "--quiet",
        "--output=/dev/null",
        "--single-transaction",
        "--set=ON_ERROR_STOP=1",
        "--file",
    ])
    .arg(file)
    .arg(db.url());
    let output = psql.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn a_backup_brings_version_2_back() {
    let db = version2().await;
    fill(&db.connect().await, 2000).await;
    let (before, dir) = (digest(&db).await, tempfile::tempdir().unwrap());
    let file = dir.path().join("v2.sql");
    let up = format!("migrate up --backup {}", file.display());
    docket(&up).database(db.url()).json().await;
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left there");
    // Work that the backup doesn't know.
    db.connect()
        .await
        .batch_execute(
            "delete from job_attempts; update jobs set priority = 1; insert into jobs (kind) values ('late')",
        )
        .await
        .unwrap();

    restore(&db, &file);
    assert_eq!(version(&db).await, Some(2));
    assert_eq!(digest(&db).await, before);
    let verified = docket("migrate verify --to 2").database(db.url()).json().await;
    assert!(verified["drift"].as_array().unwrap().iter().all(|drift| drift["kind"] == "foreign"), "{verified}");
    docket("migrate up").database(db.url()).json().await;
    docket("migrate verify").database(db.url()).json().await;
    let history = "select count(*) from job_history";
    assert!(db.connect().await.query_one(history, &[]).await.unwrap().get::<_, i64>(0) > 0, "the view is back");
}

#[tokio::test]
async fn no_backup_no_migration() {
    let db = version2().await;
    let dir = tempfile::tempdir().unwrap();
    let there = dir.path().join("there.sql");
    std::fs::write(&there, "mine").unwrap();
    let up = |file: &Path| docket(&format!("migrate up --backup {}", file.display())).database(db.url());
    up(&there).fails(64, &["there.sql", "nothing was changed"]).await;
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "mine");
    up(&dir.path().join("none/v2.sql")).fails(64, &["can't write in", "none"]).await;
    up(Path::new("/proc/v2.sql")).fails(64, &["can't write in", "/proc"]).await;
    up(&dir.path().join("v2.sql")).env("PATH", "/nowhere").fails(64, &["pg_dump", "postgresql-client"]).await;
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "half a file was left");
    assert_eq!(version(&db).await, Some(2));
}

#[tokio::test]
async fn a_full_disk_stops_it_before_anything_changes() {
    let Some(tiny) = Tiny::mount("64k") else {
        eprintln!("skipped: only root may mount a file system to fill");
        return;
    };
    let db = version2().await;
    fill(&db.connect().await, 5000).await;
    let file = tiny.path().join("v2.sql");
    let up = docket(&format!("migrate up --backup {}", file.display())).database(db.url());
    up.fails(70, &["pg_dump", "No space left", "nothing was changed"]).await;
    assert_eq!(std::fs::read_dir(tiny.path()).unwrap().count(), 0, "half a file was left");
    assert_eq!(version(&db).await, Some(2));
}
