//! Direct leases: fair, woken by notifications, and without a double effect when the broker goes and comes back.

use super::toys::{Script, TestFleet, plain, writer};
use crate::broker::support::Node;
use docket::fleet::{
    job::{JobId, NewJob},
    ledger::operate,
    ports::{Ledger, WorkerSpec},
};
use std::{collections::HashSet, time::Duration};

fn jobs(count: usize, priority: i32) -> Vec<NewJob> {
    (0..count).map(|_| plain(Script::default()).priority(priority)).collect()
}

fn spec() -> WorkerSpec {
    let (lanes, kinds) = (vec!["default".into()], vec!["plain".into()]);
    WorkerSpec { name: "test".into(), slots: 64, lanes, kinds }
}

#[tokio::test]
async fn a_tenth_of_a_lease_is_of_the_oldest_whatever_their_priority() {
    let fleet = TestFleet::without_broker().await;
    // The oldest are the least urgent, on several levels.
    let old: Vec<JobId> = [fleet.enqueue(&jobs(2, 5)).await, fleet.enqueue(&jobs(2, 3)).await].concat();
    let urgent = fleet.enqueue(&jobs(60, 150)).await;
    let ledger = fleet.ledger();
    let worker = ledger.register(&spec()).await.unwrap();
    let lease = async |rows| {
        let leased = ledger.lease(worker, "default", &spec().kinds, rows).await.unwrap();
        leased.into_iter().map(|job| job.id).collect::<HashSet<JobId>>()
    };
    let first = lease(20).await;
    let expected: HashSet<JobId> = urgent[..18].iter().chain(&old[..2]).copied().collect();
    assert_eq!(first, expected, "eighteen by priority, two by age");
    let second = lease(20).await;
    let expected: HashSet<JobId> = urgent[18..36].iter().chain(&old[2..]).copied().collect();
    assert_eq!(second, expected);
    // Nothing is left below: the next in line fill the lease.
    assert_eq!(lease(20).await, urgent[36..56].iter().copied().collect());
    assert_eq!(lease(20).await.len(), 4);
    assert_eq!(lease(20).await.len(), 0);
    assert_eq!(fleet.count("select count(*) from jobs where status = 'processing'").await, 64);
}

#[tokio::test]
async fn nothing_of_a_paused_lane_or_kind_is_leased_by_age_either() {
    let fleet = TestFleet::without_broker().await;
    fleet.enqueue(&jobs(30, 5)).await;
    fleet.enqueue(&[writer(Script::default()).priority(1)]).await;
    let ledger = fleet.ledger();
    let kinds = vec!["plain".to_owned(), "writer".to_owned()];
    let worker = ledger.register(&spec()).await.unwrap();
    operate::pause_lane(&fleet.client, "default", "test").await.unwrap();
    for rows in [1, 10, 40] {
        assert!(ledger.lease(worker, "default", &kinds, rows).await.unwrap().is_empty(), "the lane is paused");
    }
    operate::resume_lane(&fleet.client, "default", "test").await.unwrap();
    operate::pause_kind(&fleet.client, "plain", "test").await.unwrap();
    // One row at a time: it is the turn of the oldest now and then, and none of them may run.
    let leased = ledger.lease(worker, "default", &kinds, 1).await.unwrap();
    assert_eq!(leased.iter().map(|job| job.kind.as_str()).collect::<Vec<_>>(), ["writer"]);
}

#[tokio::test]
async fn without_a_broker_a_notification_wakes_the_worker() {
    let mut fleet = TestFleet::without_broker().await;
    // It never polls within this test.
    fleet.protocol.direct_lease = Duration::from_hours(1);
    fleet.protocol.poll = Duration::from_hours(1);
    fleet.worker(2).await;
    for round in 1..=3 {
        fleet.enqueue(&[plain(Script::default())]).await;
        let done = format!("select count(*) = {round} from jobs where status = 'completed'");
        fleet.until("it was told", &done).await;
    }
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_goes_and_comes_back_doubles_nothing_and_work_goes_on() {
    let node = Node::new().await;
    let mut fleet = TestFleet::on(node.rabbitmq().amqp_url().to_owned()).await;
    fleet.scheduler();
    fleet.worker(8).await;
    let slow = Script { run_ms: 50, ..Script::default() };
    let all: Vec<NewJob> = (0..1500).map(|_| writer(slow.clone())).collect();
    fleet.enqueue(&all).await;
    fleet.until("the broker brings work", "select exists (select 1 from jobs where queued_at < started_at)").await;
    node.rabbitmq().kill9().await;
    let done = "select count(*) from effects";
    let before = fleet.count(done).await;
    fleet.until("work goes on", &format!("select count(*) >= {before} + 300 from effects")).await;
    node.rabbitmq().start().await.unwrap();
    node.rabbitmq().wait().await.unwrap();
    fleet.settled().await;
    assert_eq!(
        fleet.count("select count(*) from jobs where status = 'completed' and failures + losses = 0").await,
        1500
    );
    assert_eq!(
        (fleet.count(done).await, fleet.count("select count(distinct job_id) from effects").await),
        (1500, 1500)
    );
    let direct = fleet.count("select count(*) from jobs where queued_at = started_at").await;
    println!("direct leases: {direct} of 1500");
    assert!(direct >= 300);
    fleet.stop().await;
    node.stop().await;
}
