//! A job's life, each way that it can end.

use super::toys::{Endless, Script, TestFleet, plain, writer};
use crate::support::{metrics, sum};
use docket::fleet::{
    enqueue::{Enqueued, Notify, enqueue},
    handler::Handler,
    job::{JobId, NewJob, Status},
    ledger::{operate, read},
};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn jobs_complete_with_and_without_effects() {
    let mut fleet = TestFleet::new().await;
    fleet.scheduler();
    fleet.worker(8).await;
    let jobs: Vec<NewJob> = (0..50).flat_map(|_| [plain(Script::default()), writer(Script::default())]).collect();
    let ids = fleet.enqueue(&jobs).await;
    fleet.settled().await;
    assert_eq!(fleet.count("select count(*) from jobs where status = 'completed'").await, 100);
    assert_eq!(fleet.count("select count(*) from effects").await, 50);
    fleet.until("nothing is left in flight", "select not exists (select 1 from job_messages)").await;
    assert_eq!(fleet.count("select count(*) from job_attempts").await, 0, "a first-try success has no attempt row");
    let detail = read::job_detail(&fleet.client, ids[0]).await.unwrap().unwrap();
    assert_eq!(serde_json::to_value(&detail).unwrap()["output"], json!(ids[0].0));
    fleet.stop().await;
}

