//! The files for containers, as far as they can be tried without any.

use docket::fleet::broker::{Topology, definitions};
use reqwest::Method;
use serde_json::Value;

use crate::support::{TestDb, TestVhost};

#[tokio::test]
async fn the_database_accepts_its_first_statements() {
    let client = TestDb::new().await.connect().await;
    client.batch_execute("begin").await.unwrap();
    client.batch_execute(include_str!("../../infra/postgres/10-docket.sql")).await.unwrap();
    let sql = "select array_to_string(rolconfig, ',') from pg_roles where rolname = 'docket'";
    let settings: String = client.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(settings, "idle_in_transaction_session_timeout=60s");
    client.batch_execute("rollback").await.unwrap();
}

fn broker_definitions() -> Value {
    serde_json::from_str(include_str!("../../infra/rabbitmq/definitions.json")).unwrap()
}

#[test]
fn the_brokers_definitions_are_those_of_the_code() {
    let code = definitions(&Topology::new(["default"]).unwrap(), "/", &[]);
    assert_eq!(broker_definitions(), code, "infra/rabbitmq/definitions.json is to hold:\n{code:#}");
}

#[tokio::test]
async fn the_broker_accepts_its_definitions() {
    let definitions = broker_definitions();
    let vhost = TestVhost::new(&definitions).await;
    for section in ["queues", "policies"] {
        let there = vhost.call(Method::GET, &format!("{section}/{}", vhost.name()), &Value::Null).await;
        let names = |list: &Value| {
            let mut names: Vec<_> = list.as_array().unwrap().iter().map(|entry| entry["name"].to_string()).collect();
            names.sort();
            names
        };
        assert_eq!(names(&there), names(&definitions[section]));
    }
    vhost.delete().await;
}
