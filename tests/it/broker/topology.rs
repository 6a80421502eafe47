//! Generations and what is missing.

use super::support::{Host, until};
use docket::fleet::{
    broker::TopologyFault,
    ports::{Broker as _, BrokerError},
};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn the_definitions_import_and_import_again() {
    let host = Host::new().await;
    host.import().await;
    let broker = host.broker().await;
    broker.check_topology(&host.topology).await.expect("all there");
    let bindings =
        host.call(Method::GET, &format!("exchanges/{}/docket.jobs/bindings/source", host.name()), &Value::Null).await;
    assert_eq!(bindings.as_array().map(Vec::len), Some(3));
    let policies = host.call(Method::GET, &format!("policies/{}", host.name()), &Value::Null).await;
    assert_eq!(policies.as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_wiped_broker_lacks_the_generation() {
    let host = Host::new().await;
    let broker = host.broker().await;
    assert!(!broker.has_generation(1).await.expect("an answer"));
    broker.declare_generation(1).await.expect("declared");
    broker.declare_generation(1).await.expect("declared again");
    assert!(broker.has_generation(1).await.expect("an answer"));
    assert!(!broker.has_generation(2).await.expect("an answer"));
    assert!(broker.status().is_ready(), "a question harmed the connection");

    host.wipe().await;
    until("the answer no", || async { matches!(broker.has_generation(1).await, Ok(false)) }).await;
}

#[tokio::test]
async fn without_the_topology_nothing_is_known_of_a_generation() {
    let host = Host::new().await;
    let broker = host.broker().await;
    host.call(Method::DELETE, &format!("exchanges/{}/docket.jobs", host.name()), &Value::Null).await;
    let answer = broker.has_generation(1).await;
    assert!(matches!(answer, Err(BrokerError::Topology(_))), "{answer:?}");
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_named_with_its_cure() {
    let host = Host::new().await;
    let broker = host.broker().await;
    let queue = |name: &str| format!("queues/{}/{name}", host.name());
    host.call(Method::DELETE, &queue("docket.default.low"), &Value::Null).await;
    host.call(Method::DELETE, &queue("docket.default.high"), &Value::Null).await;
    let classic = json!({"durable": true, "arguments": {"x-queue-type": "classic"}});
    host.call(Method::PUT, &queue("docket.default.high"), &classic).await;
    let faults = broker.check_topology(&host.topology).await.expect_err("two faults");
    let is_missing =
        |f: &TopologyFault| matches!(f, TopologyFault::Missing { what } if what == "queue docket.default.low");
    let is_wrong =
        |f: &TopologyFault| matches!(f, TopologyFault::Mismatch { what, .. } if what == "queue docket.default.high");
    assert!(faults.len() == 2 && faults.iter().any(is_missing) && faults.iter().any(is_wrong), "{faults:?}");
    assert!(faults.iter().all(|fault| fault.to_string().contains("import the topology")), "{faults:?}");
    assert!(matches!(broker.depth("nowhere", docket::fleet::job::Band::Low).await, Err(BrokerError::Topology(_))));
    assert!(broker.status().is_ready(), "a question harmed the connection");
}
