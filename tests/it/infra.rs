//! The files for containers, as far as they can be tried without any.

use docket::fleet::broker::{BrokerUser, Topology, definitions};
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

const USERS: &str = include_str!("../../infra/rabbitmq/users.json");

#[test]
fn the_brokers_accounts_have_the_rights_of_the_code() {
    let none = || String::new().into();
    let users = [
        BrokerUser::administrator("docket", none()),
        BrokerUser::scheduler("docket-scheduler", none()),
        BrokerUser::worker("docket-worker", none()),
        BrokerUser::server("docket-server", none()),
    ];
    let code = definitions(&Topology::new(["default"]).unwrap(), "/", &users);
    let mut file: Value = serde_json::from_str(USERS).unwrap();
    assert_eq!(
        file["permissions"], code["permissions"],
        "infra/rabbitmq/users.json is to hold:\n{:#}",
        code["permissions"]
    );
    for (user, role) in file["users"].as_array_mut().unwrap().iter_mut().zip(["", "SCHEDULER_", "WORKER_", "SERVER_"]) {
        assert_eq!(user["password"], format!("${{DOCKET_{role}BROKER_PASSWORD}}"), "no password of its own");
        user["password"] = "".into();
    }
    assert_eq!(file["users"], code["users"]);
}

/// Compose can't fill a file in, so it has the text itself, with each `$` that is no variable's twice.
#[test]
fn compose_makes_the_same_accounts() {
    let compose = include_str!("../../docker-compose.yml");
    let inline = compose.split_once("broker-user:\n    content: |\n").unwrap().1;
    let lines: Vec<&str> = inline.lines().map_while(|line| line.strip_prefix("      ")).collect();
    assert_eq!(lines.join("\n").replace("$$", "$"), USERS.trim_end());
    for role in ["scheduler", "worker", "server"] {
        let url = format!("amqp://docket-{role}:${{DOCKET_{}_BROKER_PASSWORD}}@", role.to_uppercase());
        assert!(compose.contains(&url), "{url}");
        let secret = format!("DOCKET_{}_BROKER_PASSWORD=", role.to_uppercase());
        assert!(include_str!("../../infra/secrets").contains(&secret), "{secret}");
    }
}
