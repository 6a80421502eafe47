//! `docket bench`, small: counts are asserted, times are not.

use crate::support::{TestLedger, TestVhost, metrics, services, unique};
use docket::{
    db::connect,
    dev::bench::{BenchError, BenchPlace, BenchSpec, Progress, Scenario, ScenarioReport, run},
    fleet::{
        broker::{Topology, definitions},
        ports::Retention,
        settings::Protocol,
    },
};
use serde_json::Value;
use std::{sync::Mutex, time::Duration};
use tokio_postgres::Config;

fn spec() -> BenchSpec {
    BenchSpec {
        jobs: Some(300),
        workers: 1,
        slots: 8,
        lanes: 2,
        work: Some(Duration::from_millis(1)),
        time: Duration::from_millis(500),
        seed: 7,
        baseline: false,
        files: None,
    }
}

fn place(database: Config, amqp: &str) -> BenchPlace<'static> {
    let protocol = Protocol { pointers_min: 4, pointers_max: 4, ..Protocol::five_times_shorter() };
    let (amqp, retention) = (Some(amqp.to_owned().into()), Retention::default());
    BenchPlace { database, amqp, protocol, retention, services: None, metrics: Some(metrics()) }
}

/// A database of its own: schemas are counted there.
async fn database() -> Config {
    let mut config = docket::db::parse_url(&services().await.database_url).unwrap();
    let name = unique("bench");
    connect(&config).await.unwrap().batch_execute(&format!("create database {name}")).await.unwrap();
    config.dbname(&name);
    config
}

