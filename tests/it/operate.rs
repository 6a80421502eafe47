//! What the schema refuses, what operators may do, and what readers see, against a real PostgreSQL.

use crate::support::TestLedger;
use docket::fleet::{
    job::{JobId, NewJob, Status, is_legal},
    ledger::operate::{self, Acted, OperateError, Refused, RefusedBecause},
};
use serde_json::json;

// ------------------------------------------------------------------------------------------------ the guard

#[tokio::test]
async fn postgresql_accepts_exactly_the_legal_transitions() {
    let db = TestLedger::new().await;
    for from in Status::ALL {
        for to in Status::ALL {
            let id = db.job_in(from).await;
            judge(&db, id, from, to, None).await;
        }
    }
}

#[tokio::test]
async fn postgresql_lets_an_undo_return_only_where_the_job_came_from() {
    let db = TestLedger::new().await;
    for requeued_from in Status::ALL {
        for to in Status::ALL {
            let id = db.job("greet").await;
            db.sql(&format!("update jobs set requeued_from = '{requeued_from}' where id = {id}")).await;
            judge(&db, id, Status::Pending, to, Some(requeued_from)).await;
        }
    }
}

async fn judge(db: &TestLedger, id: JobId, from: Status, to: Status, requeued_from: Option<Status>) {
    let result = db.step(id, to, 1).await;
    let legal = is_legal(from, to, requeued_from);
    assert_eq!(result.is_ok(), legal, "{from} to {to}, requeued from {requeued_from:?}: {result:?}");
    if let Err(error) = result {
        assert_eq!(error.as_db_error().and_then(|e| e.constraint()), Some("job_guard"), "{from} to {to}");
    }
}

#[tokio::test]
async fn the_epoch_moves_by_one_and_only_with_the_status() {
    let db = TestLedger::new().await;
    for epochs in [-1, 0, 2] {
        let id = db.job_in(Status::Queued).await;
        assert!(db.step(id, Status::Processing, epochs).await.is_err(), "epoch + {epochs}");
    }
    let id = db.job("greet").await;
    assert!(db.client.execute("update jobs set epoch = epoch + 1 where id = $1", &[&id.0]).await.is_err());
    let born_done = "insert into jobs (kind, status, finished_at) values ('x', 'completed', now())";
    assert!(db.client.execute(born_done, &[]).await.is_err());
}

// ------------------------------------------------------------------------------------------------ requeue, undo

fn refused(acted: &Acted) -> Vec<(JobId, RefusedBecause)> {
    acted.refused.iter().map(|Refused { id, because }| (*id, *because)).collect()
}

async fn dead(db: &TestLedger) -> JobId {
    let id = db.job_in(Status::DeadLetter).await;
    db.sql(&format!(
        "update jobs set failures = 3, losses = 1, priority = -20, error_class = 'timeout', last_error = 'no answer', \
         dead_published_gen = 4, created_at = now() - interval '30 days' where id = {id}"
    ))
    .await;
    id
}

async fn dead_left(db: &TestLedger) -> i64 {
    db.number("select dead_left from broker_state").await
}

#[tokio::test]
async fn a_requeue_starts_a_new_round() {
    let db = TestLedger::new().await;
    let id = dead(&db).await;
    let acted = operate::requeue(&db.client, &[id, id], "ada").await.expect("works");
    assert_eq!(acted.done.len(), 1);
    assert_eq!((acted.done[0].id, acted.done[0].epoch, acted.done[0].status), (id, 4, Status::Pending));
    assert_eq!(acted.refused, []);
    let row = "status || ' ' || failures || ' ' || losses || ' ' || priority || ' ' || round || ' ' || requeued_from || ' ' || due";
    assert_eq!(db.column(id, row).await.as_deref(), Some("pending 0 0 100 1 dead_letter true"));
    for cleared in ["failed_at", "dead_published_gen", "finished_at", "message_id", "hold"] {
        assert_eq!(db.column(id, cleared).await, None, "{cleared}");
    }
    assert_eq!(db.column(id, "last_error").await.as_deref(), Some("no answer"), "people still see why");
    assert_eq!(dead_left(&db).await, 1);
    assert_eq!(db.number("select count(*) from job_events where event = 'requeued' and actor = 'ada'").await, 1);
    let age = "select (extract(epoch from now() - hold_until) < 60)::int::bigint from jobs";
    assert_eq!(db.number(age).await, 1, "it has been due since now, not for 30 days: an alert would fire");
}

