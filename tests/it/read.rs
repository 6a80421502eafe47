//! What readers of the ledger see, against a real PostgreSQL.

use crate::support::TestLedger;
use docket::fleet::{
    job::{JobId, NewJob, Status},
    ledger::{operate, read},
};
use serde_json::json;

/// One job in each state, and two that are held, in two lanes.
async fn populate(db: &TestLedger) {
    for status in Status::ALL {
        db.job_in(status).await;
    }
    for hold in ["retry", "breaker"] {
        let id = db.enqueue(NewJob::new("other", &json!({})).expect("JSON").lane("slow")).await;
        db.sql(&format!("update jobs set hold = '{hold}', hold_until = now() where id = {id}")).await;
    }
    db.sql(
        "insert into job_messages (id, band, lane, kind, jobs) values (1, 1, 'default', 'greet', '{2}'); \
         insert into job_messages (id, band, lane, kind, jobs, worker_id) values (2, 1, 'default', 'greet', '{3}', 7); \
         update jobs set created_at = now() - interval '90 s', failed_at = failed_at - interval '30 s'",
    )
    .await;
}

#[tokio::test]
async fn exact_statistics_add_up_to_the_rows() {
    let db = TestLedger::new().await;
    populate(&db).await;
    let stats = read::exact_stats(&db.client).await.expect("works");
    assert!(stats.exact);
    assert_eq!(
        stats.lanes.values().map(read::LaneStats::total).sum::<i64>(),
        db.number("select count(*) from jobs").await
    );
    let lane = &stats.lanes["default"];
    assert_eq!((lane.runnable, lane.queued, lane.processing, lane.failed, lane.dead_letter), (1, 1, 1, 1, 1));
    assert_eq!((lane.completed, lane.cancelled, lane.messages_in_flight), (Some(1), Some(1), 2));
    assert_eq!(stats.lanes["slow"].held, [("breaker".to_owned(), 1), ("retry".to_owned(), 1)].into());
}

#[tokio::test]
async fn cheap_statistics_say_the_same_but_for_history() {
    let db = TestLedger::new().await;
    populate(&db).await;
    let exact = read::exact_stats(&db.client).await.expect("works");
    let cheap = read::queue_stats(&db.client).await.expect("works");
    assert!(!cheap.exact);
    for (name, exact) in exact.lanes {
        let cheap = &cheap.lanes[&name];
        let expected = read::LaneStats {
            completed: None,
            cancelled: None,
            oldest_runnable_age_seconds: cheap.oldest_runnable_age_seconds,
            oldest_dead_letter_age_seconds: cheap.oldest_dead_letter_age_seconds,
            ..exact.clone()
        };
        assert_eq!(*cheap, expected, "{name}");
        for (cheap, exact) in [
            (cheap.oldest_runnable_age_seconds, exact.oldest_runnable_age_seconds),
            (cheap.oldest_dead_letter_age_seconds, exact.oldest_dead_letter_age_seconds),
        ] {
            assert_eq!(cheap.is_some(), exact.is_some());
            assert!((cheap.unwrap_or(0.0) - exact.unwrap_or(0.0)).abs() < 20.0, "{cheap:?} {exact:?}");
        }
    }
}

#[tokio::test]
async fn the_oldest_runnable_job_is_found_below_newer_ones_of_higher_priority() {
    let db = TestLedger::new().await;
    let old = db.enqueue(NewJob::new("greet", &json!({})).expect("JSON").priority(-500)).await;
    db.sql(&format!("update jobs set created_at = now() - interval '1 h' where id = {old}")).await;
    for priority in [900, 100, 0] {
        db.enqueue(NewJob::new("greet", &json!({})).expect("JSON").priority(priority)).await;
    }
    let stats = read::queue_stats(&db.client).await.expect("works");
    assert!(stats.lanes["default"].oldest_runnable_age_seconds.expect("due") >= 3600.0);
    // Lifted a moment ago: it has been due since then, not since it was enqueued.
    db.sql(&format!("update jobs set hold_until = now() where id = {old}")).await;
    let stats = read::queue_stats(&db.client).await.expect("works");
    assert!(stats.lanes["default"].oldest_runnable_age_seconds.expect("due") < 3000.0);
}

