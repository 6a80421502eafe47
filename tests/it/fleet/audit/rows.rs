//! Disorder among the ledger's own rows.

use super::{Auditor, accounted, counted, until};
use crate::fleet::toys::{Script, TestFleet, plain};
use docket::fleet::{
    audit::{Class, DeepError, deep},
    job::Band,
    ledger::operate,
    ports::{Ledger, PickRequest, WorkerSpec},
};

async fn pick(fleet: &TestFleet, rows: i32) {
    let kinds = [("plain".to_owned(), 1)];
    let request = PickRequest { lane: "default", rows, aged: 0, kinds: &kinds, bands: &Band::ALL, generation: 1 };
    fleet.ledger().pick(request).await.unwrap();
}

/// A worker that takes work and is never heard of again.
async fn dead_worker(fleet: &TestFleet, rows: i32) -> i64 {
    let (lanes, kinds) = (vec!["default".into()], vec!["plain".into()]);
    let spec = WorkerSpec { name: "dead".into(), slots: 8, lanes, kinds };
    let ledger = fleet.ledger();
    let worker = ledger.register(&spec).await.unwrap();
    let leased = ledger.lease(worker, "default", &spec.kinds, rows).await.unwrap().len();
    assert_eq!(i32::try_from(leased), Ok(rows));
    worker.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_workers_rows_are_stale_leases_until_r4_takes_them() {
    let mut fleet = TestFleet::new().await;
    fleet.enqueue(&vec![plain(Script::default()); 5]).await;
    dead_worker(&fleet, 3).await;
    let auditor = Auditor::start(&fleet);
    let seen = counted(&fleet, Class::StaleLease, 3).await;
    fleet.scheduler();
    fleet.worker(4).await;
    fleet.settled().await;
    accounted(&fleet, Class::StaleLease, seen).await;
    assert_eq!(fleet.count("select count(*) from jobs where status = 'completed'").await, 5);
    auditor.stop().await;
    fleet.stop().await;
}

/// The same job in a second message, and another under a second name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_in_two_messages_or_under_two_names_is_double_and_runs_once() {
    let mut fleet = TestFleet::new().await;
    let ids = fleet.enqueue(&vec![plain(Script::default()); 2]).await;
    let worker = dead_worker(&fleet, 1).await;
    pick(&fleet, 9).await;
    let twice = format!(
        "insert into job_messages (id, band, lane, kind, broker_gen, jobs) values (-5, 1, 'default', 'plain', 1, '{{{}}}'); \
         update job_messages set worker_id = {} where worker_id = {worker}",
        ids[1].0,
        worker + 1000
    );
    fleet.client.batch_execute(&twice).await.unwrap();
    let auditor = Auditor::start(&fleet);
    let seen = counted(&fleet, Class::Double, 2).await;
    fleet.scheduler();
    fleet.worker(4).await;
    fleet.settled().await;
    accounted(&fleet, Class::Double, seen).await;
    assert_eq!(fleet.count("select count(*) from jobs where status = 'completed' and failures = 0").await, 2);
    auditor.stop().await;
    fleet.stop().await;
}

/// Somebody locks the first of the line: the scheduler skips it, and the others go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_somebody_locks_is_forgotten_and_told() {
    let mut fleet = TestFleet::new().await;
    let ids = fleet.enqueue(&vec![plain(Script::default()); 4]).await;
    let mut other = fleet.db.connect().await;
    let tx = other.transaction().await.unwrap();
    tx.execute("select 1 from jobs where id = $1 for update", &[&ids[0].0]).await.unwrap();
    fleet.scheduler();
    fleet.worker(4).await;
    let auditor = Auditor::start(&fleet);
    let seen = counted(&fleet, Class::Forgotten, 1).await;
    fleet.until("the others go on", "select count(*) = 3 from jobs where status = 'completed'").await;
    tx.rollback().await.unwrap();
    fleet.settled().await;
    accounted(&fleet, Class::Forgotten, seen).await;
    auditor.stop().await;
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parents_that_count_wrongly_are_counted_again_and_go_on() {
    let mut fleet = TestFleet::new().await;
    let parents = fleet.enqueue(&vec![plain(Script::default()).waits_for_children(); 2]).await;
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let children: Vec<_> = parents.iter().map(|id| plain(Script::default()).child_of(*id).run_at(later)).collect();
    let children = fleet.enqueue(&children).await;
    // One waits for a child too many, the other for one that is gone.
    let wrong = format!(
        "update jobs set open_children = 2 where id = {}; delete from jobs where id = {}",
        parents[0].0, children[1].0
    );
    fleet.client.batch_execute(&wrong).await.unwrap();
    let auditor = Auditor::start(&fleet);
    let seen = counted(&fleet, Class::Orphaned, 2).await;
    fleet.scheduler();
    fleet.worker(4).await;
    fleet
        .until(
            "the childless one goes on",
            &format!("select status = 'completed' from jobs where id = {}", parents[1].0),
        )
        .await;
    accounted(&fleet, Class::Orphaned, seen).await;
    let open = format!("select open_children::bigint from jobs where id = {}", parents[0].0);
    assert_eq!(fleet.count(&open).await, 1);
    assert_eq!(
        fleet.count("select count(*) from job_events where event = 'children_recounted' and actor = 'audit'").await,
        2
    );
    fleet.client.execute("update jobs set hold_until = now() where id = $1", &[&children[0].0]).await.unwrap();
    fleet.settled().await;
    auditor.stop().await;
    fleet.stop().await;
}

/// No sweep reads a row that no message carries; the deep audit reads them all, on a lane that rests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_no_message_carries_are_found_by_the_deep_audit_alone() {
    let mut fleet = TestFleet::new().await;
    fleet.client.batch_execute("update broker_state set generation = 1").await.unwrap();
    fleet.enqueue(&vec![plain(Script::default()); 3]).await;
    dead_worker(&fleet, 1).await;
    pick(&fleet, 1).await;
    let broker = fleet.broker();
    broker.wait_ready(std::time::Duration::from_mins(1)).await.unwrap();
    let refused = deep(&fleet.client, &broker, "default").await;
    assert!(matches!(refused, Err(DeepError::NotPaused { .. })), "{refused:?}");
    operate::pause_lane(&fleet.client, "default", "test").await.unwrap();
    let refused = deep(&fleet.client, &broker, "default").await;
    assert!(matches!(refused, Err(DeepError::InFlight { messages: 2, .. })), "{refused:?}");
    fleet.client.batch_execute("delete from job_messages; update workers set state = 'gone'").await.unwrap();

    let auditor = Auditor::start(&fleet);
    until(&fleet, "a verdict that is blind to them", |verdict| verdict.accounted).await;
    auditor.stop().await;

    let found = deep(&fleet.client, &broker, "default").await.unwrap();
    assert_eq!((found.missing, found.stale_lease, found.checked_jobs, found.accounted), (1, 1, 3, false), "{found:?}");
    let again = deep(&fleet.client, &broker, "default").await.unwrap();
    assert!(again.unaccounted() == 0 && again.checked_jobs == 3, "{again:?}");
    assert_eq!(fleet.count("select count(*) from jobs where status = 'pending' and failures + losses = 0").await, 3);
    assert_eq!(fleet.count("select count(*) from job_events where event = 'rescued' and actor = 'audit'").await, 2);
    broker.shutdown().await;
    operate::resume_lane(&fleet.client, "default", "test").await.unwrap();
    fleet.scheduler();
    fleet.worker(2).await;
    fleet.settled().await;
    fleet.stop().await;
}
