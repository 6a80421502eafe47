//! `docket_enqueue`, the way in for other languages: the same row as from Rust, the same refusals, the caller's own
//! transaction.

use super::toys::{Script, TestFleet, plain};
use crate::support::TestLedger;
use docket::fleet::{enqueue::enqueue_one, job::NewJob};
use serde_json::{Value, json};
use tokio_postgres::{Client, error::SqlState};

/// All columns of a job but those that differ by nature.
async fn row(client: &Client, id: i64) -> Value {
    let sql = "select to_jsonb(j) - 'id' - 'created_at' from jobs j where id = $1";
    client.query_one(sql, &[&id]).await.unwrap().get(0)
}

#[tokio::test]
async fn its_row_is_that_of_the_library() {
    let ledger = TestLedger::new().await;
    let at = "2099-01-01T00:00:00Z".parse().unwrap();
    let trace = uuid::Uuid::new_v4();
    let full =
        NewJob { trace_id: Some(trace), args_version: 2, ..NewJob::new("greet", &json!({"name": "Ada"})).unwrap() };
    let full = full.lane("slow").priority(-7).run_at(at).max_attempts(5);
    let calls = [
        (NewJob::new("greet", &json!({})).unwrap(), "select id from docket_enqueue('greet')".to_owned()),
        (
            full,
            format!(
                "select id from docket_enqueue('greet', '{{\"name\":\"Ada\"}}', lane => 'slow', priority => -7, \
                 run_at => '2099-01-01Z', max_attempts => 5, args_version => 2, trace_id => '{trace}')"
            ),
        ),
    ];
    for (job, call) in calls {
        let ours = enqueue_one(&ledger.client, job).await.unwrap().id();
        let theirs: i64 = ledger.client.query_one(&call, &[]).await.unwrap().get(0);
        assert_eq!(row(&ledger.client, theirs).await, row(&ledger.client, ours.0).await, "{call}");
    }
}

#[tokio::test]
async fn a_key_that_is_there_is_found_and_left() {
    let ledger = TestLedger::new().await;
    let call = "select id, existing, status from docket_enqueue('greet', idempotency_key => 'once', priority => $1)";
    let ask = async |priority: i32| {
        let row = ledger.client.query_one(call, &[&priority]).await.unwrap();
        (row.get::<_, i64>(0), row.get::<_, bool>(1), row.get::<_, String>(2))
    };
    let first = ask(7).await;
    assert_eq!(ask(9).await, (first.0, true, "pending".to_owned()));
    assert_eq!((first.1, ledger.number("select priority::bigint from jobs").await), (false, 7));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_with_one_key_make_one_job() {
    let ledger = TestLedger::new().await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let client = ledger.connect().await;
        callers.spawn(async move {
            let call = "select id, existing from docket_enqueue('greet', idempotency_key => 'once')";
            let row = client.query_one(call, &[]).await.unwrap();
            (row.get::<_, i64>(0), row.get::<_, bool>(1))
        });
    }
    let answers = callers.join_all().await;
    assert_eq!(answers.iter().filter(|(_, existing)| !existing).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|(id, _)| *id == answers[0].0), "{answers:?}");
    assert_eq!(ledger.number("select count(*) from jobs").await, 1);
}

#[tokio::test]
async fn it_is_the_callers_transaction() {
    let ledger = TestLedger::new().await;
    ledger.sql("begin; select docket_enqueue('greet'); rollback").await;
    assert_eq!(ledger.number("select count(*) from jobs").await, 0);
    // Also where the caller sees a snapshot: a key that was taken since is a conflict that asks for a repeat.
    ledger.sql("begin isolation level repeatable read; select 1").await;
    ledger.connect().await.batch_execute("select docket_enqueue('greet', idempotency_key => 'k')").await.unwrap();
    let error =
        ledger.client.batch_execute("select docket_enqueue('greet', idempotency_key => 'k')").await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE), "{error}");
    ledger.sql("rollback").await;
    assert_eq!(ledger.number("select count(*) from jobs").await, 1);
}

#[tokio::test]
async fn bad_input_is_refused_in_words() {
    let ledger = TestLedger::new().await;
    let long = "x".repeat(513);
    let cases = [
        ("''".to_owned(), "kind"),
        ("null".to_owned(), "kind"),
        ("E'a\\nb'".to_owned(), "kind"),
        ("E'a\\u009bb'".to_owned(), "kind"),
        (format!("'{long}'"), "kind"),
        ("'k', lane => ''".to_owned(), "lane"),
        ("'k', lane => null".to_owned(), "lane"),
        ("'k', idempotency_key => ''".to_owned(), "idempotency key"),
        ("'k', null".to_owned(), "arguments"),
        ("'k', to_jsonb(repeat('x', 65536))".to_owned(), "65536"),
        ("'k', priority => 1001".to_owned(), "priority"),
        ("'k', priority => null".to_owned(), "priority"),
        ("'k', max_attempts => 0".to_owned(), "max_attempts"),
        ("'k', max_attempts => 40000".to_owned(), "max_attempts"),
        ("'k', args_version => 0".to_owned(), "args_version"),
        ("'k', run_at => 'infinity'".to_owned(), "run_at"),
    ];
    for (arguments, named) in cases {
        let error =
            ledger.client.batch_execute(&format!("select docket_enqueue({arguments})")).await.expect_err(&arguments);
        assert_eq!(error.code(), Some(&SqlState::INVALID_PARAMETER_VALUE), "{arguments}: {error:?}");
        let said = error.as_db_error().unwrap().message();
        assert!(said.contains(named) && said.len() < 200, "{arguments}: {said}");
    }
    ledger.sql("select docket_enqueue('Ünïcode', to_jsonb(repeat('x', 65534)), run_at => '-infinity')").await;
    assert_eq!(ledger.number("select count(*) from jobs where due").await, 1);
}

/// It has its owner's rights, so what a caller puts before it must not be found.
#[tokio::test]
async fn a_callers_tables_and_operators_are_not_used() {
    let ledger = TestLedger::new().await;
    ledger.sql("create temp table jobs (like jobs including all); set search_path = pg_temp").await;
    let schema = {
        let sql = "select n.nspname::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace \
                   where p.proname = 'docket_enqueue' and p.proconfig::text like '%' || n.nspname || ', pg_temp%'";
        let rows = ledger.connect().await.query(sql, &[]).await.unwrap();
        let own: String = ledger.connect().await.query_one("select current_schema()::text", &[]).await.unwrap().get(0);
        rows.iter().map(|row| row.get::<_, String>(0)).find(|name| *name == own).expect("pinned to its own schema")
    };
    ledger.sql(&format!("select {schema}.docket_enqueue('greet')")).await;
    assert_eq!(ledger.number("select count(*) from pg_temp.jobs").await, 0);
    assert_eq!(ledger.number(&format!("select count(*) from {schema}.jobs")).await, 1);
}

#[tokio::test]
async fn a_worker_runs_what_it_enqueued() {
    let mut fleet = TestFleet::new().await;
    fleet.scheduler();
    fleet.worker(4).await;
    let args = plain(Script { fail_first: 1, ..Script::default() }).args;
    let row = fleet.client.query_one("select id from docket_enqueue('plain', $1)", &[&args]).await.unwrap();
    fleet.settled().await;
    let seen = fleet.row(docket::fleet::job::JobId(row.get(0))).await;
    assert_eq!(seen, "completed failures=1 losses=0 priority=80");
    fleet.stop().await;
}