#[tokio::test]
async fn three_failures_make_a_dead_letter_with_its_copy_and_one_less_makes_a_success() {
    let before = metrics().render();
    let mut fleet = TestFleet::new().await;
    fleet.scheduler();
    fleet.worker(4).await;
    let script = |fail_first| Script { fail_first, ..Script::default() };
    let ids = fleet.enqueue(&[plain(script(3)), plain(script(2)), writer(script(1))]).await;
    fleet.settled().await;
    assert_eq!(fleet.row(ids[0]).await, "dead_letter failures=3 losses=0 priority=-20");
    assert_eq!(fleet.row(ids[1]).await, "completed failures=2 losses=0 priority=40");
    assert_eq!(fleet.row(ids[2]).await, "completed failures=1 losses=0 priority=80");
    fleet.dead_depth(1).await;
    // Other tests of this process count in the same series: at least.
    let after = metrics().render();
    let grew = |series: &str| sum(&after, series) - sum(&before, series);
    assert!(grew("docket_queue_jobs_processed_total{job_type=\"plain\",status=\"retried\"}") >= 4.0);
    assert!(grew("docket_queue_jobs_processed_total{job_type=\"plain\",status=\"dead_letter\"}") >= 1.0);
    assert!(grew("docket_errors_total{") >= 6.0);
    assert!(grew("docket_processing_duration_seconds_count{job_type=\"plain\"}") >= 6.0);

    let history = read::job_detail(&fleet.client, ids[0]).await.unwrap().unwrap();
    let outcomes: Vec<String> = serde_json::to_value(&history).unwrap()["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["outcome"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(outcomes.iter().filter(|o| *o == "retry").count(), 2);
    assert_eq!(outcomes.iter().filter(|o| *o == "dead_letter").count(), 1);

    // Requeued it fails three times more, and the queue still holds one copy: that of its last epoch.
    let acted = operate::requeue(&fleet.client, &ids[..1], "test").await.unwrap();
    assert_eq!(acted.done.len(), 1);
    fleet.settled().await;
    assert_eq!(fleet.row(ids[0]).await, "dead_letter failures=3 losses=0 priority=-20");
    fleet.dead_depth(1).await;
    operate::discard(&fleet.client, &ids[..1], "test").await.unwrap();
    fleet.dead_depth(0).await;
    assert_eq!(fleet.row(ids[0]).await, "cancelled failures=3 losses=0 priority=-20");
    fleet.stop().await;
}

#[tokio::test]
async fn every_other_ending() {
    let mut fleet = TestFleet::new().await;
    fleet.scheduler();
    fleet.worker(8).await;
    let ids = fleet
        .enqueue(&[
            plain(Script { refuse: true, ..Script::default() }),
            plain(Script { panic: true, ..Script::default() }),
            plain(Script { discard: true, ..Script::default() }),
            plain(Script { snooze_ms: 100, ..Script::default() }),
            writer(Script { bad_effects: true, ..Script::default() }),
            Endless::job(&()).unwrap(),
            NewJob::new("plain", &json!("not a script")).unwrap(),
            NewJob { args_version: 99, ..plain(Script::default()) },
        ])
        .await;
    fleet.settled().await;
    let expected = [
        "failed failures=1 losses=0 priority=100",
        "completed failures=1 losses=0 priority=80",
        "cancelled failures=0 losses=0 priority=100",
        "completed failures=0 losses=0 priority=100",
        "completed failures=1 losses=0 priority=80",
        "dead_letter failures=1 losses=0 priority=80",
        "failed failures=1 losses=0 priority=100",
        "failed failures=1 losses=0 priority=100",
    ];
    for (id, expected) in ids.iter().zip(expected) {
        assert_eq!(fleet.row(*id).await, expected, "job {id}");
    }
    assert_eq!(fleet.count("select count(*) from effects").await, 1, "the failed effects left nothing");
    fleet.stop().await;
}

#[tokio::test]
async fn no_attempt_outlasts_the_ceiling_whatever_its_kind_allows() {
    let mut fleet = TestFleet::new().await;
    fleet.protocol.job_timeout = Duration::from_millis(300);
    fleet.scheduler();
    fleet.worker(2).await;
    let endless = Script { run_ms: 600_000, ..Script::default() };
    let ids = fleet.enqueue(&[plain(endless).max_attempts(1), plain(Script::default())]).await;
    fleet.settled().await;
    assert_eq!(fleet.row(ids[0]).await, "dead_letter failures=1 losses=0 priority=80");
    assert_eq!(fleet.row(ids[1]).await, "completed failures=0 losses=0 priority=100");
    let error = "select last_error from jobs where status = 'dead_letter'";
    let error: String = fleet.client.query_one(error, &[]).await.unwrap().get(0);
    assert!(error.contains("300ms"), "{error}");
    fleet.stop().await;
}

#[tokio::test]
async fn a_parent_waits_for_its_children_also_for_dead_ones() {
    let mut fleet = TestFleet::new().await;
    let parent = fleet.enqueue(&[plain(Script::default()).waits_for_children()]).await[0];
    let script = |fail_first, refuse| Script { fail_first, refuse, ..Script::default() };
    let children = [script(0, false), script(3, false), script(0, true), script(1, false)];
    let children: Vec<NewJob> = children.into_iter().map(|s| plain(s).child_of(parent)).collect();
    let ids = fleet.enqueue(&children).await;
    fleet.scheduler();
    fleet.worker(4).await;
    fleet.settled().await;
    let counters = "select format('%s %s', open_children, failed_children) from jobs where parent_id is null";
    let counters: String = fleet.client.query_one(counters, &[]).await.unwrap().get(0);
    assert_eq!(counters, "0 2");
    let last = "select bool_and(c.finished_at <= p.started_at) from jobs c, jobs p where p.id = c.parent_id";
    fleet.until("the parent started after its last child", last).await;
    // The parent has gone on: a requeued child doesn't count again.
    operate::requeue(&fleet.client, &ids[1..2], "test").await.unwrap();
    fleet.settled().await;
    let counters: String = fleet
        .client
        .query_one("select format('%s %s', open_children, failed_children) from jobs where id = $1", &[&parent.0])
        .await
        .unwrap()
        .get(0);
    assert_eq!(counters, "0 2");
    // A parent that gets no children is not forgotten.
    let lonely = fleet.enqueue(&[plain(Script::default()).waits_for_children()]).await[0];
    fleet.settled().await;
    assert_eq!(fleet.row(lonely).await, "completed failures=0 losses=0 priority=100");
    fleet.stop().await;
}

#[tokio::test]
async fn cancel_reaches_a_running_job_and_a_shutdown_costs_nothing() {
    let mut fleet = TestFleet::new().await;
    fleet.protocol.grace = Duration::from_millis(300);
    fleet.scheduler();
    let worker = fleet.worker(4).await;
    let long = Script { run_ms: 60_000, ..Script::default() };
    let ids = fleet.enqueue(&[plain(long.clone()), plain(long)]).await;
    fleet.until("both run", "select count(*) = 2 from jobs where status = 'processing'").await;
    operate::cancel(&fleet.client, &ids[..1], "test").await.unwrap();
    fleet.until("cancelled", "select exists (select 1 from jobs where status = 'cancelled')").await;
    assert_eq!(fleet.row(ids[0]).await, "cancelled failures=0 losses=0 priority=100");
    fleet.stop_one(worker).await;
    assert_eq!(fleet.row(ids[1]).await, "pending failures=0 losses=0 priority=100");
    assert_eq!(fleet.count("select count(*) from workers where state = 'gone' and slots > 0").await, 1);
    fleet.until("no lease is left", "select not exists (select 1 from job_messages where worker_id is not null)").await;
    fleet.stop().await;
}

#[tokio::test]
async fn enqueue_is_idempotent_and_belongs_to_the_callers_transaction() {
    let mut fleet = TestFleet::new().await;
    let keyed = || plain(Script::default()).idempotency_key("once");
    let tx = fleet.client.transaction().await.unwrap();
    enqueue(&tx, &[keyed()], Notify::Yes).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(fleet.count("select count(*) from jobs").await, 0);

    let answers =
        enqueue(&fleet.client, &[plain(Script::default()), keyed(), keyed(), plain(Script::default())], Notify::No)
            .await
            .unwrap();
    let [Enqueued::New(_), Enqueued::New(first), Enqueued::Existing(again, Status::Pending), Enqueued::New(last)] =
        answers[..]
    else {
        panic!("{answers:?}")
    };
    assert_eq!(first, again);
    assert!(last > first);
    fleet.scheduler();
    fleet.worker(2).await;
    fleet.settled().await;
    let after = enqueue(&fleet.client, &[keyed()], Notify::Yes).await.unwrap();
    assert_eq!(after, [Enqueued::Existing(first, Status::Completed)], "never reset");
    assert!(enqueue(&fleet.client, &[keyed().lane("")], Notify::Yes).await.is_err());
    fleet.stop().await;
}

#[tokio::test]
async fn unknown_and_paused_kinds_wait_without_cost_and_go_on() {
    let mut fleet = TestFleet::new().await;
    fleet.scheduler();
    fleet.worker(2).await;
    operate::pause_kind(&fleet.client, "plain", "test").await.unwrap();
    let stranger = NewJob::new("no_such_kind", &json!({})).unwrap();
    let ids: Vec<JobId> = fleet.enqueue(&[stranger, plain(Script::default()), writer(Script::default())]).await;
    fleet.until("held", "select count(*) = 2 from jobs where hold in ('paused', 'unknown_kind')").await;
    fleet.until("others go on", "select count(*) = 1 from jobs where status = 'completed'").await;
    operate::resume_kind(&fleet.client, "plain").await.unwrap();
    fleet.until("resumed", "select count(*) = 2 from jobs where status = 'completed'").await;
    assert_eq!(fleet.row(ids[0]).await, "pending failures=0 losses=0 priority=100");
    fleet.stop().await;
}

#[tokio::test]
async fn the_first_job_of_a_scheduled_pair_waits_for_its_time() {
    let mut fleet = TestFleet::new().await;
    fleet.scheduler();
    fleet.worker(2).await;
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_millis(1500);
    let ids = fleet.enqueue(&[plain(Script::default()).run_at(later), plain(Script::default())]).await;
    fleet.settled().await;
    let early = "select count(*) from jobs where started_at < hold_until";
    assert_eq!(fleet.count(early).await, 0);
    assert_eq!(fleet.row(ids[0]).await, "completed failures=0 losses=0 priority=100");
    fleet.stop().await;
}
