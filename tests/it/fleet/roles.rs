//! A fleet whose processes may only do what infra/postgres/roles.sql grants them.

use super::toys::{Script, TestFleet, plain, writer};
use crate::support::{TestDb, login};
use docket::{
    db,
    fleet::{
        job::JobId,
        ledger::{
            operate::{cancel, discard, pause_kind, pause_lane, requeue, resume_kind, resume_lane, undo_requeue},
            read,
        },
    },
};
use tokio_postgres::error::SqlState;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_works_with_the_rights_of_its_roles() {
    let mut fleet = TestFleet::new().await;
    fleet.scheduler_login = login(&fleet.db, "docket_scheduler").await;
    fleet.worker_login = login(&fleet.db, "docket_worker").await;
    let producer = db::connect(&login(&fleet.db, "docket_producer").await).await.unwrap();
    // Granting starts from nothing each time, so this comes last.
    fleet.client.batch_execute("grant insert on effects to docket_worker").await.unwrap();
    fleet.scheduler();
    let worker = fleet.worker(8).await;
    let args = serde_json::to_value(Script::default()).unwrap();
    let outside =
        JobId(producer.query_one("select id from docket_enqueue('plain', $1)", &[&args]).await.unwrap().get(0));
    let jobs = fleet
        .enqueue(&[
            writer(Script::default()),
            writer(Script { bad_effects: true, ..Script::default() }),
            plain(Script { fail_first: 9, ..Script::default() }),
            plain(Script { refuse: true, ..Script::default() }),
            plain(Script { panic: true, ..Script::default() }),
            plain(Script { snooze_ms: 20, ..Script::default() }),
            plain(Script { discard: true, ..Script::default() }),
        ])
        .await;
    fleet.settled().await;
    let mut ends = Vec::new();
    for id in std::iter::once(outside).chain(jobs.iter().copied()) {
        ends.push(fleet.row(id).await.split(' ').next().unwrap().to_owned());
    }
    let expected =
        ["completed", "completed", "completed", "dead_letter", "failed", "completed", "completed", "cancelled"];
    assert_eq!(ends, expected);
    fleet.dead_depth(1).await;
    fleet
        .until("the copy is marked", "select bool_and(dead_published_gen > 0) from jobs where status = 'dead_letter'")
        .await;
    operate(&fleet, jobs[2], jobs[3]).await;
    fleet.stop_one(worker).await;
    fleet
        .until(
            "the worker has signed off",
            "select not exists (select 1 from workers where state = 'up' and slots > 0)",
        )
        .await;
    fleet.stop().await;
}

/// What the API does for operators.
async fn operate(fleet: &TestFleet, dead: JobId, failed: JobId) {
    let server = db::connect(&login(&fleet.db, "docket_server").await).await.unwrap();
    assert!(pause_kind(&server, "plain", "a test").await.unwrap());
    assert_eq!(requeue(&server, &[dead, failed], "a test").await.unwrap().done.len(), 2);
    assert_eq!(undo_requeue(&server, &[failed], "a test").await.unwrap().done.len(), 1);
    assert_eq!(discard(&server, &[failed], "a test").await.unwrap().done.len(), 1);
    assert_eq!(cancel(&server, &[dead], "a test").await.unwrap().done.len(), 1);
    assert!(resume_kind(&server, "plain").await.unwrap());
    assert!(pause_lane(&server, "default", "a test").await.unwrap());
    assert!(resume_lane(&server, "default", "a test").await.unwrap());
    assert!(read::exact_stats(&server).await.is_ok());
    assert!(read::job_detail(&server, dead).await.unwrap().is_some());
}

/// What nobody but the owner may do.
const NOBODY: [&str; 10] = [
    "truncate jobs",
    "drop table job_events",
    "alter table jobs disable trigger job_guard",
    "create table mine (id int)",
    "update refinery_schema_history set version = 1",
    "update jobs set args = '{\"url\":\"http://elsewhere\"}'",
    "update jobs set kind = 'other'",
    "update jobs set base_priority = 1000",
    "update jobs set max_attempts = 99",
    "update job_attempts set outcome = 'completed'",
];

/// What each role may not do besides.
const ABUSES: [(&str, &[&str]); 5] = [
    (
        "docket_worker",
        &[
            "delete from jobs",
            "update jobs set round = 0",
            "update jobs set losses = 0",
            "update jobs set cancel_requested = true",
            "insert into paused_kinds (kind) values ('plain')",
            "update broker_state set generation = 9",
            "delete from documents",
            "update llm_ledger set cost_micro_usd = 0",
            "update summaries set body = 'bought'",
            "update cities set client = 'elsewhere'",
            "select docket_enqueue('plain')",
        ],
    ),
    (
        "docket_scheduler",
        &["insert into jobs (kind) values ('x')", "update jobs set output = '1'", "delete from documents"],
    ),
    (
        "docket_server",
        &[
            "delete from jobs",
            "update jobs set output = '1'",
            "insert into cities default values",
            "delete from workers",
        ],
    ),
    (
        "docket_producer",
        &[
            "select 1 from jobs",
            "insert into jobs (kind) values ('x')",
            "select 1 from documents",
            "select 1 from job_history",
        ],
    ),
    ("docket_viewer", &["insert into jobs (kind) values ('x')", "select docket_enqueue('plain')"]),
];

#[tokio::test]
async fn a_stolen_account_can_do_little() {
    let db = TestDb::migrated().await;
    let owner = db.connect().await;
    owner.batch_execute("insert into jobs (kind) values ('plain')").await.unwrap();
    for (role, abuses) in ABUSES {
        let client = db::connect(&login(&db, role).await).await.unwrap();
        for sql in NOBODY.iter().chain(abuses) {
            let error = client.batch_execute(sql).await.expect_err(sql);
            assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{role}: {sql}: {error}");
        }
    }
    // What the rights allow, the guard judges: a worker needs to write the status.
    let worker = db::connect(&login(&db, "docket_worker").await).await.unwrap();
    let illegal = "update jobs set status = 'completed', epoch = epoch + 1, finished_at = now()";
    assert_eq!(worker.batch_execute(illegal).await.expect_err("illegal").code(), Some(&SqlState::CHECK_VIOLATION));
    let untouched = "select count(*) from jobs where status = 'pending' and epoch = 0";
    assert_eq!(owner.query_one(untouched, &[]).await.unwrap().get::<_, i64>(0), 1);
}
