//! The plans of the batch statements: a statement by key must find its rows by key, whatever the statistics say, and
//! no pick may read or sort a backlog.
//!
//! Each statement runs for real, under EXPLAIN ANALYZE and rolled back, in a ledger whose statistics are of a bad
//! moment (taken when nothing was due, queued or held), of a good one, and of one while rows were being written, as a
//! generic and as a custom plan, with the settings that its connections have.

mod backlog;
mod cases;
mod checker;

use crate::support::TestDb;
use cases::{Case, Session};
use checker::Plan;
use docket::{
    db::{PoolOptions, PoolPurpose, pool},
    fleet::ledger::statements,
};
use std::{collections::HashMap, time::Duration};
use tokio_postgres::{Client, SimpleQueryMessage};

/// How the planner is asked to plan. Left alone it goes from custom to generic plans after five executions.
const MODES: [&str; 2] = ["force_generic_plan", "force_custom_plan"];

#[tokio::test]
async fn no_plan_reads_more_than_its_batch() {
    let db = TestDb::migrated().await;
    let client = db.connect().await;
    backlog::fill(&client).await;
    let mut faults = check_all(&db, "bad", cases::all(), &MODES).await;
    client.batch_execute("analyze jobs; analyze job_messages; analyze job_events").await.unwrap();
    faults.extend(check_all(&db, "good", cases::all(), &MODES).await);
    // As an autovacuum leaves it that came by while a backlog was being written: many pages, few rows. Generic plans are
    // kept for longer than that lasts.
    client.batch_execute("update pg_class set reltuples = 400 where oid = 'jobs'::regclass").await.unwrap();
    let pinned = cases::all().into_iter().filter(|case| matches!(case.session, Session::Engine)).collect();
    faults.extend(check_all(&db, "early", pinned, &MODES[..1]).await);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[tokio::test]
async fn the_checker_finds_the_traps_that_it_is_there_for() {
    let db = TestDb::migrated().await;
    let client = db.connect().await;
    backlog::fill(&client).await;
    for (case, sql, expected) in cases::traps() {
        let session = session(&db, case.session).await;
        let faults = check(&session, &case, sql, MODES[0]).await;
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{}: {faults:?}", case.name);
    }
}

#[test]
fn every_statement_has_a_case() {
    let listed: Vec<&str> = statements().into_iter().map(|(name, _)| name).collect();
    let cases = cases::all();
    for name in &listed {
        assert!(cases.iter().any(|case| case.name == *name), "{name} has no case");
    }
}

/// What is wrong, over these cases and modes.
async fn check_all(db: &TestDb, moment: &str, cases: Vec<Case>, modes: &[&str]) -> Vec<String> {
    let sql: HashMap<&str, &str> = statements().into_iter().collect();
    let mut faults = Vec::new();
    for case in cases {
        let session = session(db, case.session).await;
        for mode in modes {
            let found = check(&session, &case, sql[case.name], mode).await;
            faults.extend(found.into_iter().map(|fault| format!("{} ({moment}, {mode}): {fault}", case.name)));
        }
    }
    faults
}

/// A session with the settings of the pool that the statement runs on.
async fn session(db: &TestDb, session: Session) -> deadpool_postgres::Object {
    let purpose = match session {
        Session::Engine => PoolPurpose::Engine,
        Session::General => PoolPurpose::General,
    };
    // What is bounded here are rows. A trap is slow by nature, and slower beside other tests.
    let options = PoolOptions { statement: Duration::from_mins(5), ..PoolOptions::new(purpose, 1) };
    pool(&db.config(), options).get().await.unwrap()
}

async fn check(client: &Client, case: &Case, sql: &str, mode: &str) -> Vec<String> {
    client.batch_execute(&format!("set plan_cache_mode = {mode}; prepare s as {sql}")).await.unwrap();
    client.batch_execute("begin").await.unwrap();
    let arguments = if case.arguments.is_empty() { String::new() } else { format!("({})", case.arguments.join(", ")) };
    let explain = format!("explain (analyze, timing off, format json) execute s{arguments}");
    let answer = client.simple_query(&explain).await.unwrap_or_else(|e| panic!("{}: {e:?}", case.name));
    client.batch_execute("rollback; deallocate s").await.unwrap();
    let text = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let faults = Plan::parse(text.unwrap()).faults(case.indexes, case.rows);
    // With DOCKET_TEST_PLANS set, a failing test shows the plans too.
    if !faults.is_empty() && std::env::var_os("DOCKET_TEST_PLANS").is_some() {
        println!("{} {mode} {}", case.name, text.unwrap());
    }
    faults
}
