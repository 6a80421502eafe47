//! A database that is not named, away, silent, strict, or empty.

use super::process::docket;
use crate::support::{TestDb, services};
use docket::dev::{Services, ServicesSpec};
use tokio::net::TcpListener;
use url::Url;

/// Each of them needs the database.
const NEED: &[&str] = &[
    "migrate status",
    "enqueue sync_city",
    "jobs list",
    "jobs show 1",
    "dead list",
    "dead requeue 1",
    "dead discard --all --yes",
    "queue stats",
    "lanes list",
    "workers list",
    "lanes pause x",
    "breakers list",
    "breakers close x",
    "cost",
    "cities list",
    "cities coverage",
    "cities courtesy",
    "reparse --vendor granicus --since 1d",
    "cities accept x",
    "cities sync x",
    "matters list",
    "matters show 1",
    "matters audit",
    "matters merge 1 2",
    "matters undo 1",
    "agendas list",
];

#[tokio::test]
async fn not_named() {
    for command in NEED.iter().chain(&["worker", "scheduler", "server"]) {
        docket(command).fails(64, &["DATABASE_URL", "docket dev"]).await;
    }
    docket("queue stats").database("mysql://u:hunter2@localhost/d").fails(64, &["DATABASE_URL", "postgres://"]).await;
}

#[tokio::test]
async fn away() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (url, place) = (format!("postgres://u:hunter2@127.0.0.1:{port}/ledger"), format!("127.0.0.1:{port}"));
    for command in NEED {
        let ended = docket(command).database(&url).fails(69, &[&place, "ledger", "DATABASE_URL"]).await;
        assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
    }
}

#[tokio::test]
async fn silent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // It accepts, as far as the kernel does, and never says a word.
    docket("queue stats").database(&format!("postgres://u@127.0.0.1:{port}/d")).fails(69, &["no answer"]).await;
}

#[tokio::test]
async fn strict() {
    let good = Url::parse(&services().await.database_url).unwrap();
    let mut wrong = good.clone();
    wrong.set_password(Some("hunter2")).unwrap();
    let ended = docket("queue stats").database(wrong.as_str()).fails(64, &["DATABASE_URL", "password"]).await;
    assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
    let mut none = good.clone();
    none.set_password(None).unwrap();
    docket("queue stats").database(none.as_str()).fails(64, &["DATABASE_URL", "password"]).await;
    let mut other = good.clone();
    other.set_path("/nowhere");
    let ended = docket("queue stats").database(other.as_str()).fails(64, &["nowhere"]).await;
    assert!(!ended.stderr.contains(good.password().unwrap()), "{ended:?}");
}

#[tokio::test]
async fn without_a_schema() {
    let db = TestDb::new().await;
    for command in NEED.iter().skip(1) {
        docket(command).database(db.url()).fails(64, &["docket migrate up"]).await;
    }
    let up = docket("migrate up").database(db.url()).json().await;
    assert!(up["migrations"].as_array().is_some_and(|all| !all.is_empty()), "{up}");
    let stats = docket("queue stats").database(db.url()).json().await;
    assert_eq!((&stats["pending"], &stats["completed"]), (&0.into(), &0.into()));
}

#[tokio::test]
async fn of_the_docket_dev_that_runs_here() {
    let dir = tempfile::tempdir().unwrap();
    let spec =
        ServicesSpec { dir: dir.path().join(".docket"), keep: false, postgres: true, rabbitmq: None, durable: false };
    let services = Services::start(spec).await.unwrap();
    let left = std::fs::read_to_string(dir.path().join(".docket/env")).unwrap();
    docket("migrate up").dir(dir.path()).json().await;
    assert_eq!(docket("queue stats").dir(dir.path()).json().await["exact"], true);
    // What is named wins.
    docket("queue stats").dir(dir.path()).database("postgres://u@127.0.0.1:1/d").fails(69, &["127.0.0.1:1"]).await;
    docket("queue stats").dir(dir.path()).env("DATABASE_URL_FILE", "/none").fails(64, &["DATABASE_URL_FILE"]).await;
    services.stop().await;
    // A file that a killed one left is not believed.
    std::fs::write(dir.path().join(".docket/env"), left).unwrap();
    docket("queue stats").dir(dir.path()).fails(64, &["DATABASE_URL", "docket dev", ".docket"]).await;
}
