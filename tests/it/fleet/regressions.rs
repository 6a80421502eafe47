//! What went wrong once: lost rows of workers, paused kinds, a database or a queue in trouble, hostile messages.

use super::toys::{Script, TestFleet, plain, writer};
use docket::{
    db::Statements,
    fleet::{
        enqueue::{Notify, enqueue},
        handler::{Context, Effects, Handler, HandlerError, Registry},
        job::{Band, Envelope, JobId, MessageId, NewJob, Pointer, WorkerId},
        ledger::{PgLedger, PgTx, operate},
        ports::{Broker, Dispatch, Ledger, PickRequest, Sweep, WorkerSpec},
        retry::RetryPolicy,
    },
};
use reqwest::Method;
use serde_json::json;
use std::{sync::Arc, time::Duration};

#[tokio::test]
async fn a_worker_whose_row_is_gone_stops_and_its_jobs_come_back() {
    let mut fleet = TestFleet::without_broker().await;
    let orphan = fleet.worker(2).await;
    let id = fleet.enqueue(&[writer(Script { run_ms: 600_000, ..Script::default() })]).await[0];
    fleet.until("it runs", "select count(*) = 1 from jobs where status = 'processing'").await;
    fleet.client.batch_execute("delete from workers").await.unwrap();
    fleet.ends_by_itself(orphan).await;
    fleet.client.batch_execute("update jobs set args = args || '{\"run_ms\": 0}'").await.unwrap();
    fleet.scheduler();
    fleet.worker(2).await;
    fleet.settled().await;
    assert_eq!(fleet.row(id).await, "completed failures=0 losses=1 priority=100");
    assert_eq!(fleet.count("select count(*) from effects").await, 1, "once");
    fleet.stop().await;
}

#[tokio::test]
async fn a_paused_kind_is_not_leased_directly() {
    let mut fleet = TestFleet::without_broker().await;
    operate::pause_kind(&fleet.client, "plain", "test").await.unwrap();
    let urgent = || plain(Script::default()).priority(150);
    fleet.enqueue(&[urgent(), urgent(), writer(Script::default())]).await;
    fleet.worker(4).await;
    // A lease takes the most urgent first: it would have taken them with this one, or before.
    fleet.until("the other kind runs", "select count(*) = 1 from jobs where status = 'completed'").await;
    assert_eq!(
        fleet.count("select count(*) from jobs where kind = 'plain' and status = 'pending' and epoch = 0").await,
        2
    );
    fleet.stop().await;
}

/// Its effects: a row, and then a statement of the test's.
struct Statement;

impl Handler for Statement {
    type Args = String;
    type Output = String;
    const KIND: &'static str = "statement";

    fn retry() -> RetryPolicy {
        RetryPolicy { base: Duration::from_millis(50), ..RetryPolicy::default() }
    }

    async fn run(&self, sql: String, _: Context) -> Result<String, HandlerError> {
        Ok(sql)
    }
}

impl Effects<PgTx> for Statement {
    async fn apply(&self, tx: &mut PgTx, sql: &String, ctx: &Context) -> Result<(), HandlerError> {
        tx.execute("insert into effects (job_id, attempt) values ($1, $2)", &[&ctx.job.0, &ctx.attempt]).await?;
        Ok(tx.client().batch_execute(sql).await?)
    }
}

#[tokio::test]
async fn the_databases_own_trouble_costs_no_attempt_and_effects_happen_once() {
    let mut fleet = TestFleet::without_broker().await;
    // A sequence goes on when a transaction is rolled back: the trouble passes.
    fleet.client.batch_execute("create sequence deadlocks; create sequence ends").await.unwrap();
    let deadlock = "do $$ begin if nextval('deadlocks') <= 2 then \
                    raise exception 'as told' using errcode = '40P01'; end if; end $$";
    let end = "select case when nextval('ends') = 1 then pg_terminate_backend(pg_backend_pid()) end";
    let jobs = [deadlock, end].map(|sql| Statement::job(&sql.to_owned()).unwrap());
    let ids = fleet.enqueue(&jobs).await;
    fleet.worker_with(2, Arc::new(Registry::new().with_effects(Statement))).await;
    fleet.settled().await;
    for id in ids {
        assert_eq!(fleet.row(id).await, "completed failures=0 losses=0 priority=100");
    }
    assert_eq!(fleet.count("select last_value from deadlocks").await, 3, "it was tried again");
    assert_eq!(fleet.count("select last_value from ends").await, 2, "it was tried again");
    assert_eq!(fleet.count("select count(*) from effects").await, 2, "once each");
    fleet.stop().await;
}

