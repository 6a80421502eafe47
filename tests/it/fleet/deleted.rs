//! A retention of zero: completed jobs go with their completion.

use super::toys::{Script, TestFleet, plain, writer};
use docket::fleet::{
    job::{Band, NewJob},
    ports::{Broker, Dispatch, Ledger, Outgoing, PickRequest, PublishOutcome, Retention},
};
use std::time::Duration;

async fn forgetful() -> TestFleet {
    let mut fleet = TestFleet::new().await;
    fleet.retention = Retention { completed: Duration::ZERO, ..Retention::default() };
    fleet
}

#[tokio::test]
async fn a_completed_job_leaves_nothing_but_its_effects() {
    let mut fleet = forgetful().await;
    fleet.worker(8).await;
    fleet.scheduler();
    let script = |fail_first| Script { fail_first, ..Script::default() };
    let keyed = |job: NewJob| job.idempotency_key("the same key");
    let jobs = [plain(script(0)), plain(script(1)), writer(script(0)), writer(script(2)), plain(script(3))];
    let ids = fleet.enqueue(&[&jobs[..], &[keyed(plain(script(0)))]].concat()).await;
    fleet.settled().await;
    fleet.until("only the dead letter is left", "select count(*) = 1 from jobs").await;
    assert_eq!(fleet.row(ids[4]).await, "dead_letter failures=3 losses=0 priority=-20");
    assert_eq!(fleet.count("select count(*) from effects").await, 2);
    let others = format!("where job_id <> {}", ids[4].0);
    assert_eq!(fleet.count(&format!("select count(*) from job_attempts {others}")).await, 0);
    assert_eq!(fleet.count(&format!("select count(*) from job_events {others}")).await, 0);
    assert_eq!(fleet.count("select count(*) from job_attempts").await, 3, "a dead letter keeps its history");
    fleet.until("nothing is left in flight", "select not exists (select 1 from job_messages)").await;
    let again = fleet.enqueue(&[keyed(plain(script(0)))]).await;
    assert!(again[0] > ids[5], "its key is free again");
    fleet.stop().await;
}

#[tokio::test]
async fn a_parent_goes_on_when_its_children_are_gone() {
    let mut fleet = forgetful().await;
    fleet.worker(8).await;
    fleet.scheduler();
    let parent = fleet.enqueue(&[plain(Script::default()).waits_for_children()]).await[0];
    let child = |fail_first| plain(Script { fail_first, ..Script::default() }).child_of(parent);
    fleet.enqueue(&[child(0), child(1), child(0)]).await;
    fleet.until("all are gone", "select not exists (select 1 from jobs)").await;
    fleet.stop().await;
}

/// It is a duplicate like any other, and no sign that the ledger went back in time.
#[tokio::test]
async fn a_message_of_a_job_that_is_gone_is_dropped() {
    let mut fleet = forgetful().await;
    fleet.broker_has_generation(1).await;
    fleet.client.batch_execute("update broker_state set generation = 1").await.unwrap();
    fleet.enqueue(&[plain(Script::default())]).await;
    let kinds = [("plain".to_owned(), 1)];
    let request =
        PickRequest { lane: "default", rows: 1, aged: 0, kinds: &kinds, bands: &[Band::Normal], generation: 1 };
    let dispatch: Dispatch = fleet.ledger().pick(request).await.unwrap().remove(0);
    fleet.worker(8).await;
    let broker = fleet.broker();
    broker.wait_ready(Duration::from_mins(1)).await.unwrap();
    for _ in 0..2 {
        let outcome = broker.publish(Outgoing::Jobs(dispatch.clone())).await;
        assert_eq!(outcome, PublishOutcome::Confirmed);
        fleet.until("it is gone", "select not exists (select 1 from jobs)").await;
    }
    fleet.scheduler();
    fleet.enqueue(&[plain(Script::default())]).await;
    fleet.until("work goes on", "select not exists (select 1 from jobs)").await;
    assert_eq!(fleet.count("select count(*) from quarantine").await, 0);
    broker.shutdown().await;
    fleet.stop().await;
}
