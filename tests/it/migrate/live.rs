//! Version 3 on a loaded queue of version 2 that goes on working.

use super::version2::{COLUMNS, Writers, fill, version2};
use crate::{
    cli::process::docket,
    fleet::toys::{Script, TestFleet, plain},
    support::{TestDb, TestLedger},
};
use docket::{
    db,
    fleet::{
        job::{JobId, Status},
        ledger::operate,
    },
};
use std::{collections::BTreeMap, time::Duration};
use tokio_postgres::Client;

const JOBS: i64 = 100_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loaded_version_2_queue_loses_nothing_while_its_workers_go_on() {
    let db = version2().await;
    let client = db.connect().await;
    fill(&client, JOBS).await;
    let remember = format!("create table was as select id, md5(row({COLUMNS})::text) as row from jobs");
    client.batch_execute(&remember).await.unwrap();

    let writers = Writers::start(&db, JOBS).await;
    let applied = db::migrate(&db.config()).await.unwrap();
    let touched = writers.stop().await;
    assert_eq!(applied.first().map(|m| m.version), Some(3));
    assert_eq!(applied.last().map(|m| m.version), Some(db::newest()));

    nothing_is_lost(&client, &touched).await;
    it_is_what_verify_asks_for(&db).await;
    the_queue_works(db).await;
}

async fn nothing_is_lost(client: &Client, touched: &BTreeMap<i64, &str>) {
    let ids: Vec<i64> = touched.keys().copied().collect();
    let number = async |sql: String| -> i64 { client.query_one(&sql, &[]).await.unwrap().get(0) };
    assert_eq!(number("select count(*) from jobs".into()).await, JOBS);
    let changed = format!(
        "select count(*) from was left join jobs j using (id) where id <> all($1) and md5(row({COLUMNS})::text) is distinct from was.row"
    );
    let changed: i64 = client.query_one(&changed, &[&ids]).await.unwrap().get(0);
    assert_eq!(changed, 0, "jobs that nobody touched");
    let rows = client.query("select id, status::text from jobs where id = any($1)", &[&ids]).await.unwrap();
    let now: BTreeMap<i64, String> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert!(now.iter().map(|(id, status)| (id, status.as_str())).eq(touched.iter().map(|(id, s)| (id, *s))));
    let rule = "(failed_at is not null) = (status in ('failed', 'dead_letter')) and (status <> 'failed' or failed_at = finished_at)";
    assert_eq!(number(format!("select count(*) from jobs where not ({rule})")).await, 0, "times of failure");
    let flight = "select (select count(*) from jobs where status in ('queued', 'processing')) - (select count(*) from job_messages)";
    assert_eq!(number(flight.into()).await, 0, "jobs in flight and their messages");
}

async fn it_is_what_verify_asks_for(db: &TestDb) {
    let found = docket("migrate verify").database(db.url()).json().await;
    assert!(found["drift"].as_array().unwrap().iter().all(|drift| drift["kind"] == "foreign"), "{found}");
}

/// A scheduler and a worker of this binary: what version 2 left half done, what waits, what failed, and a dead letter.
async fn the_queue_works(db: TestDb) {
    let mut fleet = TestFleet::with(db).await;
    fleet.scheduler();
    fleet.worker(16).await;
    let ended = "select not exists (select 1 from jobs where kind = 'plain' and finished_at is null)";
    // Thousands of them, beside other tests.
    fleet.until_within(Duration::from_mins(5), "the jobs of version 2 end", ended).await;
    let bad = "select count(*) from jobs where kind = 'plain' and finished_at > now() - interval '10 min' and status not in ('completed', 'failed', 'cancelled')";
    assert_eq!(fleet.count(bad).await, 0);
    // 42 × 9 = 378 is of the known kind, and failed in version 2; no writer was told to touch it.
    let failed = JobId(378);
    let acted = operate::requeue(&fleet.client, &[failed], "test").await.unwrap();
    assert_eq!(acted.done.len(), 1, "{acted:?}");
    let dead = fleet.enqueue(&[plain(Script { fail_first: 9, ..Script::default() })]).await[0];
    fleet.until("both end", ended).await;
    assert_eq!(fleet.row(failed).await, "completed failures=0 losses=0 priority=100");
    assert_eq!(fleet.row(dead).await, "dead_letter failures=3 losses=0 priority=-20");
    fleet.dead_depth(1).await;
    fleet.stop().await;
}

#[tokio::test]
async fn a_failure_that_nobody_dated_is_dated_by_the_ledger() {
    let ledger = TestLedger::new().await;
    let id = ledger.job_in(Status::Failed).await;
    ledger.sql("update jobs set failed_at = null").await;
    assert_eq!(ledger.column(id, "failed_at = finished_at").await.as_deref(), Some("true"));
    ledger.sql("update jobs set status = 'pending', epoch = epoch + 1, round = round + 1, message_id = null, finished_at = null").await;
    assert_eq!(ledger.column(id, "failed_at").await, None);
}
