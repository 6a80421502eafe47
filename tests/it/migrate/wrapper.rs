//! `scripts/migrations/003_add_dlq_support`

use super::{
    version,
    version2::{fill, version2},
};
use crate::{cli::process::docket, support::TestDb};
use std::{
    path::Path,
    process::{Command, Output},
};

fn script(db: &TestDb, arguments: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/migrations/003_add_dlq_support");
    let mut command = Command::new(script);
    command.args(arguments).env("DOCKET", env!("CARGO_BIN_EXE_docket")).env("DATABASE_URL", db.url());
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_rehearses_backs_up_migrates_and_verifies() {
    let db = version2().await;
    fill(&db.connect().await, 2000).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("before-3.sql");
    let arguments = ["--limit", "60", "--backup", file.to_str().unwrap()];
    let output = script(&db, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    for word in ["nothing changed", "backup of", "add_dlq_support", "rules tried"] {
        assert!(said(&output).contains(word), "{word}: {}", said(&output));
    }
    assert_eq!(version(&db).await, Some(3), "3 and no further");
    assert!(std::fs::read_to_string(&file).unwrap().contains("CREATE TABLE"));
    // Again: it says so, and touches nothing.
    let output = script(&db, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("nothing to do"), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_refuses_what_it_isnt_for() {
    let empty = TestDb::new().await;
    let output = script(&empty, &[]);
    assert_eq!(output.status.code(), Some(64), "{}", said(&output));
    assert!(said(&output).contains("docket migrate up"), "{}", said(&output));
    let db = version2().await;
    let output = script(&db, &["--sideways"]);
    assert_eq!(output.status.code(), Some(64), "{}", said(&output));
    // A fault of one of its parts is its own, and stops it.
    let output = script(&db, &["--backup", "/proc/none.sql"]);
    assert_eq!(output.status.code(), Some(64), "{}", said(&output));
    assert_eq!(version(&db).await, Some(2));
    docket("migrate up").database(db.url()).json().await;
    let output = script(&db, &[]);
    assert!(output.status.success() && said(&output).contains("nothing to do"), "{}", said(&output));
    let help = script(&db, &["--help"]);
    assert!(help.status.success() && said(&help).contains("--backup"), "{}", said(&help));
}