/// How many schemas hold tables of Docket.
async fn schemas(config: &Config) -> i64 {
    let client = connect(config).await.unwrap();
    let sql = "select count(*) from pg_tables where tablename = 'jobs'";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// One scenario in a database and a virtual host of its own, which it leaves as they were.
async fn measure(spec: &BenchSpec, scenario: Scenario) -> (ScenarioReport, Value) {
    let topology = Topology::new(spec.lanes()).unwrap();
    let vhost = TestVhost::new(&definitions(&topology, "/", &[])).await;
    let (config, seen) = (database().await, Mutex::<Vec<Progress>>::default());
    let listener = |progress| seen.lock().unwrap().push(progress);
    let report = run(&place(config.clone(), vhost.url()), spec, scenario, &listener).await.unwrap();
    assert_eq!(schemas(&config).await, 0, "{scenario} leaves a schema");
    let seen = seen.into_inner().unwrap();
    assert!(seen.iter().all(|progress| progress.scenario == scenario) && seen[0].done == 0);
    let json = serde_json::to_value(&report).unwrap();
    well_formed(&report, &json, spec);
    (report, json)
}

/// What each scenario's line has, whatever it measures.
fn well_formed(report: &ScenarioReport, json: &Value, spec: &BenchSpec) {
    assert_eq!(json["scenario"], report.scenario.as_str());
    for key in ["jobs", "workers", "slots", "lanes", "pointers_max", "seed", "job_ms"] {
        assert!(json[key].is_u64(), "{key} in {json}");
    }
    for key in ["seconds", "rss_mib", "rss_idle_mib", "wal_bytes_per_job"] {
        assert!(json[key].as_f64().is_some_and(|number| number > 0.0), "{key} in {json}");
    }
    let measured = ["enqueue_per_second", "drain_per_second", "k_mean", "baseline_k1_per_second", "ideal_per_second"];
    for key in measured.into_iter().chain(["plain_per_second", "share", "cpu_ms_per_item"]) {
        let value = json.get(key).unwrap_or_else(|| panic!("{key} in {json}"));
        assert!(value.is_null() || value.as_f64().is_some_and(|number| number >= 0.0), "{key} in {json}");
    }
    let cpu = &json["cpu_seconds"];
    assert!(cpu["docket"].is_f64() && cpu["rabbitmq"].is_null() && cpu["postgresql"].is_null(), "not ours: {cpu}");
    assert!(json["statements"].is_object());
    assert_eq!((report.seed, report.pointers_max), (spec.seed, 4));
    if let Some(spread) = report.latency_ms {
        assert!(spread.p50 <= spread.p95 && spread.p95 <= spread.p99 && spread.p99 <= spread.max, "{spread:?}");
        assert!(["p50", "p95", "p99", "max"].iter().all(|key| json["latency_ms"][key].is_f64()), "{json}");
    } else {
        assert!(json["latency_ms"].is_null());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drain_does_all_its_jobs_and_once_more_with_one_a_message() {
    let (report, json) = measure(&BenchSpec { workers: 2, baseline: true, ..spec() }, Scenario::Drain).await;
    assert_eq!((report.jobs, report.attempts, report.workers, report.lanes), (300, Some(300), 2, 2));
    let k = report.k_mean.unwrap();
    assert!((1.0..=300.0).contains(&k), "{k}");
    assert!(json["drain_per_second"].is_f64() && json["baseline_k1_per_second"].is_f64());
    for name in ["pick", "claim", "complete"] {
        assert!(report.statements.contains_key(name), "{name} in {:?}", report.statements);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn direct_leases_all_its_jobs() {
    let (report, _) = measure(&spec(), Scenario::Direct).await;
    assert_eq!((report.jobs, report.leased_directly), (300, Some(300)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn enqueue_enqueues_all_its_jobs_and_runs_none() {
    let (report, json) = measure(&BenchSpec { jobs: Some(2_300), ..spec() }, Scenario::Enqueue).await;
    assert_eq!(report.jobs, 2_300);
    assert!(json["enqueue_per_second"].is_f64() && json["drain_per_second"].is_null() && json["k_mean"].is_null());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mixed_enqueues_and_completes_at_once() {
    // How much of it falls into the measured part depends on the machine: on a busy one nothing may.
    let (report, json) = measure(&BenchSpec { work: None, ..spec() }, Scenario::Mixed).await;
    assert_eq!(json["jobs"], report.jobs);
    assert!(json["enqueue_per_second"].is_number() && json["drain_per_second"].is_f64());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn latency_and_urgent_tell_times() {
    for scenario in [Scenario::Latency, Scenario::Urgent] {
        let (report, json) = measure(&BenchSpec { time: Duration::from_secs(1), ..spec() }, scenario).await;
        assert!(report.jobs > 0 && report.latency_ms.is_some(), "{report:?}");
        assert_eq!(json["rows_beside"].as_u64(), (scenario == Scenario::Urgent).then_some(300));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backlog_tells_three_rates_and_the_least() {
    // A tenth of the jobs comes before what is measured: the rest must last longer than a busy machine may pause.
    let spec = BenchSpec { work: Some(Duration::from_millis(20)), ..spec() };
    let (report, json) = measure(&spec, Scenario::Backlog).await;
    let rates = report.backlog.unwrap();
    let least = [rates.alone, rates.waiting, rates.history].into_iter().fold(f64::INFINITY, f64::min);
    assert_eq!(report.drain_per_second, Some(least));
    assert!(["alone", "waiting", "history"].iter().all(|key| json["backlog"][key].is_f64()), "{json}");
    assert!(report.jobs > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sleep_is_compared_with_what_its_slots_allow() {
    let spec = BenchSpec { jobs: None, work: Some(Duration::from_millis(20)), ..spec() };
    let (report, json) = measure(&spec, Scenario::Sleep).await;
    // 25 rounds of 20 ms in half a second, on 8 slots.
    assert_eq!((report.jobs, report.ideal_per_second), (200, Some(400.0)));
    assert!(json["share"].is_f64());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retry_counts_its_attempts() {
    let (report, _) = measure(&spec(), Scenario::Retry).await;
    let attempts = report.attempts.unwrap();
    // 390 expected, with a standard deviation of 8.
    assert!((340..440).contains(&attempts), "{attempts}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn effects_are_compared_with_plain_transactions() {
    let (_, json) = measure(&spec(), Scenario::Effects).await;
    assert!(json["plain_per_second"].is_f64() && json["share"].is_f64());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_are_compared_with_a_plain_loop() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("more.PDF"), b"%PDF-1.4 is not enough").unwrap();
    std::fs::write(folder.path().join("readme.txt"), b"no PDF").unwrap();
    let spec = BenchSpec { jobs: Some(5), files: Some(folder.path().to_owned()), ..spec() };
    let (report, json) = measure(&spec, Scenario::Documents).await;
    assert_eq!(report.jobs, 6);
    assert!(json["plain_per_second"].is_f64() && json["share"].is_f64());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_items_of_a_city_are_counted() {
    let (report, json) = measure(&BenchSpec { jobs: Some(3), ..spec() }, Scenario::City).await;
    // 20 of business and 2 of procedure each; from the second on, one more that comes up again.
    assert_eq!((report.jobs, report.items), (3, Some(3 * 22 + 2)));
    assert!(json["cpu_ms_per_item"].is_null(), "not all processes are ours");
    let (report, _) = measure(&BenchSpec { jobs: Some(2), ..spec() }, Scenario::Summaries).await;
    assert_eq!(report.items, Some(2 * 22 + 1));
    assert!(report.items_per_second > Some(0.0));
}

#[tokio::test]
async fn a_database_that_holds_jobs_is_refused_and_left_as_it_is() {
    let ledger = TestLedger::new().await;
    let job = ledger.job("greet").await;
    for scenario in Scenario::ALL {
        let place = place(ledger.config.clone(), "amqp://127.0.0.1:9/%2f");
        let result = run(&place, &spec(), scenario, &|_| {}).await;
        assert!(matches!(result, Err(BenchError::Occupied)), "{scenario}: {result:?}");
    }
    assert_eq!(ledger.column(job, "epoch").await.unwrap(), "0");
}

#[tokio::test]
async fn a_broker_that_is_away_ends_the_bench_and_its_schema() {
    let config = database().await;
    let result = run(&place(config.clone(), "not a url"), &spec(), Scenario::Drain, &|_| {}).await;
    assert!(matches!(&result, Err(BenchError::Fleet(_))), "{result:?}");
    assert_eq!(schemas(&config).await, 0);
}