#[tokio::test]
async fn an_undo_brings_back_what_the_requeue_took() {
    let db = TestLedger::new().await;
    let (dead, failed) = (dead(&db).await, db.job_in(Status::Failed).await);
    operate::requeue(&db.client, &[dead, failed], "ada").await.expect("works");
    // The scheduler may have held it meanwhile.
    db.sql(&format!("update jobs set hold = 'paused' where id = {dead}")).await;
    let acted = operate::undo_requeue(&db.client, &[dead, failed], "ada").await.expect("works");
    assert_eq!(acted.done.iter().map(|d| d.status).collect::<Vec<_>>(), [Status::DeadLetter, Status::Failed]);
    let row =
        "status || ' ' || failures || ' ' || losses || ' ' || priority || ' ' || round || ' ' || dead_published_gen";
    assert_eq!(
        db.column(dead, row).await.as_deref(),
        Some("dead_letter 3 1 -20 0 0"),
        "without a mark: R5 publishes it"
    );
    assert_eq!(db.column(failed, "dead_published_gen").await, None);
    assert_eq!(dead_left(&db).await, 1, "it left once; coming back is no leaving");
    let again = operate::undo_requeue(&db.client, &[dead], "ada").await.expect("works");
    assert_eq!(refused(&again), [(dead, RefusedBecause::WrongStatus { status: Status::DeadLetter })]);
}

#[tokio::test]
async fn what_has_started_or_was_never_requeued_is_not_undone() {
    let db = TestLedger::new().await;
    let (started, plain) = (dead(&db).await, db.job("greet").await);
    operate::requeue(&db.client, &[started], "ada").await.expect("works");
    db.bring(started, Status::Processing).await;
    db.sql(&format!("update jobs set requeued_from = null where id = {started}")).await;
    let acted = operate::undo_requeue(&db.client, &[started, plain], "ada").await.expect("works");
    assert_eq!(
        refused(&acted),
        [(started, RefusedBecause::WrongStatus { status: Status::Processing }), (plain, RefusedBecause::NotRequeued)]
    );
    db.step(started, Status::Pending, 1).await.expect("legal");
    let acted = operate::undo_requeue(&db.client, &[started], "ada").await.expect("works");
    assert_eq!(refused(&acted), [(started, RefusedBecause::NotRequeued)], "it has started since");
}

#[tokio::test]
async fn requeue_and_discard_take_only_what_has_failed() {
    let db = TestLedger::new().await;
    let mut others = Vec::new();
    for status in Status::ALL.into_iter().filter(|s| !matches!(s, Status::Failed | Status::DeadLetter)) {
        others.push((db.job_in(status).await, RefusedBecause::WrongStatus { status }));
    }
    others.push((JobId(i64::MAX), RefusedBecause::NotFound));
    let ids: Vec<JobId> = others.iter().map(|(id, _)| *id).collect();
    for acted in [
        operate::requeue(&db.client, &ids, "ada").await.expect("works"),
        operate::discard(&db.client, &ids, "ada").await.expect("works"),
    ] {
        assert_eq!(acted.done, []);
        assert_eq!(refused(&acted), others);
    }
    let nothing = operate::requeue(&db.client, &[], "ada").await.expect("works");
    assert_eq!(nothing, Acted::default());
    assert_eq!(dead_left(&db).await, 0);
}

#[tokio::test]
async fn a_discard_ends_what_has_failed() {
    let db = TestLedger::new().await;
    let (dead, failed) = (dead(&db).await, db.job_in(Status::Failed).await);
    let acted = operate::discard(&db.client, &[dead, failed], "ada").await.expect("works");
    assert_eq!(acted.done.len(), 2);
    assert_eq!((db.status(dead).await, db.status(failed).await), (Status::Cancelled, Status::Cancelled));
    assert_eq!(dead_left(&db).await, 1);
}

#[tokio::test]
async fn all_dead_letters_of_a_kind_in_several_batches() {
    let db = TestLedger::new().await;
    let many = i64::try_from(2 * operate::BATCH + 1).expect("fits");
    db.sql(&format!(
        "insert into jobs (kind) select case when n % 2 = 0 then 'even' else 'odd' end from generate_series(1, {many} * 2) n; \
         update jobs set status = 'processing', epoch = 1, message_id = 1, worker_id = 1, started_at = now(); \
         update jobs set status = 'dead_letter', epoch = 2, finished_at = now(), failed_at = now(), dead_published_gen = 0"
    ))
    .await;
    let ids = operate::dead_of_kind(&db.client, "odd", 100_000).await.expect("works");
    let acted = operate::requeue(&db.client, &ids, "ada").await.expect("works");
    assert_eq!(acted.done.len(), 2 * operate::BATCH + 1);
    assert_eq!(db.number("select count(*) from jobs where status = 'dead_letter' and kind = 'even'").await, many);
    assert_eq!(dead_left(&db).await, many);
    assert_eq!(operate::dead_of_kind(&db.client, "odd", 10).await.expect("works"), []);
}