#[tokio::test]
async fn a_missing_queue_does_not_spin_and_direct_leases_do_the_work() {
    let mut fleet = TestFleet::new().await;
    let vhost = fleet.vhost.as_ref().unwrap();
    let queue = format!("queues/{}/docket.default.normal", vhost.name());
    vhost.call(Method::DELETE, &queue, &json!(null)).await;
    fleet.scheduler();
    fleet.worker(4).await;
    fleet.enqueue(&(0..200).map(|_| plain(Script { run_ms: 50, ..Script::default() })).collect::<Vec<_>>()).await;
    fleet.settled().await;
    assert_eq!(
        fleet.count("select count(*) from jobs where status = 'completed' and failures + losses = 0").await,
        200
    );
    assert!(fleet.count("select max(epoch)::bigint from jobs").await < 10, "few go out in vain");
    fleet.stop().await;
}

#[tokio::test]
async fn a_suspects_attempt_goes_back_free_when_the_grace_period_is_over() {
    let mut fleet = TestFleet::without_broker().await;
    let id = fleet.enqueue(&[plain(Script { run_ms: 600_000, ..Script::default() })]).await[0];
    fleet.client.batch_execute("update jobs set losses = 2").await.unwrap();
    let worker = fleet.worker(2).await;
    fleet.until("it runs", "select count(*) = 1 from jobs where status = 'processing'").await;
    fleet.stop_one(worker).await;
    assert_eq!(fleet.row(id).await, "pending failures=0 losses=2 priority=100");
    assert_eq!(fleet.count("select count(*) from workers where state = 'gone'").await, 1, "signed off");
}

#[tokio::test]
async fn no_worker_empties_itself_for_a_suspect_of_a_paused_lane() {
    let fleet = TestFleet::without_broker().await;
    fleet.enqueue(&[plain(Script::default())]).await;
    fleet.client.batch_execute("update jobs set losses = 2").await.unwrap();
    let (ledger, kinds) = (fleet.ledger(), vec!["plain".to_owned()]);
    let spec = WorkerSpec { name: "idle".into(), slots: 1, lanes: vec!["default".into()], kinds: kinds.clone() };
    let worker = ledger.register(&spec).await.unwrap();
    assert!(ledger.beat(worker, &[]).await.unwrap().suspect_due);
    assert!(operate::pause_lane(&fleet.client, "default", "a test").await.unwrap());
    assert_eq!(ledger.lease_suspect(worker, "default", &kinds).await.unwrap(), None);
    assert!(!ledger.beat(worker, &[]).await.unwrap().suspect_due, "it would drain again and again, and get nothing");
    assert!(operate::resume_lane(&fleet.client, "default", "a test").await.unwrap());
    assert!(ledger.beat(worker, &[]).await.unwrap().suspect_due);
}

#[tokio::test]
async fn neither_a_nul_nor_the_last_epoch_blocks_a_band() {
    let mut fleet = TestFleet::new().await;
    let id = fleet.enqueue(&[plain(Script::default())]).await[0];
    fleet.worker(1).await;
    fleet.settled().await;
    let last_epoch = json!({"v": 1, "m": 77, "jobs": [[id.0, i32::MAX]]}).to_string();
    for payload in ["{\"\\u0000\":1}", &last_epoch, "the last one"] {
        fleet.vhost.as_ref().unwrap().publish("docket.default.normal", payload).await;
    }
    fleet.until("the last one is kept", "select count(*) = 1 from quarantine where body = 'the last one'").await;
    assert_eq!(fleet.count("select count(*) from quarantine where reason like '%no row has%'").await, 1);
    let more = fleet.enqueue(&[plain(Script::default())]).await[0];
    fleet.settled().await;
    for id in [id, more] {
        assert_eq!(fleet.row(id).await, "completed failures=0 losses=0 priority=100");
    }
    fleet.stop_one(0).await;
    // What was not acknowledged would be ready again.
    let broker = fleet.broker();
    broker.wait_ready(Duration::from_secs(20)).await.unwrap();
    assert_eq!(broker.depth("default", Band::Normal).await.unwrap(), 0);
    broker.shutdown().await;
}

async fn registered(ledger: &PgLedger) -> WorkerId {
    let (lanes, kinds) = (vec!["default".into()], vec!["plain".into()]);
    ledger.register(&WorkerSpec { name: "test".into(), slots: 1, lanes, kinds }).await.unwrap()
}

async fn pick(ledger: &PgLedger, rows: i32, aged: i32) -> Vec<Dispatch> {
    let kinds = [("plain".to_owned(), 1)];
    let request = PickRequest { lane: "default", rows, aged, kinds: &kinds, bands: &Band::ALL, generation: 1 };
    ledger.pick(request).await.unwrap()
}

