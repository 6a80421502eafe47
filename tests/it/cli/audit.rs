//! `docket audit`.

use super::process::{Docket, docket};
use crate::{
    broker::support::until,
    edges::process::{PATIENCE, Process},
    support::{TestLedger, TestVhost},
};
use docket::fleet::{
    broker::{Topology, definitions},
    job::Status,
    ledger::operate::pause_lane,
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{sleep, timeout};

fn on(db: &TestLedger, args: &str) -> Docket {
    docket(args).database(&db.url).env("AMQP_URL", "amqp://127.0.0.1:1")
}

async fn keep(db: &TestLedger, verdict: &Value, age: &str) {
    let sql = format!(
        "insert into audit_verdict (judged_at, verdict) values (now() - interval '{age}', $1) \
         on conflict (one) do update set judged_at = excluded.judged_at, verdict = excluded.verdict"
    );
    db.client.execute(&sql, &[verdict]).await.unwrap();
}

fn found() -> Value {
    json!({"accounted": false, "missing": 3, "ghost": 0, "double": 0, "stale_lease": 1, "forgotten": 0, "unrouted": 0,
        "dead_letter_drift": 0, "orphaned": 0, "checked_jobs": 40, "checked_seconds_ago": 0, "unjudged": []})
}

#[tokio::test]
async fn the_schedulers_verdict_is_told_and_is_the_exit_code() {
    let db = TestLedger::new().await;
    keep(&db, &found(), "7 s").await;
    let ended = on(&db, "audit --json").run().await;
    ended.says(65, "4 jobs are not accounted for");
    let told = ended.json_line();
    assert!((7..60).contains(&told["checked_seconds_ago"].as_u64().unwrap()), "{told}");
    assert_eq!(told["missing"], 3);
    let keys = [
        "accounted",
        "missing",
        "ghost",
        "double",
        "stale_lease",
        "forgotten",
        "unrouted",
        "dead_letter_drift",
        "orphaned",
        "checked_jobs",
        "checked_seconds_ago",
    ];
    for key in keys {
        assert!(told.get(key).is_some(), "{key} in {told}");
    }
    let table = on(&db, "audit").run().await;
    assert_eq!(table.code, 65, "{table:?}");
    for word in ["missing", "stale_lease", "R3", "R4", "40 jobs checked"] {
        assert!(table.stdout.contains(word), "{word}: {table:?}");
    }
    assert!(!table.stdout.contains("ghost"), "{table:?}");

    let mut good = found();
    (good["accounted"], good["missing"], good["stale_lease"]) = (true.into(), 0.into(), 0.into());
    keep(&db, &good, "7 s").await;
    let ended = on(&db, "audit").run().await;
    assert!(ended.code == 0 && ended.stdout.starts_with("every job is accounted for: 40 jobs checked"), "{ended:?}");

    (good["accounted"], good["unjudged"]) = (false.into(), json!(["missing", "ghost"]));
    keep(&db, &good, "7 s").await;
    let ended = on(&db, "audit").run().await;
    ended.says(69, "the broker gives no answer");
    assert!(ended.stdout.contains("not judged") && ended.stdout.contains("missing, ghost"), "{ended:?}");
}

#[tokio::test]
async fn without_a_fresh_verdict_it_looks_itself_and_needs_the_broker() {
    let db = TestLedger::new().await;
    on(&db, "audit").fails(69, &["the broker can't be reached", "AMQP_URL"]).await;
    keep(&db, &found(), "1 h").await;
    on(&db, "audit").fails(69, &["the broker can't be reached"]).await;
    let vhost = TestVhost::new(&definitions(&Topology::new(["default"]).unwrap(), "/", &[])).await;
    db.job("greet").await;
    let quick =
        "--set fleet.heartbeat=200ms --set fleet.lease=600ms --set fleet.hand_back=500ms --set fleet.audit=500ms";
    let looked = on(&db, &format!("audit {quick}")).env("AMQP_URL", vhost.url()).json().await;
    assert_eq!((&looked["accounted"], &looked["checked_jobs"]), (&json!(true), &json!(1)), "{looked}");
}

#[tokio::test]
async fn a_deep_audit_wants_a_lane_at_rest_and_gives_back_what_no_message_carries() {
    let db = TestLedger::new().await;
    let vhost = TestVhost::new(&definitions(&Topology::new(["default"]).unwrap(), "/", &[])).await;
    let stray = db.job_in(Status::Queued).await;
    let deep = || on(&db, "audit --deep default").env("AMQP_URL", vhost.url());
    deep().fails(64, &["not paused", "docket lanes pause default"]).await;
    pause_lane(&db.client, "default", "test").await.unwrap();
    db.sql("insert into job_messages (id, band, lane, kind, jobs) values (9, 1, 'default', 'greet', '{}')").await;
    deep().fails(64, &["1 messages in flight"]).await;
    db.sql("delete from job_messages").await;
    let ended = deep().run().await;
    ended.says(65, "1 jobs are not accounted for");
    assert!(ended.stdout.contains("missing"), "{ended:?}");
    assert_eq!(db.status(stray).await, Status::Pending);
    assert_eq!(deep().json().await["accounted"], json!(true), "given back");
}

#[tokio::test]
async fn a_scheduler_exports_every_class_at_0_and_keeps_its_verdict() {
    let db = TestLedger::new().await;
    let vhost = TestVhost::new(&definitions(&Topology::new(["default"]).unwrap(), "/", &[])).await;
    let vars = [
        ("DATABASE_URL", db.url.as_str()),
        ("AMQP_URL", vhost.url()),
        ("DOCKET_AUDIT", "500ms"),
        ("DOCKET_HEARTBEAT", "200ms"),
        ("DOCKET_LEASE", "600ms"),
        ("DOCKET_HAND_BACK", "500ms"),
    ];
    let scheduler = Process::start("scheduler", &vars).await;
    let exported = async {
        loop {
            if let Some((200, page)) = scheduler.get("/metrics").await
                && page.contains("docket_unaccounted_jobs{")
            {
                return page;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    let page = timeout(PATIENCE, exported).await.expect("it exports its verdict");
    for class in docket::fleet::audit::Class::ALL {
        let line = format!("docket_unaccounted_jobs{{class=\"{}\"}} 0", class.as_str());
        assert!(page.lines().any(|l| l == line), "{line} in {page}");
    }
    until("its verdict is kept", || async { db.number("select count(*) from audit_verdict").await > 0 }).await;
    assert_eq!(on(&db, "audit").json().await["accounted"], json!(true));
}
