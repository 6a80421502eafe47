//! A fleet whose processes may only do what infra/postgres/roles.sql and the broker's accounts grant them.

use super::toys::{Script, TestFleet, plain, writer};
use crate::support::{TestDb, TestLedger, login};
use docket::{
    db,
    fleet::{
        audit::{self, AuditSettings},
        broker::BrokerUser,
        job::{JobId, Status},
        ledger::{
            operate::{cancel, discard, pause_kind, pause_lane, requeue, resume_kind, resume_lane, undo_requeue},
            read,
        },
    },
};
use tokio_postgres::error::SqlState;
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_works_with_the_rights_of_its_roles() {
    let mut fleet = TestFleet::new().await;
    fleet.scheduler_login = login(&fleet.db, "docket_scheduler").await;
    fleet.worker_login = login(&fleet.db, "docket_worker").await;
    let vhost = fleet.vhost.as_ref().unwrap();
    fleet.scheduler_amqp = vhost.account(&BrokerUser::scheduler("scheduler", "s3cret".into())).await;
    fleet.worker_amqp = vhost.account(&BrokerUser::worker("worker", "s3cret".into())).await;
    let producer = db::connect(&login(&fleet.db, "docket_producer").await).await.unwrap();
    // Granting starts from nothing each time, so this comes last.
    fleet
        .client
        .batch_execute("grant insert on effects to docket_worker; grant usage on sequence applies to docket_worker")
        .await
        .unwrap();
    fleet.scheduler();
    let auditor = auditor(&fleet);
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
    fleet
        .until("it is audited", "select coalesce((select (verdict->>'accounted')::boolean from audit_verdict), false)")
        .await;
    auditor.abort();
    fleet.stop_one(worker).await;
    fleet
        .until(
            "the worker has signed off",
            "select not exists (select 1 from workers where state = 'up' and slots > 0)",
        )
        .await;
    fleet.stop().await;
}

/// The audit, with a scheduler's rights in database and broker.
fn auditor(fleet: &TestFleet) -> tokio::task::JoinHandle<()> {
    let pool = db::pool(&fleet.scheduler_login, db::PoolOptions::new(db::PoolPurpose::Engine, 1));
    let settings = AuditSettings::new(fleet.lanes.clone(), &fleet.protocol);
    let (broker, never) = (fleet.broker_as(&fleet.scheduler_amqp), CancellationToken::new());
    tokio::spawn(audit::watch(pool, broker, settings, never))
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
            "insert into audit_verdict (verdict) values ('{}')",
            "update audit_verdict set verdict = '{}'",
            "delete from job_events",
            "update job_events set actor = 'me'",
            "update llm_ledger set cost_micro_usd = 0",
            "update summaries set body = 'bought'",
            "update cities set client = 'elsewhere'",
            "select docket_enqueue('plain')",
        ],
    ),
    (
        "docket_scheduler",
        &["insert into cities default values", "update jobs set output = '1'", "delete from documents"],
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

/// To `status`, with all that the shape of that state asks for.
fn stolen(status: &str, more: &str) -> String {
    let ended = if status == "completed" { "now()" } else { "null" };
    format!(
        "update jobs set status = '{status}', epoch = epoch + 1, finished_at = {ended}, failed_at = null, \
         dead_published_gen = null, message_id = null, hold = null {more} where id = (select max(id) from jobs)"
    )
}

/// A worker may write the status; the guard sees what it makes of it.
#[tokio::test]
async fn a_stolen_worker_revives_nothing_and_moves_no_epoch() {
    let ledger = TestLedger::new().await;
    let worker = db::connect(&login(&ledger.db, "docket_worker").await).await.unwrap();
    let refused = async |sql: &str, code: SqlState| {
        let error = worker.batch_execute(sql).await.expect_err(sql);
        assert_eq!(error.code(), Some(&code), "{sql}: {error}");
    };
    for status in [Status::DeadLetter, Status::Failed] {
        let id = ledger.job_in(status).await;
        refused(&stolen("pending", ""), SqlState::CHECK_VIOLATION).await;
        refused(&stolen("pending", ", round = round + 1"), SqlState::INSUFFICIENT_PRIVILEGE).await;
        refused(&stolen("completed", ""), SqlState::CHECK_VIOLATION).await;
        assert_eq!(ledger.status(id).await, status);
    }
    for status in [Status::Processing, Status::Completed, Status::Pending] {
        let id = ledger.job_in(status).await;
        let epoch = ledger.column(id, "epoch").await;
        for sql in
            ["update jobs set epoch = epoch + 1", "update jobs set epoch = epoch - 1", "update jobs set epoch = 99"]
        {
            refused(sql, SqlState::CHECK_VIOLATION).await;
        }
        assert_eq!(ledger.column(id, "epoch").await, epoch);
    }
}
