//! `docket bench`, small: counts are asserted, times are not.

use crate::support::{TestLedger, TestVhost, metrics, services, unique};
use docket::{
    db::connect,
    dev::bench::{BenchError, BenchPlace, BenchReport, BenchSpec, Progress, Scenario, run},
    fleet::{
        broker::{Topology, definitions},
        settings::Protocol,
    },
};
use std::{collections::BTreeSet, sync::Mutex, time::Duration};
use tokio_postgres::Config;

fn spec() -> BenchSpec {
    BenchSpec {
        scenarios: Scenario::ALL.to_vec(),
        jobs: 500,
        workers: 2,
        slots: 8,
        work: Duration::from_millis(1),
        time: Duration::from_millis(500),
        seed: 7,
    }
}

fn place(database: Config, amqp: &str) -> BenchPlace<'static> {
    let protocol = Protocol { pointers_min: 4, pointers_max: 4, ..Protocol::five_times_shorter() };
    BenchPlace { database, amqp: Some(amqp.to_owned().into()), protocol, services: None, metrics: metrics() }
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_scenarios_do_all_their_jobs_and_leave_nothing_behind() {
    let vhost = TestVhost::new(&definitions(&Topology::new(["default"]).unwrap(), "/", &[])).await;
    let config = database().await;
    let seen: Mutex<Vec<Progress>> = Mutex::default();
    let report = run(&place(config.clone(), vhost.url()), &spec(), &|p| seen.lock().unwrap().push(p)).await.unwrap();

    let BenchReport { pointers_max: 4, workers: 2, slots: 8, seed: 7, scenarios } = &report else {
        panic!("what it ran with: {report:?}")
    };
    let [enqueue, drain, direct, latency] = &scenarios[..] else { panic!("four scenarios: {report:?}") };
    assert_eq!(scenarios.iter().map(|s| s.scenario).collect::<Vec<_>>(), Scenario::ALL);
    assert_eq!((enqueue.jobs, drain.jobs, direct.jobs), (500, 500, 500));
    assert_eq!(direct.leased_directly, 500);
    assert!(report.direct_share().is_some_and(|share| share > 0.0));
    assert!(enqueue.drain_per_second.is_none() && enqueue.k_mean.is_none() && enqueue.latency_ms.is_none());
    let k = drain.k_mean.unwrap();
    assert!((1.0..=500.0).contains(&k), "{k}");
    assert!(latency.jobs > 0);
    let spread = latency.latency_ms.unwrap();
    assert!(spread.p50 <= spread.p95 && spread.p95 <= spread.p99 && spread.p99 <= spread.max, "{spread:?}");
    for scenario in scenarios {
        assert!(scenario.wal_bytes_per_job > 0.0, "{scenario:?}");
        assert_eq!((scenario.cpu_seconds.rabbitmq, scenario.cpu_seconds.postgresql), (None, None), "not ours");
    }
    for name in ["pick", "claim", "complete"] {
        assert!(drain.statements.contains_key(name), "{name} in {:?}", drain.statements);
    }

    let seen = seen.into_inner().unwrap();
    let named: BTreeSet<String> = seen.iter().map(|p| p.scenario.to_string()).collect();
    assert_eq!(named.len(), 4);
    assert!(seen.contains(&Progress { scenario: Scenario::Drain, done: 500, total: 500 }));
    assert_eq!(schemas(&config).await, 0);
}

#[tokio::test]
async fn a_database_that_holds_jobs_is_refused_and_left_as_it_is() {
    let ledger = TestLedger::new().await;
    let job = ledger.job("greet").await;
    let result = run(&place(ledger.config.clone(), "amqp://127.0.0.1:9/%2f"), &spec(), &|_| {}).await;
    assert!(matches!(result, Err(BenchError::Occupied)), "{result:?}");
    assert_eq!(ledger.column(job, "epoch").await.unwrap(), "0");
}

#[tokio::test]
async fn a_broker_that_is_away_ends_the_bench_and_its_schema() {
    let config = database().await;
    let spec = BenchSpec { scenarios: vec![Scenario::Drain], ..spec() };
    let result = run(&place(config.clone(), "not a url"), &spec, &|_| {}).await;
    assert!(matches!(&result, Err(BenchError::Fleet(_))), "{result:?}");
    assert_eq!(schemas(&config).await, 0);
}
