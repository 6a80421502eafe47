//! Disorder between the ledger and the broker's queues.

use super::{Auditor, accounted, counted, until};
use crate::fleet::toys::{Script, TestFleet, plain};
use docket::fleet::{
    audit::Class,
    job::Band,
    ports::{Ledger, PickRequest},
    settings::Protocol,
};
use reqwest::Method;
use serde_json::json;

/// Queued, as a scheduler would have done it, and never published: as if the queue had been purged.
async fn pick(fleet: &TestFleet, rows: i32) -> usize {
    let kinds = [("plain".to_owned(), 1)];
    let request = PickRequest { lane: "default", rows, aged: 0, kinds: &kinds, bands: &Band::ALL, generation: 1 };
    let ledger = fleet.ledger();
    let messages: Vec<_> = ledger.pick(request).await.unwrap().iter().map(|dispatch| dispatch.message).collect();
    ledger.mark_confirmed(&messages).await.unwrap();
    messages.len()
}

/// As if a scheduler had seen the broker.
async fn broker_is_known(fleet: &TestFleet) {
    fleet.client.batch_execute("update broker_state set generation = 1").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_are_in_no_queue_are_missing_until_a_sweep_brings_them_back() {
    let mut fleet = TestFleet::new().await;
    broker_is_known(&fleet).await;
    fleet.enqueue(&vec![plain(Script::default()); 5]).await;
    assert_eq!(pick(&fleet, 9).await, 5);
    fleet.worker(4).await;
    let auditor = Auditor::start(&fleet);
    let seen = counted(&fleet, Class::Missing, 5).await;
    fleet.scheduler();
    fleet.settled().await;
    accounted(&fleet, Class::Missing, seen).await;
    assert_eq!(fleet.count("select count(*) from jobs where status = 'completed' and failures + losses = 0").await, 5);
    auditor.stop().await;
    fleet.stop().await;
}

/// The one test of the audit by the real constants: R3 waits for a minute, and the audit looks every 15 s.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "more than a minute; scripts/test --all runs it"]
async fn by_the_real_constants_a_purge_is_seen_healed_and_gone() {
    let mut fleet = TestFleet::new().await;
    fleet.protocol = Protocol::default();
    broker_is_known(&fleet).await;
    fleet.broker_has_generation(1).await;
    fleet.enqueue(&vec![plain(Script::default()); 5]).await;
    assert_eq!(pick(&fleet, 9).await, 5);
    fleet.scheduler();
    fleet.worker(4).await;
    let (auditor, purged) = (Auditor::start(&fleet), tokio::time::Instant::now());
    let seen = counted(&fleet, Class::Missing, 5).await;
    until(&fleet, "all accounted for", |verdict| verdict.accounted).await;
    let (back, rescued) =
        (purged.elapsed(), "select count(*) from job_events where event = 'rescued' and actor = 'R3'");
    println!("missing by the real constants: seen after {seen:?}, healed and back to 0 after {back:?} in all");
    assert_eq!(fleet.count(rescued).await, 5);
    fleet.settled().await;
    auditor.stop().await;
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_no_row_are_ghosts_until_a_worker_drops_them() {
    let mut fleet = TestFleet::new().await;
    broker_is_known(&fleet).await;
    for id in 1..=3 {
        let message = json!({"v": 1, "m": id, "jobs": [[1000 + id, 1]]}).to_string();
        fleet.vhost.as_ref().unwrap().publish("docket.default.normal", &message).await;
    }
    let auditor = Auditor::start(&fleet);
    let seen = counted(&fleet, Class::Ghost, 3).await;
    fleet.worker(2).await;
    accounted(&fleet, Class::Ghost, seen).await;
    auditor.stop().await;
    fleet.stop().await;
}

/// Every message that the lane's exchange gets comes back: no queue takes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unbound_queue_is_told_as_unrouted_and_loses_nothing() {
    let mut fleet = TestFleet::new().await;
    fleet.scheduler();
    fleet.worker(4).await;
    let auditor = Auditor::start(&fleet);
    until(&fleet, "a first verdict", |verdict| verdict.accounted).await;
    let vhost = fleet.vhost.as_ref().unwrap();
    let queue = "docket.default.normal";
    let binding = format!("bindings/{}/e/docket.jobs/q/{queue}/{queue}", vhost.name());
    vhost.call(Method::DELETE, &binding, &json!(null)).await;
    let sleepy = Script { run_ms: 50, ..Script::default() };
    fleet.enqueue(&vec![plain(sleepy.clone()); 60]).await;
    fleet.settled().await;
    assert_eq!(fleet.count("select count(*) from jobs where status = 'completed' and failures + losses = 0").await, 60);
    let seen = until(&fleet, "unrouted", |verdict| verdict.unrouted > 0).await;
    let topology = docket::fleet::broker::Topology::new(["default"]).unwrap();
    fleet.vhost.as_ref().unwrap().import(&docket::fleet::broker::definitions(&topology, "/", &[])).await;
    accounted(&fleet, Class::Unrouted, seen).await;
    fleet.enqueue(&vec![plain(sleepy); 20]).await;
    fleet.settled().await;
    let rescued = fleet.count("select count(*) from jobs where status = 'completed'").await;
    assert_eq!((rescued, fleet.count("select max(epoch)::bigint from jobs").await < 20), (80, true), "no storm");
    auditor.stop().await;
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_without_their_copy_are_a_drift_that_r5_mends() {
    let mut fleet = TestFleet::new().await;
    fleet.scheduler();
    fleet.worker(4).await;
    fleet.enqueue(&vec![plain(Script { fail_first: 9, ..Script::default() }); 2]).await;
    fleet.settled().await;
    fleet.dead_depth(2).await;
    fleet.stop_one(0).await;
    let vhost = fleet.vhost.as_ref().unwrap();
    let contents = format!("queues/{}/docket.dead/contents", vhost.name());
    vhost.call(Method::DELETE, &contents, &json!(null)).await;
    let auditor = Auditor::start(&fleet);
    let seen = counted(&fleet, Class::DeadLetterDrift, 2).await;
    fleet.scheduler();
    fleet.dead_depth(2).await;
    accounted(&fleet, Class::DeadLetterDrift, seen).await;
    auditor.stop().await;
    fleet.stop().await;
}

/// docket.dead takes one message and no more, and nobody reads it: the ledger keeps the dead letters.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_dead_queue_keeps_no_job_from_ending_and_is_made_up_for() {
    let mut fleet = TestFleet::new().await;
    let vhost = fleet.vhost.as_ref().unwrap();
    let policy = format!("policies/{}/too-small", vhost.name());
    let small = json!({"pattern": "^docket\\.dead$", "apply-to": "queues", "priority": 99,
        "definition": {"max-length": 1, "overflow": "reject-publish"}});
    vhost.call(Method::PUT, &policy, &small).await;
    fleet.scheduler();
    fleet.worker(4).await;
    let auditor = Auditor::start(&fleet);
    fleet.enqueue(&vec![plain(Script { fail_first: 9, ..Script::default() }); 12]).await;
    fleet.settled().await;
    assert_eq!(fleet.count("select count(*) from jobs where status = 'dead_letter' and failures = 3").await, 12);
    // The limit is a soft one: some more may have slipped in at once.
    let seen = until(&fleet, "a drift", |verdict| verdict.dead_letter_drift > 0).await;
    fleet.vhost.as_ref().unwrap().call(Method::DELETE, &policy, &json!(null)).await;
    let healed = tokio::time::Instant::now();
    fleet.dead_depth(12).await;
    println!("docket.dead complete after {:?}", healed.elapsed());
    accounted(&fleet, Class::DeadLetterDrift, seen).await;
    auditor.stop().await;
    fleet.stop().await;
}