#[tokio::test]
async fn an_empty_ledger_has_no_lanes() {
    let db = TestLedger::new().await;
    assert_eq!(read::queue_stats(&db.client).await.expect("works").lanes, [].into());
    assert_eq!(read::exact_stats(&db.client).await.expect("works").lanes, [].into());
}

#[tokio::test]
async fn pages_hold_every_job_once_also_while_new_ones_come() {
    let db = TestLedger::new().await;
    let mut ids = Vec::new();
    for _ in 0..7 {
        ids.push(db.job("greet").await);
    }
    let mut filter = read::JobFilter::default();
    let mut seen = Vec::new();
    loop {
        let page = read::jobs(&db.client, &filter, 3).await.expect("works");
        seen.extend(page.items.iter().map(|job| job.id));
        db.job("greet").await;
        filter.before = page.next;
        if page.next.is_none() {
            break;
        }
    }
    seen.reverse();
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn filters_and_limits() {
    let db = TestLedger::new().await;
    populate(&db).await;
    for status in Status::ALL {
        let filter = read::JobFilter { status: Some(status), lane: Some("default".into()), ..Default::default() };
        let page = read::jobs(&db.client, &filter, 10).await.expect("works");
        assert_eq!(page.items.iter().map(|job| job.status).collect::<Vec<_>>(), [status]);
    }
    let filter = read::JobFilter { kind: Some("other".into()), ..Default::default() };
    assert_eq!(read::jobs(&db.client, &filter, 10).await.expect("works").items.len(), 2);
    assert_eq!(read::jobs(&db.client, &read::JobFilter::default(), -5).await.expect("works").items.len(), 1);
}

#[tokio::test]
async fn dead_letters_page_by_when_they_died() {
    let db = TestLedger::new().await;
    let mut ids = Vec::new();
    for seconds in [30, 10, 20, 10] {
        let id = db.job_in(Status::DeadLetter).await;
        db.sql(&format!("update jobs set failed_at = now() - interval '{seconds} s' where id = {id}")).await;
        ids.push(id);
    }
    let same_time =
        format!("update jobs set failed_at = (select failed_at from jobs where id = {}) where id = {}", ids[1], ids[3]);
    db.sql(&same_time).await;
    db.sql(&format!(
        "update broker_state set generation = 2; update jobs set dead_published_gen = 2 where id = {}",
        ids[3]
    ))
    .await;
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = read::dead_letters(&db.client, before, 1).await.expect("works");
        seen.extend(page.items.iter().map(|dead| (dead.id, dead.in_broker)));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, [(ids[3], true), (ids[1], false), (ids[2], false), (ids[0], false)]);
}

#[tokio::test]
async fn a_jobs_story_newest_first() {
    let db = TestLedger::new().await;
    let id = db.job_in(Status::DeadLetter).await;
    db.sql(&format!(
        "insert into job_attempts (job_id, epoch, round, attempt, outcome, error_class, error) values \
         ({id}, 2, 0, 1, 'retry', 'timeout', 'slow'), ({id}, 4, 0, 2, 'dead_letter', 'timeout', 'slow again')"
    ))
    .await;
    operate::requeue(&db.client, &[id], "ada").await.expect("works");
    let detail = read::job_detail(&db.client, id).await.expect("works").expect("there");
    assert_eq!(detail.job.requeued_from, Some(Status::DeadLetter));
    assert_eq!(detail.args, json!({"n": 1}));
    assert_eq!(detail.history.iter().map(|a| a.outcome.as_str()).collect::<Vec<_>>(), ["dead_letter", "retry"]);
    assert_eq!(detail.events[0].event, "requeued");
    assert_eq!(detail.events[0].actor.as_deref(), Some("ada"));
    assert_eq!(read::job_detail(&db.client, JobId(-1)).await.expect("works"), None);
}

#[tokio::test]
async fn a_first_try_success_tells_its_story_itself() {
    let db = TestLedger::new().await;
    let id = db.job_in(Status::Completed).await;
    let detail = read::job_detail(&db.client, id).await.expect("works").expect("there");
    let attempts: Vec<_> = detail.history.iter().map(|a| (a.epoch, a.attempt, a.outcome.as_str())).collect();
    assert_eq!(attempts, [(2, 1, "completed")]);
}
