//! The management API's client on a real broker.

use super::support::{topology, until};
use crate::support::{TestVhost, services};
use docket::fleet::broker::{
    definitions,
    management::{Limits, Management, ManagementError},
    plan::{Plan, Roles, plan},
    version::{BrokerVersion, Known, known},
};
use serde_json::json;

#[tokio::test]
async fn a_healthy_broker_answers_all_questions() {
    let vhost = TestVhost::new(&json!({})).await;
    let management = Management::new(&services().await.management_url.clone().into()).unwrap();
    let overview = management.overview().await.unwrap();
    let version: BrokerVersion = overview.rabbitmq_version.parse().unwrap();
    assert!(matches!(known(version), Known::Yes(_)), "{version}");
    assert!(management.nodes().await.unwrap()[0].running);
    until("the node has counted", || async {
        let node = &management.nodes().await.unwrap()[0];
        node.mem_alarm == Some(false) && node.disk_free.is_some() && node.fd_total.is_some()
    })
    .await;
    let flags = management.feature_flags().await.unwrap();
    assert!(flags.iter().any(|flag| flag.name == "quorum_queue" && flag.is_enabled()), "{flags:?}");
    assert!(management.no_alarm().await.unwrap());
    assert!(management.whoami().await.unwrap().is_administrator());
    assert_eq!(management.limits(vhost.name()).await.unwrap(), Limits::default());
    assert_eq!(management.permission(vhost.name(), "nobody-at-all").await.unwrap(), None);
    assert_eq!(management.exchange(vhost.name(), "docket.jobs").await.unwrap(), None);
}

/// What `docket topology export` writes is the same as what `apply` does step by step.
#[tokio::test]
async fn definitions_are_imported_whole_and_leave_nothing_to_plan() {
    let vhost = TestVhost::new(&json!({})).await;
    let management = Management::new(&services().await.management_url.clone().into()).unwrap();
    let topology = topology();
    for _ in 0..2 {
        management.import(vhost.name(), &definitions(&topology, "some other host", &[])).await.unwrap();
    }
    let observed = management.observe(vhost.name(), &topology, &[]).await.unwrap();
    assert_eq!(plan(&topology, &Roles::default(), &observed), Plan::default());
    let bad =
        json!({"policies": [{"name": "p", "pattern": "[", "definition": {}, "priority": 0, "apply-to": "queues"}]});
    let refused = management.import(vhost.name(), &bad).await.unwrap_err();
    assert!(matches!(refused, ManagementError::Refused { .. }) && !refused.is_unavailable(), "{refused}");
}
