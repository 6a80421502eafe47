//! `docket topology check`.

use super::super::process::{Docket, docket};
use super::support::Place;
use reqwest::Method;
use serde_json::Value;

fn over_amqp(place: &Place) -> Docket {
    docket("topology check").env("AMQP_URL", place.vhost.url())
}

#[tokio::test]
async fn over_amqp_alone_it_says_what_it_did_not_check() {
    let place = Place::new().await;
    let missing = over_amqp(&place).run().await;
    assert!(missing.code == 64 && missing.stdout.contains("exchange docket.jobs is missing"), "{missing:?}");
    assert_eq!(place.run("apply").await.code, 0);
    place.vhost.call(Method::DELETE, &place.path("policies", "docket-lanes"), &Value::Null).await;
    let blind = over_amqp(&place).run().await;
    assert!(
        blind.code == 0 && blind.stdout.contains("policies, bindings, users' rights: set DOCKET_MANAGEMENT_URL"),
        "{blind:?}"
    );

    let seeing = place.topology("check").env("AMQP_URL", place.vhost.url()).run().await;
    assert!(seeing.code == 64 && seeing.stdout.contains("set policy docket-lanes"), "{seeing:?}");
    assert_eq!(place.run("apply").await.code, 0);
    let whole = place.topology("check").env("AMQP_URL", place.vhost.url()).json().await;
    assert_eq!(
        (whole["faults"].as_array().map(Vec::len), whole["unchecked"].as_array().map(Vec::len)),
        (Some(0), Some(1))
    );
}

#[tokio::test]
async fn the_virtual_host_is_that_of_the_amqp_url() {
    let place = Place::applied().await;
    let url = crate::support::services().await.management_url.clone();
    let both = || over_amqp(&place).env("DOCKET_MANAGEMENT_URL", &url);
    let checked = both().json().await;
    assert_eq!(checked["faults"], serde_json::json!([]));
    let planned =
        docket("topology plan").env("AMQP_URL", place.vhost.url()).env("DOCKET_MANAGEMENT_URL", &url).json().await;
    assert_eq!(planned["vhost"], place.vhost.name());
    let two = docket("topology check --vhost other").env("AMQP_URL", place.vhost.url());
    two.fails(64, &["--vhost \"other\"", place.vhost.name()]).await;
}

#[tokio::test]
async fn a_broker_that_is_away_is_no_fault_of_the_topology() {
    docket("topology check").fails(64, &["AMQP_URL", "DOCKET_MANAGEMENT_URL"]).await;
    let away = docket("topology check").env("AMQP_URL", "amqp://user:hunter2@127.0.0.1:1");
    let ended = away.fails(69, &["AMQP_URL", "127.0.0.1:1"]).await;
    assert!(!format!("{ended:?}").contains("hunter2"), "{ended:?}");
}
