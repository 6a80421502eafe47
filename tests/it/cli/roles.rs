//! Roles that can't start.

use super::process::docket;
use crate::support::TestDb;
use tokio::net::TcpListener;

async fn refusing() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_directory_that_cant_be_written() {
    docket("dev --dir /proc/x").fails(64, &["/proc/x", "can write"]).await;
}

#[tokio::test]
async fn a_port_in_use() {
    let db = TestDb::migrated().await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (addr, amqp) = (taken.local_addr().unwrap().to_string(), format!("amqp://127.0.0.1:{}", refusing().await));
    let server = docket(&format!("server --http {addr}")).database(db.url()).env("AMQP_URL", &amqp).run().await;
    assert_eq!(server.code, 64, "{server:?}");
    assert!(server.stderr.contains(&addr), "{server:?}");
}

#[tokio::test]
async fn no_broker_and_no_wait() {
    let db = TestDb::migrated().await;
    let amqp = format!("amqp://u:hunter2@127.0.0.1:{}", refusing().await);
    let worker = docket("worker --no-wait").database(db.url()).env("AMQP_URL", &amqp).run().await;
    assert_eq!(worker.code, 69, "{worker:?}");
    assert!(worker.stderr.contains("AMQP_URL"), "{worker:?}");
    assert!(!format!("{worker:?}").contains("hunter2"), "{worker:?}");
}

#[tokio::test]
async fn no_database_and_no_wait() {
    let url = format!("postgres://u:hunter2@127.0.0.1:{}/d", refusing().await);
    for role in ["worker", "scheduler", "server"] {
        let line = format!("{role} --no-wait");
        let ended = docket(&line).database(&url).env("AMQP_URL", "amqp://127.0.0.1:1").run().await;
        assert_eq!(ended.code, 69, "{ended:?}");
        assert!(ended.stderr.contains("DATABASE_URL") && !format!("{ended:?}").contains("hunter2"), "{ended:?}");
    }
}

#[tokio::test]
async fn no_schema() {
    let db = TestDb::new().await;
    let worker = docket("worker").database(db.url()).env("AMQP_URL", "amqp://127.0.0.1:1").run().await;
    assert_eq!(worker.code, 64, "{worker:?}");
    assert!(worker.stderr.contains("docket migrate up"), "{worker:?}");
}
