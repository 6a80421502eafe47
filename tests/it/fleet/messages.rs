//! Messages that no scheduler wrote, or that the ledger no longer knows.

use super::toys::{Script, TestFleet, plain, writer};
use docket::fleet::{
    job::{Band, NewJob},
    ledger::LedgerConnections,
    ports::Broker,
};
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::{AMQPValue, FieldTable, LongString},
};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// Somebody with the right to publish.
struct Stranger {
    channel: Channel,
    _connection: Connection,
}

impl Stranger {
    async fn new(fleet: &TestFleet) -> Self {
        let url = fleet.vhost.as_ref().unwrap().url();
        let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        Self { channel, _connection: connection }
    }

    async fn publish(&self, body: &[u8], properties: BasicProperties) {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let key = "docket.default.normal".into();
        let sent = self.channel.basic_publish("docket.jobs".into(), key, options, body, properties).await.unwrap();
        assert!(sent.await.unwrap().is_ack());
    }
}

/// What no scheduler writes.
fn poison(n: usize) -> (Vec<u8>, BasicProperties) {
    let plain = BasicProperties::default();
    match n % 6 {
        0 => (b"\xff\xfe garbage".to_vec(), plain),
        1 => (Vec::new(), plain),
        2 => (vec![b'['; 1 << 20], plain),
        3 => (json!({"v": 99, "m": n, "jobs": []}).to_string().into_bytes(), plain),
        4 => (json!({"v": 1, "m": n, "jobs": [[4_000_000_000_i64 + n as i64, 1]]}).to_string().into_bytes(), plain),
        _ => {
            let mut headers = FieldTable::default();
            for name in 0..64 {
                let value = LongString::from(vec![b'x'; 1500]);
                headers.insert(format!("x-{name}").into(), AMQPValue::LongString(value));
            }
            (b"{}".to_vec(), plain.with_headers(headers))
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_poisonous_messages_are_kept_or_dropped_and_work_goes_on() {
    const POISON: usize = 1000;
    let mut fleet = TestFleet::new().await;
    let stranger = Stranger::new(&fleet).await;
    for n in 0..POISON {
        let (body, properties) = poison(n);
        stranger.publish(&body, properties).await;
    }
    let begun = Instant::now();
    fleet.worker(4).await;
    let unreadable = (0..POISON).filter(|n| n % 6 != 4).count();
    let others = "from quarantine where reason not like 'ahead of the ledger%'";
    fleet.until("all that nobody can read are kept", &format!("select count(*) = {unreadable} {others}")).await;
    println!("{POISON} poisonous messages: {:?}", begun.elapsed());
    // Those of unknown jobs are kept in part: a flood of them shall not hold up the claims.
    let ahead = "select count(*) from quarantine where reason like 'ahead of the ledger%'";
    let unknown = i64::try_from(POISON - unreadable).unwrap();
    assert!((20..=unknown).contains(&fleet.count(ahead).await), "some of {unknown}");
    let largest = "select max(octet_length(body))::bigint from quarantine";
    assert_eq!(fleet.count(largest).await, 65_536, "bounded");
    assert!(fleet.count("select max(octet_length(headers))::bigint from quarantine").await > 4_000);
    fleet.scheduler();
    let id = fleet.enqueue(&[writer(Script::default())]).await[0];
    fleet.settled().await;
    assert_eq!(fleet.row(id).await, "completed failures=0 losses=0 priority=100");
    assert_eq!(fleet.count("select count(*) from workers where slots > 0").await, 1, "no restart");
    fleet.stop_one(0).await;
    // What was not acknowledged would be ready again.
    let broker = fleet.broker();
    broker.wait_ready(Duration::from_mins(1)).await.unwrap();
    assert_eq!(broker.depth("default", Band::Normal).await.unwrap(), 0);
    broker.shutdown().await;
    fleet.stop().await;
}

/// Valid messages for real jobs, one epoch too low, one too high, and the right one a hundred times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_and_replayed_pointers_change_no_effect() {
    let mut fleet = TestFleet::new().await;
    fleet.scheduler();
    fleet.worker(4).await;
    let slow = Script { run_ms: 200, ..Script::default() };
    let ids = fleet.enqueue(&vec![writer(slow); 20]).await;
    fleet
        .until("some are on their way", "select count(*) > 3 from jobs where status in ('queued', 'processing')")
        .await;
    let stranger = Stranger::new(&fleet).await;
    let sql = "select id, epoch, coalesce(message_id, 1) from jobs order by id";
    for row in fleet.client.query(sql, &[]).await.unwrap() {
        let (id, epoch, message): (i64, i32, i64) = (row.get(0), row.get(1), row.get(2));
        for epoch in [epoch - 1, epoch, epoch + 1].into_iter().filter(|epoch| *epoch > 0) {
            let body = json!({"v": 1, "m": message, "jobs": [[id, epoch]]}).to_string();
            stranger.publish(body.as_bytes(), BasicProperties::default()).await;
        }
    }
    let replayed =
        json!({"v": 1, "m": 65_536, "jobs": ids.iter().map(|id| json!([id.0, 1])).collect::<Vec<_>>()}).to_string();
    for _ in 0..100 {
        stranger.publish(replayed.as_bytes(), BasicProperties::default()).await;
    }
    fleet.settled().await;
    assert_eq!(fleet.count("select count(*) from jobs where status = 'completed' and failures + losses = 0").await, 20);
    assert_eq!(fleet.count("select count(*) from effects").await, 20);
    assert_eq!(fleet.count("select count(distinct job_id) from effects").await, 20, "once each");
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_kind_waits_and_arguments_that_do_not_decode_fail_once() {
    let mut fleet = TestFleet::new().await;
    fleet.scheduler();
    fleet.worker(4).await;
    let unknown = NewJob::new("from_the_future", &json!({})).unwrap();
    let undecodable = NewJob::new("plain", &json!({"run_ms": "soon"})).unwrap();
    let ids = fleet.enqueue(&[unknown, undecodable, plain(Script::default())]).await;
    fleet
        .until("held", &format!("select coalesce(hold = 'unknown_kind', false) from jobs where id = {}", ids[0].0))
        .await;
    fleet.until("ended", "select count(*) = 2 from jobs where finished_at is not null").await;
    assert_eq!(fleet.row(ids[0]).await, "pending failures=0 losses=0 priority=100");
    let ended: String = fleet
        .client
        .query_one("select format('%s %s %s', status, failures, error_class) from jobs where id = $1", &[&ids[1].0])
        .await
        .unwrap()
        .get(0);
    assert_eq!(ended, "failed 1 invalid_args");
    // Queued, processing, ended; or leased straight from the ledger.
    assert!((2..=3).contains(&fleet.count("select max(epoch)::bigint from jobs").await), "no storm");
    fleet.stop().await;
}

/// The ledger goes back in time, and the broker's messages don't: they are ahead of their rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_ahead_of_a_restored_ledger_are_kept_and_run_nothing_twice() {
    let mut fleet = TestFleet::new().await;
    fleet.enqueue(&vec![writer(Script::default()); 4]).await;
    let tables = "jobs, job_messages, job_attempts, job_events, effects";
    fleet.client.batch_execute("create table backup as select id, kind, args from jobs").await.unwrap();
    // Jobs that the backup doesn't know, and an epoch that its rows haven't reached: published, and not yet claimed.
    fleet.enqueue(&vec![writer(Script::default()); 2]).await;
    fleet
        .client
        .batch_execute("update jobs set status = 'cancelled', epoch = epoch + 1, finished_at = now() where id > 4")
        .await
        .unwrap();
    let stranger = Stranger::new(&fleet).await;
    for id in 1..=6 {
        let body = json!({"v": 1, "m": 65_536 + id, "jobs": [[id, 3]]}).to_string();
        stranger.publish(body.as_bytes(), BasicProperties::default()).await;
    }
    let restore = format!(
        "truncate {tables}; insert into jobs (id, kind, args) overriding system value select * from backup; \
         select setval(pg_get_serial_sequence('jobs', 'id'), 4)"
    );
    fleet.client.batch_execute(&restore).await.unwrap();
    fleet.worker(4).await;
    let ahead = "select count(*) from quarantine where reason like 'ahead of the ledger%'";
    fleet.until("all six are kept", &format!("select ({ahead}) = 6")).await;
    fleet.scheduler();
    fleet.settled().await;
    assert_eq!(fleet.count("select count(*) from jobs where status = 'completed' and failures + losses = 0").await, 4);
    assert_eq!(fleet.count("select count(*) from effects").await, 4, "once each");
    assert_eq!(fleet.count(ahead).await, 6, "what the scheduler sends is not ahead");
    fleet.stop().await;
}

/// Keeping a message takes a connection as a claim does, and neither may wait for the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unreadable_messages_never_keep_a_connection_from_the_claims() {
    let mut fleet = TestFleet::new().await;
    fleet.connections = LedgerConnections { engine: 1, effects: 1 };
    let stranger = Stranger::new(&fleet).await;
    for n in 0..100 {
        let stale = json!({"v": 1, "m": n + 1, "jobs": [[1_000_000 + n, 1]]}).to_string();
        stranger.publish(b"garbage", BasicProperties::default()).await;
        stranger.publish(stale.as_bytes(), BasicProperties::default()).await;
    }
    fleet.enqueue(&vec![plain(Script::default()); 20]).await;
    fleet.worker(8).await;
    fleet.scheduler();
    fleet.until("all are kept", "select count(*) = 100 from quarantine where body = 'garbage'").await;
    fleet.settled().await;
    assert_eq!(fleet.count("select count(*) from jobs where status = 'completed' and failures + losses = 0").await, 20);
    fleet.stop().await;
}