#[tokio::test]
async fn two_operators_at_once_requeue_a_job_once() {
    let db = TestLedger::new().await;
    let other = db.connect().await;
    for _ in 0..20 {
        let id = dead(&db).await;
        let ids = [id];
        let (one, two) = tokio::join!(operate::requeue(&db.client, &ids, "ada"), operate::requeue(&other, &ids, "bob"));
        let done = one.expect("works").done.len() + two.expect("works").done.len();
        assert_eq!(done, 1);
        assert_eq!(db.column(id, "round || ' ' || epoch").await.as_deref(), Some("1 4"));
    }
    assert_eq!(dead_left(&db).await, 20);
}

// ------------------------------------------------------------------------------------------------ cancel, pause

#[tokio::test]
async fn a_cancel_ends_what_waits_and_asks_what_runs() {
    let db = TestLedger::new().await;
    let mut ids = Vec::new();
    for status in Status::ALL {
        ids.push(db.job_in(status).await);
    }
    let held = db.job("greet").await;
    db.sql(&format!("update jobs set hold = 'breaker', hold_key = 'h', hold_until = now() where id = {held}")).await;
    ids.push(held);
    let acted = operate::cancel(&db.client, &ids, "ada").await.expect("works");
    let done: Vec<(JobId, Status)> = acted.done.iter().map(|d| (d.id, d.status)).collect();
    assert_eq!(
        done,
        [
            (ids[0], Status::Cancelled),
            (ids[1], Status::Cancelled),
            (ids[2], Status::Processing),
            (held, Status::Cancelled)
        ]
    );
    let running = "cancel_requested || ' ' || epoch";
    assert_eq!(db.column(ids[2], running).await.as_deref(), Some("true 2"), "its worker keeps the fence");
    let asked = "select count(*) from job_events where event = 'cancel_asked'";
    assert_eq!(db.number(asked).await, 1);
    let wrong = |i: usize, status| (ids[i], RefusedBecause::WrongStatus { status });
    assert_eq!(
        refused(&acted),
        [
            wrong(3, Status::Completed),
            wrong(4, Status::Failed),
            wrong(5, Status::DeadLetter),
            wrong(6, Status::Cancelled)
        ]
    );
    let again = operate::cancel(&db.client, &ids[2..3], "ada").await.expect("works");
    assert_eq!(refused(&again), [(ids[2], RefusedBecause::AlreadyAsked)]);
}

#[tokio::test]
async fn a_cancelled_queued_job_can_no_longer_be_claimed() {
    let db = TestLedger::new().await;
    let id = db.job_in(Status::Queued).await;
    operate::cancel(&db.client, &[id], "ada").await.expect("works");
    let claim = "update jobs set status = 'processing', epoch = epoch + 1, worker_id = 1, started_at = now() \
                 where id = $1 and epoch = 1";
    assert_eq!(db.client.execute(claim, &[&id.0]).await.expect("no error"), 0, "its pointer carries a past epoch");
}

#[tokio::test]
async fn pausing_and_resuming_a_kind() {
    let db = TestLedger::new().await;
    assert!(operate::pause_kind(&db.client, "greet", "ada").await.expect("works"));
    assert!(!operate::pause_kind(&db.client, "greet", "bob").await.expect("works"), "it is paused already");
    let paused = operate::paused(&db.client).await.expect("works");
    assert_eq!(
        paused.iter().map(|p| (p.kind.as_str(), p.actor.as_deref())).collect::<Vec<_>>(),
        [("greet", Some("ada"))]
    );
    assert!(operate::resume_kind(&db.client, "greet").await.expect("works"));
    assert!(!operate::resume_kind(&db.client, "greet").await.expect("works"));
    for name in ["", "a\nb", &"x".repeat(513)] {
        let result = operate::pause_kind(&db.client, name, "ada").await;
        assert!(matches!(result, Err(OperateError::Name { .. })), "{name:?}");
    }
}

// ------------------------------------------------------------------------------------------------ children

