//! Without the broker, with a dead worker, with garbage.

use super::toys::{Script, TestFleet, plain, writer};
use docket::{
    dev::{Services, ServicesSpec},
    fleet::{
        broker::{Topology, definitions},
        job::NewJob,
        ledger::PgLedger,
        ports::{Ledger, WorkerSpec},
    },
};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn without_a_broker_workers_lease_directly() {
    let mut fleet = TestFleet::without_broker().await;
    fleet.scheduler();
    fleet.worker(4).await;
    let failing = Script { fail_first: 1, ..Script::default() };
    let jobs: Vec<NewJob> = (0..40).map(|_| writer(Script::default())).chain([plain(failing)]).collect();
    fleet.enqueue(&jobs).await;
    fleet.settled().await;
    assert_eq!(fleet.count("select count(*) from jobs where status = 'completed'").await, 41);
    assert_eq!(fleet.count("select count(*) from effects").await, 40);
    fleet.stop().await;
}

/// A worker that registers, takes work and is never heard of again.
async fn dead_worker(ledger: &PgLedger, rows: i32) -> usize {
    let spec = WorkerSpec {
        name: "dead".into(),
        slots: 8,
        lanes: vec!["default".into()],
        kinds: vec!["plain".into(), "writer".into()],
    };
    let worker = ledger.register(&spec).await.unwrap();
    ledger.lease(worker, "default", &spec.kinds, rows).await.unwrap().len()
}

#[tokio::test]
async fn a_dead_workers_jobs_come_back_with_a_loss_and_complete_once() {
    let mut fleet = TestFleet::new().await;
    fleet.enqueue(&(0..5).map(|_| writer(Script::default())).collect::<Vec<_>>()).await;
    assert_eq!(dead_worker(&fleet.ledger(), 3).await, 3);
    fleet.scheduler();
    fleet.worker(4).await;
    fleet.settled().await;
    assert_eq!(
        fleet.count("select count(*) from jobs where status = 'completed' and losses = 1 and failures = 0").await,
        3
    );
    assert_eq!(fleet.count("select count(*) from effects").await, 5);
    assert_eq!(fleet.count("select count(*) from workers where state = 'dead'").await, 1);
    fleet.stop().await;
}

#[tokio::test]
async fn a_suspect_is_never_dispatched_and_its_fifth_loss_ends_it() {
    let mut fleet = TestFleet::new().await;
    let ids = fleet.enqueue(&[plain(Script::default()), plain(Script::default())]).await;
    let sql = "update jobs set losses = case when id = $1 then 2 else 4 end";
    fleet.client.execute(sql, &[&ids[0].0]).await.unwrap();
    // The second one kills its worker once more, alone.
    let ledger = fleet.ledger();
    let spec = WorkerSpec { name: "dead".into(), slots: 1, lanes: vec!["default".into()], kinds: vec!["plain".into()] };
    let doomed = ledger.register(&spec).await.unwrap();
    fleet.client.execute("update jobs set priority = 200 where id = $1", &[&ids[1].0]).await.unwrap();
    let taken = ledger.lease_suspect(doomed, "default", &spec.kinds).await.unwrap().unwrap();
    assert_eq!(taken.id, ids[1]);
    assert!(
        ledger.lease(doomed, "default", &spec.kinds, 10).await.unwrap().is_empty(),
        "no suspect by the common lease"
    );
    fleet.scheduler();
    fleet.worker(4).await;
    fleet.settled().await;
    assert_eq!(fleet.row(ids[0]).await, "completed failures=0 losses=2 priority=100");
    assert_eq!(fleet.row(ids[1]).await, "dead_letter failures=0 losses=5 priority=200");
    fleet.dead_depth(1).await;
    fleet.stop().await;
}

