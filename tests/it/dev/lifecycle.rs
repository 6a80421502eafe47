//! Start, hurt, restart, stop.

use std::path::Path;

use docket::dev::{Down, Services, ServicesSpec, down, reset};
use serde_json::json;

use super::remains::{processes_of, wait_until_none};

pub(super) fn spec(dir: &Path) -> ServicesSpec {
    ServicesSpec { dir: dir.to_owned(), keep: false, postgres: true, rabbitmq: None, durable: false }
}

async fn query(services: &Services, sql: &str) -> Result<(), tokio_postgres::Error> {
    let url = services.database_url().unwrap();
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute(sql).await
}

#[tokio::test]
async fn a_stop_leaves_no_process_and_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let services = Services::start(spec(dir.path())).await.unwrap();
    query(&services, "create table t ()").await.unwrap();
    let env = std::fs::read_to_string(dir.path().join("env")).unwrap();
    assert_eq!(env, format!("DATABASE_URL={}\n", services.database_url().unwrap()));
    let data = services.data_dir().to_owned();
    assert!(!processes_of(&data).is_empty());

    services.stop().await;

    wait_until_none(&data).await;
    assert!(!data.exists());
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect::<Vec<_>>(),
        ["lock"]
    );
}

#[tokio::test]
async fn kept_data_is_there_after_a_restart_and_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let keep = ServicesSpec { keep: true, durable: true, ..spec(dir.path()) };
    let services = Services::start(keep.clone()).await.unwrap();
    let data = services.data_dir().to_owned();
    query(&services, "create table t ()").await.unwrap();
    let postgres = services.postgres().unwrap();
    postgres.kill9().await;
    query(&services, "select from t").await.unwrap_err();
    postgres.start().await.unwrap();
    query(&services, "select from t").await.unwrap();
    services.stop().await;

    let services = Services::start(keep).await.unwrap();
    query(&services, "select from t").await.unwrap();
    services.stop().await;
    wait_until_none(&data).await;
    assert!(data.exists());
    reset(dir.path()).await.unwrap();
    assert!(!data.exists());
}

#[tokio::test]
async fn a_killed_server_comes_back_although_a_session_was_busy() {
    let dir = tempfile::tempdir().unwrap();
    let services = Services::start(spec(dir.path())).await.unwrap();
    let url = services.database_url().unwrap().to_owned();
    let busy = "select count(*) from generate_series(1, 1e12::bigint)";
    let (session, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let session = tokio::spawn(async move { session.batch_execute(busy).await });
    let is_busy = "do $$ begin while not exists (select from pg_stat_activity where query like 'select count(*) from gen%') \
                   loop perform pg_sleep(0.01); perform pg_stat_clear_snapshot(); end loop; end $$";
    query(&services, is_busy).await.unwrap();

    services.postgres().unwrap().kill9().await;
    session.await.unwrap().unwrap_err();
    services.postgres().unwrap().start().await.unwrap();

    query(&services, "select 1").await.unwrap();
    services.stop().await;
}

#[tokio::test]
async fn two_at_a_time_in_one_directory_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let services = Services::start(spec(dir.path())).await.unwrap();
    let Err(error) = Services::start(spec(dir.path())).await else { panic!("the second start was not refused") };
    assert!(error.to_string().contains("docket dev down"), "{error:#}");
    query(&services, "select 1").await.unwrap();
    services.stop().await;
    assert_eq!(down(dir.path()).await.unwrap(), Down::Nothing);
}

#[tokio::test]
async fn a_broker_comes_back_with_its_definitions_after_a_wipe() {
    let dir = tempfile::tempdir().unwrap();
    let exchange = json!({
        "name": "docket.jobs", "vhost": "a b", "type": "direct", "durable": true, "auto_delete": false,
        "internal": false, "arguments": {},
    });
    let definitions = json!({ "vhosts": [{ "name": "a b" }], "exchanges": [exchange] });
    let odd = dir.path().join("a name with 'odd' letters: é");
    let start = ServicesSpec { postgres: false, rabbitmq: Some(definitions), ..spec(&odd) };
    let services = Services::start(start).await.unwrap();
    assert!(services.amqp_url().unwrap().ends_with("/a%20b"));
    services.wait_broker().await.unwrap();
    let url = format!("{}/api/exchanges/a%20b/docket.jobs", services.management_url().unwrap());
    assert!(reqwest::get(&url).await.unwrap().status().is_success());
    let delete = reqwest::Client::new().delete(&url).send().await.unwrap();
    assert!(delete.status().is_success());

    services.rabbitmq().unwrap().wipe().await.unwrap();

    assert!(reqwest::get(&url).await.unwrap().status().is_success());
    let metrics = format!("http://127.0.0.1:{}/metrics", services.prometheus_port().unwrap());
    let metrics = reqwest::get(metrics).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("rabbitmq_build_info"));
    let data = services.data_dir().to_owned();
    services.stop().await;
    wait_until_none(&data).await;
}
