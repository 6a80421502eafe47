//! Ten thousand messages that nobody of the fleet wrote, from a seed, among two hundred real jobs.

use crate::{
    broker::support::until_depth,
    fleet::toys::{Script, TestFleet, plain, writer},
};
use docket::fleet::{
    job::{Envelope, JobId, MessageId, NewJob, Pointer},
    settings::Protocol,
};
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, options::BasicPublishOptions, types::FieldTable,
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

const MESSAGES: usize = 10_000;
const SEED: u64 = 15;
const QUEUES: [&str; 3] = ["docket.default.high", "docket.default.normal", "docket.default.low"];

/// What the database has now: each message with its pointers, as a thief of the broker's password would read them.
async fn real(fleet: &TestFleet) -> Vec<Envelope> {
    let sql = "select m.id, array_agg(j.id), array_agg(j.epoch) from job_messages m join jobs j on j.message_id = m.id group by 1";
    let rows = fleet.client.query(sql, &[]).await.unwrap();
    let envelope = |row: &tokio_postgres::Row| {
        let (ids, epochs): (Vec<i64>, Vec<i32>) = (row.get(1), row.get(2));
        Envelope::new(MessageId(row.get(0)), ids.into_iter().zip(epochs).map(|(id, e)| Pointer(JobId(id), e)).collect())
    };
    rows.iter().map(envelope).collect()
}

/// One body. `real` are envelopes of messages that exist, or existed a moment ago.
fn body(rng: &mut StdRng, real: &[Envelope]) -> Vec<u8> {
    let any = |rng: &mut StdRng| Pointer(JobId(rng.random_range(1..400)), rng.random_range(1..6));
    let chosen = real.choose(rng).cloned();
    let Envelope { message, jobs, .. } =
        chosen.unwrap_or_else(|| Envelope::new(MessageId(rng.random_range(1..400)), vec![any(rng)]));
    match rng.random_range(0..10) {
        0 => (0..rng.random_range(0..300)).map(|_| rng.random()).collect(),
        1 => vec![*b"[{\"\\ 0".choose(rng).unwrap(); rng.random_range(0..2_000)],
        // A replay, and the same with another epoch, another message, another job.
        2 => Envelope::new(message, jobs).encode(),
        3 => {
            let by = *[-1, 1, 2].choose(rng).unwrap();
            Envelope::new(message, jobs.iter().map(|p| Pointer(p.id(), (p.epoch() + by).max(1))).collect()).encode()
        }
        4 => Envelope::new(MessageId(message.0 + rng.random_range(1..5)), jobs).encode(),
        5 => Envelope::new(message, vec![any(rng)]).encode(),
        // Half of its pointers, or one of them again and again.
        6 => Envelope::new(message, jobs[..jobs.len().div_ceil(2)].to_vec()).encode(),
        7 => Envelope::new(message, vec![jobs[0]; rng.random_range(1..1_000)]).encode(),
        8 => Envelope::new(MessageId(rng.random_range(1..i64::MAX)), (0..50).map(|_| any(rng)).collect()).encode(),
        // A real body with one byte changed.
        _ => {
            let mut bytes = Envelope::new(message, jobs).encode();
            let at = rng.random_range(0..bytes.len());
            bytes[at] = rng.random();
            bytes
        }
    }
}

async fn forge(rng: &mut StdRng, channel: &Channel, real: &[Envelope]) {
    let dead = rng.random_range(0..20) == 0;
    let (exchange, key) =
        if dead { ("docket.dead", "docket.dead") } else { ("docket.jobs", *QUEUES.choose(rng).unwrap()) };
    let id = format!("{}:{}", rng.random_range(0..400), rng.random_range(0..6));
    let mut headers = FieldTable::default();
    headers.insert("x-epoch".into(), lapin::types::AMQPValue::LongString(vec![rng.random(); 100].into()));
    let properties = BasicProperties::default().with_message_id(id.as_str().into()).with_headers(headers);
    let body = body(rng, real);
    // Not waited for: what the broker refuses is no effect either.
    let sent = channel.basic_publish(exchange.into(), key.into(), BasicPublishOptions::default(), &body, properties);
    drop(sent.await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a minute; scripts/test --all runs it"]
async fn ten_thousand_forged_messages_do_nothing() {
    let mut fleet = TestFleet::new().await;
    // A busy machine is not what is tried here.
    fleet.protocol.lease = Protocol::default().lease;
    let script = |n: u64| Script { run_ms: n % 7 * 20, ..Script::default() };
    let mut jobs: Vec<NewJob> = (0..200).map(|n| writer(script(n))).collect();
    jobs.extend((0..4).map(|n| plain(Script { fail_first: 3, ..script(n) })));
    fleet.enqueue(&jobs).await;
    fleet.scheduler();
    fleet.worker(8).await;
    let connection =
        Connection::connect(fleet.vhost.as_ref().unwrap().url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let (mut rng, mut known, started) = (StdRng::seed_from_u64(SEED), Vec::new(), tokio::time::Instant::now());
    for n in 0..MESSAGES {
        if n % 250 == 0 {
            // What is gone by now is kept as well: replays come late.
            known.extend(real(&fleet).await);
        }
        forge(&mut rng, &channel, &known).await;
    }
    let empty = "select coalesce(sum(jobs), 0) = 0 from (select cardinality(jobs) as jobs from job_messages) m";
    // Among ten thousand others a job may wait for longer than a test's usual patience.
    drained(&fleet.broker()).await;
    fleet.settled().await;
    let took = started.elapsed();
    // Every forged message has been read before the numbers are compared.
    let broker = fleet.broker();
    drained(&broker).await;
    fleet.until("no message is left", empty).await;
    let count = async |sql: &str| fleet.count(&format!("select count(*) from {sql}")).await;
    assert_eq!(count("jobs where status = 'completed' and failures + losses = 0").await, 200);
    assert_eq!(
        (count("effects").await, count("(select distinct job_id from effects) e").await),
        (200, 200),
        "once each"
    );
    assert_eq!(count("jobs where status = 'dead_letter' and failures = 3 and losses = 0").await, 4);
    assert_eq!(count("jobs").await, 204);
    assert_eq!(count("workers where state <> 'up'").await, 0, "nobody fell over");
    let kept = count("quarantine").await;
    assert!((100..=1_000).contains(&kept), "{kept} of them are kept for people, the newest");
    fleet.dead_depth(4).await;
    eprintln!(
        "{MESSAGES} forged messages, seed {SEED}: {kept} in quarantine, settled after {:.1} s",
        took.as_secs_f64()
    );
    fleet.stop().await;
}

/// Waits until the lane's queues are empty.
async fn drained(broker: &docket::fleet::broker::AmqpBroker) {
    use docket::fleet::job::Band;
    broker.wait_ready(std::time::Duration::from_secs(20)).await.unwrap();
    for band in Band::ALL {
        until_depth(broker, band, 0).await;
    }
    broker.shutdown().await;
}