#[tokio::test]
async fn garbage_is_quarantined_and_forged_pointers_do_nothing() {
    let mut fleet = TestFleet::new().await;
    fleet.scheduler();
    fleet.worker(4).await;
    let done = fleet.enqueue(&[writer(Script::default())]).await[0];
    fleet.settled().await;
    let vhost = fleet.vhost.as_ref().unwrap();
    let forged =
        json!({"v": 1, "m": 999_999_999, "jobs": [[done.0, 1], [done.0, 3], [4_000_000_000_i64, 1]]}).to_string();
    for payload in ["not json", "", &"[".repeat(70_000), &forged] {
        vhost.publish("docket.default.high", payload).await;
    }
    // And the forged one, which is ahead of its rows.
    fleet.until("four quarantined", "select count(*) = 4 from quarantine").await;
    let more = fleet.enqueue(&[writer(Script::default())]).await[0];
    fleet.settled().await;
    assert_eq!(fleet.row(more).await, "completed failures=0 losses=0 priority=100");
    assert_eq!(fleet.count("select count(*) from effects").await, 2, "once each");
    fleet.stop().await;
}

#[tokio::test]
async fn a_purged_and_a_deleted_queue_heal() {
    let mut fleet = TestFleet::new().await;
    let sleepy = Script { run_ms: 200, ..Script::default() };
    fleet.enqueue(&(0..60).map(|_| plain(sleepy.clone())).collect::<Vec<_>>()).await;
    fleet.scheduler();
    fleet.worker(4).await;
    fleet.until("some are done", "select count(*) >= 4 from jobs where status = 'completed'").await;
    let vhost = fleet.vhost.as_ref().unwrap();
    let queue = format!("queues/{}/docket.default.normal", vhost.name());
    vhost.call(Method::DELETE, &format!("{queue}/contents"), &json!(null)).await;
    fleet.settled().await;
    assert_eq!(fleet.count("select count(*) from jobs where status = 'completed' and failures = 0").await, 60);
    fleet.stop().await;
}

/// The broker gives the consumer to the new queue without a word, takes its deliveries for repeats and drops them.
#[tokio::test]
async fn a_queue_that_is_deleted_and_made_again_at_once_leaves_no_worker_deaf() {
    let mut fleet = TestFleet::new().await;
    fleet.scheduler();
    fleet.worker(2).await;
    let jobs: Vec<NewJob> = (0..20).map(|_| plain(Script::default())).collect();
    fleet.enqueue(&jobs).await;
    fleet.settled().await;
    let vhost = fleet.vhost.as_ref().unwrap();
    let queue = format!("queues/{}/docket.default.normal", vhost.name());
    vhost.call(Method::DELETE, &queue, &json!(null)).await;
    vhost.import(&definitions(&Topology::new(["default"]).unwrap(), "/", &[])).await;
    fleet.enqueue(&jobs).await;
    fleet.settled().await;
    assert_eq!(fleet.count("select count(*) from jobs where status = 'completed'").await, 40);
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wiped_broker_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let topology = Topology::new(["default"]).unwrap();
    let spec = ServicesSpec {
        dir: dir.path().to_owned(),
        keep: false,
        postgres: false,
        rabbitmq: Some(definitions(&topology, "/", &[])),
        durable: false,
    };
    let services = Services::start(spec).await.unwrap();
    services.wait_broker().await.unwrap();
    let mut fleet = TestFleet::on(services.amqp_url().unwrap().to_owned()).await;
    fleet.scheduler();
    fleet.worker(4).await;
    let dead = Script { fail_first: 3, ..Script::default() };
    fleet.enqueue(&[plain(dead.clone()), plain(dead)]).await;
    fleet.settled().await;
    fleet.dead_depth(2).await;

    let sleepy = Script { run_ms: 100, ..Script::default() };
    fleet.enqueue(&(0..300).map(|_| writer(sleepy.clone())).collect::<Vec<_>>()).await;
    fleet.until("some are done", "select count(*) > 20 from effects").await;
    services.rabbitmq().unwrap().wipe().await.unwrap();
    fleet.settled().await;
    assert_eq!(
        fleet.count("select count(*) from jobs where status = 'completed' and failures + losses = 0").await,
        300
    );
    assert_eq!(fleet.count("select count(distinct job_id) from effects").await, 300);
    assert_eq!(fleet.count("select count(*) from effects").await, 300, "once each");
    fleet.dead_depth(2).await;
    fleet.until("a new generation", "select generation = 2 from broker_state").await;
    fleet.stop().await;
    services.stop().await;
}
