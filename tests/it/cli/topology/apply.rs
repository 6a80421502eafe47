//! Plan and apply on a real broker.

use super::support::Place;
use docket::fleet::broker::{Topology, definitions};
use serde_json::{Value, json};

fn words<'a>(value: &'a Value, list: &str) -> Vec<&'a str> {
    value[list].as_array().unwrap().iter().map(|entry| entry["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_empty_virtual_host_becomes_what_export_says() {
    let place = Place::new().await;
    let planned = place.topology("plan").json().await;
    assert_eq!(words(&planned, "steps").len(), 12);
    assert_eq!(planned["steps"][2]["action"], "declare_queue");
    let dry = place.run("apply --dry-run").await;
    assert!(dry.code == 0 && dry.stdout.contains("declare queue docket.default.high (quorum)"), "{dry:?}");
    assert_eq!(place.list("queues").await, json!([]), "a dry run changed something");

    let applied = place.run("apply").await;
    assert!(applied.code == 0 && applied.stdout.contains("verified"), "{applied:?}");
    let wanted = definitions(&Topology::new(["default"]).unwrap(), place.vhost.name(), &[]);
    let sorted = |list: &Value, keys: &[&str]| {
        let entry = |e: &Value| keys.iter().map(|key| e[*key].to_string()).collect::<Vec<_>>().join(" ");
        let mut entries: Vec<String> = list.as_array().unwrap().iter().map(entry).collect();
        entries.sort();
        entries
    };
    let keys = ["name", "pattern", "apply-to", "priority", "definition", "durable", "arguments"];
    for section in ["queues", "policies"] {
        assert_eq!(sorted(&place.list(section).await, &keys), sorted(&wanted[section], &keys), "{section}");
    }
    let again = place.topology("apply").json().await;
    assert_eq!((&again["done"], &again["steps"], &again["findings"]), (&json!([]), &json!([]), &json!([])));
    let nothing = place.run("plan").await;
    assert!(nothing.code == 0 && nothing.stdout.contains("nothing to do"), "{nothing:?}");
}

#[tokio::test]
async fn two_at_once_do_the_same() {
    let place = Place::new().await;
    let runs = tokio::join!(place.run("apply"), place.run("apply"), place.run("apply"));
    for ended in [runs.0, runs.1, runs.2] {
        assert!(ended.code == 0 && ended.stdout.contains("verified"), "{ended:?}");
    }
    assert_eq!(place.list("queues").await.as_array().map(Vec::len), Some(4));
}

#[tokio::test]
async fn a_changed_policy_and_a_lost_binding_are_mended() {
    let place = Place::applied().await;
    let mut policy = place.list("policies").await[1].clone();
    policy["definition"]["delivery-limit"] = json!(20);
    place.put(&place.path("policies", "docket-lanes"), &policy).await;
    let name = "docket.default.low";
    place
        .vhost
        .call(reqwest::Method::DELETE, &place.path("bindings", &format!("e/docket.jobs/q/{name}/{name}")), &json!(null))
        .await;
    let planned = place.topology("plan").json().await;
    assert_eq!(
        words(&planned, "steps"),
        ["set policy docket-lanes: delivery-limit 20 → 50", "bind queue docket.default.low to exchange docket.jobs"]
    );
    let applied = place.run("apply").await;
    assert!(applied.code == 0 && applied.stdout.contains("done: set policy docket-lanes"), "{applied:?}");
}

#[tokio::test]
async fn what_fails_halfway_says_what_is_done_and_is_finished_later() {
    let place = Place::new().await;
    place.put(&format!("vhost-limits/{}/max-queues", place.vhost.name()), &json!({"value": 2})).await;
    let halfway = place.run("apply").await;
    assert_eq!(halfway.code, 64, "{halfway:?}");
    for word in ["may hold 2 queues, and these lanes need 4", "done: declare queue docket.default.high"] {
        assert!(halfway.stdout.contains(word), "{word:?} in {halfway:?}");
    }
    for word in ["queue docket.default.normal", "7 of 12 steps were done before and stay"] {
        assert!(halfway.stderr.contains(word), "{word:?} in {halfway:?}");
    }
    place.put(&format!("vhost-limits/{}/max-queues", place.vhost.name()), &json!({"value": -1})).await;
    let finished = place.run("apply").await;
    assert!(finished.code == 0 && finished.stdout.contains("verified"), "{finished:?}");
}

#[tokio::test]
async fn export_knows_what_a_newer_broker_needs() {
    let export = |args: &'static str| super::super::process::docket(args).json();
    let old = export("topology export").await;
    assert_eq!(old["policies"][0]["definition"], json!({"overflow": "reject-publish"}));
    let new = export("topology export --broker 4.1.4").await;
    assert_eq!(new["policies"][0]["definition"]["delivery-limit"], -1);
    super::super::process::docket("topology export --broker 3.9").fails(64, &["3.10"]).await;
    super::super::process::docket("topology export --broker new").fails(64, &["--broker"]).await;
}