/// A parent that waits for two children; the first is dead, and counted.
async fn family(db: &TestLedger) -> (JobId, JobId, JobId) {
    let parent = db.enqueue(NewJob::new("join", &json!({})).expect("JSON").waits_for_children()).await;
    let child = || NewJob::new("greet", &json!({})).expect("JSON").child_of(parent);
    let (one, two) = (db.enqueue(child()).await, db.enqueue(child()).await);
    db.bring(one, Status::DeadLetter).await;
    db.sql(&format!(
        "update jobs set counted = true where id = {one}; \
         update jobs set open_children = open_children - 1, failed_children = failed_children + 1 where id = {parent}"
    ))
    .await;
    assert_eq!(counts(db, parent).await, "1 open 1 failed children");
    (parent, one, two)
}

async fn counts(db: &TestLedger, parent: JobId) -> String {
    let text = "open_children || ' open ' || failed_children || ' failed ' || coalesce(hold::text, '-')";
    db.column(parent, text).await.expect("a parent")
}

async fn counted(db: &TestLedger, id: JobId) -> bool {
    db.column(id, "counted").await.as_deref() == Some("true")
}

#[tokio::test]
async fn a_requeued_child_is_waited_for_again_and_its_undo_reverses_it() {
    let db = TestLedger::new().await;
    let (parent, one, _) = family(&db).await;
    operate::requeue(&db.client, &[one], "ada").await.expect("works");
    assert_eq!((counts(&db, parent).await.as_str(), counted(&db, one).await), ("2 open 0 failed children", false));
    operate::undo_requeue(&db.client, &[one], "ada").await.expect("works");
    assert_eq!((counts(&db, parent).await.as_str(), counted(&db, one).await), ("1 open 1 failed children", true));
    operate::discard(&db.client, &[one], "ada").await.expect("works");
    assert_eq!(counts(&db, parent).await, "1 open 1 failed children", "from terminal to terminal counts nothing");
}

#[tokio::test]
async fn a_parent_that_has_gone_on_keeps_what_it_counted() {
    let db = TestLedger::new().await;
    let (parent, one, _) = family(&db).await;
    db.sql(&format!("update jobs set hold = null where id = {parent}")).await;
    db.bring(parent, Status::Processing).await;
    operate::requeue(&db.client, &[one], "ada").await.expect("works");
    assert_eq!((counts(&db, parent).await.as_str(), counted(&db, one).await), ("1 open 1 failed -", true));
    operate::undo_requeue(&db.client, &[one], "ada").await.expect("works");
    assert_eq!(counts(&db, parent).await, "1 open 1 failed -", "it was counted before");
}

#[tokio::test]
async fn a_cancelled_child_counts_once_as_failed() {
    let db = TestLedger::new().await;
    let (parent, one, two) = family(&db).await;
    // Requeued and cancelled: up, and down again.
    operate::requeue(&db.client, &[one], "ada").await.expect("works");
    operate::cancel(&db.client, &[one], "ada").await.expect("works");
    assert_eq!(counts(&db, parent).await, "1 open 1 failed children");
    operate::cancel(&db.client, &[two], "ada").await.expect("works");
    assert_eq!((counts(&db, parent).await.as_str(), counted(&db, two).await), ("0 open 2 failed -", true));
    let freed = "due and hold_until between now() - interval '1 min' and now()";
    assert_eq!(db.column(parent, freed).await.as_deref(), Some("true"), "the last child frees its parent");
}

#[tokio::test]
async fn several_children_in_one_act_are_all_counted() {
    let db = TestLedger::new().await;
    let parent = db.enqueue(NewJob::new("join", &json!({})).expect("JSON").waits_for_children()).await;
    let mut children = Vec::new();
    for _ in 0..5 {
        children.push(db.enqueue(NewJob::new("greet", &json!({})).expect("JSON").child_of(parent)).await);
    }
    operate::cancel(&db.client, &children, "ada").await.expect("works");
    assert_eq!(counts(&db, parent).await, "0 open 5 failed -");
}

#[tokio::test]
async fn a_running_child_counts_when_it_ends_not_when_it_is_asked() {
    let db = TestLedger::new().await;
    let (parent, _, two) = family(&db).await;
    db.bring(two, Status::Processing).await;
    operate::cancel(&db.client, &[two], "ada").await.expect("works");
    assert_eq!((counts(&db, parent).await.as_str(), counted(&db, two).await), ("1 open 1 failed children", false));
}

#[tokio::test]
async fn a_parent_may_be_cancelled_together_with_its_children() {
    let db = TestLedger::new().await;
    let (parent, _, two) = family(&db).await;
    let acted = operate::cancel(&db.client, &[parent, two], "ada").await.expect("works");
    assert_eq!(acted.done.len(), 2);
    assert_eq!((db.status(parent).await, db.status(two).await), (Status::Cancelled, Status::Cancelled));
}