/// A pointer to nothing, with the number of a real message, has come before it: the message is the worker's.
async fn captured(fleet: &TestFleet, worker: WorkerId) -> MessageId {
    let ledger = fleet.ledger();
    let message = pick(&ledger, 9, 0).await[0].message;
    let forged = Envelope::new(message, vec![Pointer(JobId(999_999), 1)]);
    assert!(ledger.claim(worker, &[forged], false).await.unwrap().is_empty());
    message
}

#[tokio::test]
async fn a_forged_message_number_does_not_capture_a_job() {
    let fleet = TestFleet::without_broker().await;
    let id = fleet.enqueue(&[plain(Script::default())]).await[0];
    let ledger = fleet.ledger();
    let worker = registered(&ledger).await;
    let message = captured(&fleet, worker).await;
    ledger.forget(&[message]).await.unwrap();
    let back = ledger.sweep(Sweep::Unconfirmed(MessageId(i64::MAX)), 10).await.unwrap();
    assert_eq!(fleet.row(id).await, "pending failures=0 losses=0 priority=100", "free once it is forgotten: {back:?}");

    captured(&fleet, worker).await;
    ledger.reap(&[worker], 10).await.unwrap();
    assert_eq!(fleet.row(id).await, "pending failures=0 losses=0 priority=100", "R4 takes it from a dead worker");
    assert_eq!(fleet.count("select count(*) from job_messages").await, 0);
}

#[tokio::test]
async fn a_message_outlives_the_half_that_a_forged_one_names() {
    let mut fleet = TestFleet::new().await;
    fleet.enqueue(&[plain(Script::default()), plain(Script::default())]).await;
    // As a scheduler would dispatch them, in one message, which is then lost.
    let kinds = [("plain".to_owned(), 2)];
    let request = PickRequest { lane: "default", rows: 9, aged: 0, kinds: &kinds, bands: &Band::ALL, generation: 1 };
    let dispatches = fleet.ledger().pick(request).await.unwrap();
    let [dispatch] = &dispatches[..] else { panic!("{dispatches:?}") };
    let half = Envelope::new(dispatch.message, vec![dispatch.jobs[0].pointer]);
    fleet.worker(2).await;
    let half = String::from_utf8(half.encode()).unwrap();
    fleet.vhost.as_ref().unwrap().publish("docket.default.normal", &half).await;
    fleet.until("one is done", "select count(*) = 1 from jobs where status = 'completed'").await;
    fleet.until("the message is free again", "select count(*) = 1 from job_messages where worker_id is null").await;
    fleet.scheduler();
    fleet.settled().await;
    assert_eq!(fleet.count("select count(*) from jobs where status = 'completed' and failures + losses = 0").await, 2);
    fleet.until("nothing is left of it", "select count(*) = 0 from job_messages").await;
    fleet.stop().await;
}

#[tokio::test]
async fn small_picks_take_the_oldest_too() {
    let fleet = TestFleet::without_broker().await;
    let old: Vec<NewJob> = (0..20).map(|_| plain(Script::default()).priority(50)).collect();
    let ids = fleet.enqueue(&old).await;
    fleet.enqueue(&(0..200).map(|_| plain(Script::default())).collect::<Vec<_>>()).await;
    let ledger = fleet.ledger();
    for _ in 0..10 {
        assert_eq!(pick(&ledger, 9, 1).await.len(), 10);
    }
    let queued = format!("select count(*) from jobs where status = 'queued' and priority = 50 and id < {}", ids[10].0);
    assert_eq!(fleet.count(&queued).await, 10, "the ten oldest");
}

#[tokio::test]
async fn undoing_a_requeue_counts_for_a_parent_in_the_same_list() {
    let mut fleet = TestFleet::without_broker().await;
    let parent = fleet.enqueue(&[plain(Script::default()).waits_for_children()]).await[0];
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let refused = plain(Script { refuse: true, ..Script::default() }).child_of(parent);
    let waits = plain(Script::default()).child_of(parent).run_at(later);
    let child = enqueue(&fleet.client, &[refused, waits], Notify::Yes).await.unwrap()[0].id();
    let worker = fleet.worker(2).await;
    fleet.until("failed", "select count(*) = 1 from jobs where status = 'failed'").await;
    fleet.stop_one(worker).await;
    let open = format!("select open_children::bigint from jobs where id = {}", parent.0);
    assert_eq!(fleet.count(&open).await, 1, "the one that waits");
    operate::requeue(&fleet.client, &[child], "test").await.unwrap();
    assert_eq!(fleet.count(&open).await, 2, "both");
    operate::undo_requeue(&fleet.client, &[parent, child], "test").await.unwrap();
    assert_eq!(fleet.count(&open).await, 1, "the one that waits");
}
