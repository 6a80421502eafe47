//! What holds after every fault. Read from the database and from what the handlers wrote down themselves.

use super::{
    jobs,
    trial::{LONG, Trial, in_time},
};
use docket::{
    dev::chaos::kinds,
    fleet::{
        broker::{AmqpBroker, BrokerSettings},
        ports::Broker as _,
        settings::Protocol,
    },
};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// A rule, and the jobs that break it: there must be none.
const BROKEN: &[(&str, &str)] = &[
    // Nothing is lost.
    ("a job has not ended", "select id from jobs where finished_at is null"),
    // No dead letter is false: it has used its attempts, or lost its workers too often.
    (
        "a dead letter is false",
        "select id from jobs where status = 'dead_letter' and failures < max_attempts and losses < 5",
    ),
    ("a job failed too often", "select id from jobs where failures > max_attempts"),
    // Every failure and every loss has its attempt, and no other.
    (
        "failures without their attempts",
        "select id from jobs j where status <> 'cancelled' and failures <> (select count(*) from job_attempts a
         where a.job_id = j.id and a.round = j.round and a.outcome in ('retry', 'failed', 'dead_letter')
           and a.error_class is distinct from 'worker_lost')",
    ),
    (
        "losses without their attempts",
        "select id from jobs j where losses <> (select count(*) from job_attempts a
         where a.job_id = j.id and a.round = j.round and a.outcome = 'lost')",
    ),
    // An epoch for each change of status: pending → queued → processing → end is three, or two without a broker.
    ("an epoch is missing", "select id from jobs where status <> 'cancelled' and epoch < 2"),
    (
        "a dead letter without its event",
        "select id from jobs j where status = 'dead_letter' and not exists
         (select 1 from job_events e where e.job_id = j.id and e.event = 'dead_letter')",
    ),
];

/// Fails the test if the promise was broken. Everything of this test's has ended by now.
pub(super) async fn kept(trial: &Trial) {
    let db = trial.db().await;
    let accepted = trial.accepted();
    let sql = "select coalesce(array_agg(a), '{}') from unnest($1::bigint[]) a where not exists (select 1 from jobs where id = a)";
    let gone: Vec<i64> = in_time("what is gone", db.query_one(sql, &[&accepted])).await.expect("an answer").get(0);
    assert!(gone.is_empty(), "accepted, and not in the ledger: {gone:?}");
    for (what, sql) in BROKEN.iter().chain(jobs::BROKEN) {
        let sql = format!("select id from ({}) broken(id) where id > $1", sql.replace("{effect}", kinds::EFFECT));
        let rows = in_time(what, db.query(&sql, &[&trial.first()])).await.expect("an answer");
        let ids: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        assert!(ids.is_empty(), "{what}: jobs {ids:?}");
    }
    jobs::are_witnessed(trial).await;
    // What was in flight is forgotten, and docket.dead is what the ledger says.
    let left = "select (count(*) = 0)::int::bigint from job_messages";
    trial.until("no message is left of jobs that have ended", left).await;
    dead_queue(trial).await;
}

async fn dead_queue(trial: &Trial) {
    let settings = BrokerSettings::from(&Protocol::five_times_shorter());
    let url = trial.fleet().amqp_url().to_owned().into();
    let broker = AmqpBroker::start(&url, settings, &CancellationToken::new()).expect("a broker");
    broker.wait_ready(LONG).await.expect("the broker is well");
    let dead = trial.count("select count(*) from jobs where status = 'dead_letter'").await;
    let begun = Instant::now();
    while broker.dead_depth().await.ok() != u64::try_from(dead).ok() {
        let depth = broker.dead_depth().await;
        assert!(begun.elapsed() < LONG, "docket.dead holds {depth:?}, and there are {dead} dead letters");
        sleep(Duration::from_millis(200)).await;
    }
    broker.shutdown().await;
}

/// More jobs were never queued than the window of all schedulers and one pick of each allow.
pub(crate) async fn window(trial: &Trial, peak: i64, schedulers: i64) {
    let slots = trial.count("select coalesce(max(slots), 1)::bigint from workers where state = 'up'").await;
    // The rate of claims is bounded by what this machine does in a second; the pick by its own setting.
    let bound = (2 * slots).max(2 * 2000) + schedulers * 1000;
    assert!(peak <= bound, "{peak} queued at once, at most {bound}");
}
