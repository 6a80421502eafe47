//! Management URLs that lead nowhere, to the wrong place, or in with too few rights.

use super::super::process::{Ended, docket};
use super::support::{Answer, Place, answer, http, stranger};
use crate::support::services;
use docket::fleet::broker::management::{MAX_QUEUES, Management, ManagementError};
use reqwest::Method;
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

async fn plan_at(url: &str) -> Ended {
    let ended = docket("topology plan").env("DOCKET_MANAGEMENT_URL", url).run().await;
    assert!(!format!("{ended:?}").contains("hunter2"), "the password is shown: {ended:?}");
    assert_eq!(ended.stdout, "", "{ended:?}");
    assert_eq!(ended.stderr.matches('\n').count(), 1, "{ended:?}");
    ended
}

async fn refused(url: &str, code: i32, words: &[&str]) {
    let ended = plan_at(url).await;
    assert_eq!(ended.code, code, "{ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "{word:?} in {ended:?}");
    }
}

#[tokio::test]
async fn what_is_no_url_is_told_without_being_shown() {
    for url in ["hunter2", "amqp://user:hunter2@127.0.0.1", "http://user:hunter2@host:port", "http://127.0.0.1:1"] {
        refused(url, 64, &["DOCKET_MANAGEMENT_URL", "http://user:password@host:15672"]).await;
    }
    docket("topology plan").fails(64, &["DOCKET_MANAGEMENT_URL", "not set"]).await;
    docket("topology apply").fails(64, &["DOCKET_MANAGEMENT_URL", "not set"]).await;
    docket("topology plan").env("DOCKET_MANAGEMENT_URL_FILE", "/no/such/file").fails(64, &["can't read"]).await;
    for vhost in ["", ".", "..", "a\nb"] {
        let args = ["topology", "plan", "--vhost", vhost];
        let command = super::super::process::docket_args(&args).env("DOCKET_MANAGEMENT_URL", "http://u:p@127.0.0.1:1");
        command.fails(64, &["--vhost"]).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_one_clear_sentence() {
    let refusal = |reason: &str| json!({"error": "not_authorised", "reason": reason}).to_string();
    let cases = [
        (answer("401 Unauthorized", &refusal("Login failed")), 64, "refuses the user or its password"),
        (answer("401 Unauthorized", "<html>log in</html>"), 64, "refuses the user or its password"),
        (answer("401 Unauthorized", &refusal("Not management user")), 64, "set_user_tags"),
        (answer("403 Forbidden", &refusal("Not administrator user")), 64, "administrator"),
        (answer("403 Forbidden", "<html>"), 64, "is not RabbitMQ's management API"),
        (answer("404 Not Found", "<html>nothing</html>"), 64, "is not RabbitMQ's management API"),
        (answer("200 OK", "<html>welcome</html>"), 64, "no JSON"),
        (answer("200 OK", ""), 64, "no JSON"),
        (answer("200 OK", r#"{"version": {"number": "8"}}"#), 64, "rabbitmq_version"),
        (answer("200 OK", "[1, 2]"), 64, "is not RabbitMQ's management API"),
        (answer("302 Found\r\nLocation: http://127.0.0.1:1/", ""), 64, "redirects"),
        (answer("500 Oops", &refusal("\u{1b}[31m\nbroken")), 69, "fails with 500 ([31m broken)"),
        (answer("503 Busy", "<html>"), 69, "fails with 503"),
        (Answer::Endless, 64, "is larger than"),
        (Answer::Bytes(Box::new(|_| b"AMQP\x00\x00\x09\x01".to_vec())), 69, "is the port the API's"),
        (Answer::Bytes(Box::new(|_| Vec::new())), 69, "can't be reached"),
    ];
    for (answer, code, words) in cases {
        refused(&stranger(answer).await, code, &[words]).await;
    }
    refused("http://user:hunter2@127.0.0.1:1", 69, &["127.0.0.1:1", "can't be reached", "rabbitmq_management"]).await;
}

#[tokio::test]
async fn silence_ends_at_the_deadline() {
    let url = stranger(Answer::Silence).await;
    let management = Management::new(&url.into()).unwrap().with_deadline(Duration::from_millis(200));
    let error = management.overview().await.unwrap_err();
    assert!(matches!(error, ManagementError::Timeout { .. }) && error.is_unavailable(), "{error}");
}

#[tokio::test]
async fn a_password_never_follows_a_redirect() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let target = stranger(Answer::Bytes(Box::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        http("200 OK", "{}")
    })))
    .await;
    let location = target.replace("user:hunter2@", "");
    let url = stranger(answer(&format!("307 Elsewhere\r\nLocation: {location}/api/overview"), "")).await;
    refused(&url, 64, &["redirects"]).await;
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

/// Ten thousand queues that look like lanes': pages are read up to a bound, and the rest is counted.
#[tokio::test]
async fn a_flood_of_queues_is_bounded() {
    let pages = Arc::new(AtomicUsize::new(0));
    let count = pages.clone();
    let url = stranger(Answer::Bytes(Box::new(move |path| {
        let page = count.fetch_add(1, Ordering::Relaxed);
        assert!(path.contains("page_size=500") && path.contains("columns="), "{path}");
        let items: Vec<_> = (0..500).map(|n| json!({"name": format!("docket.x{page}-{n}.high")})).collect();
        http("200 OK", &json!({"items": items, "page_count": 20, "filtered_count": 10_000}).to_string())
    })))
    .await;
    let (queues, more) = Management::new(&url.into()).unwrap().queues("/", "^docket").await.unwrap();
    assert_eq!((queues.len(), more, pages.load(Ordering::Relaxed)), (MAX_QUEUES, 5_000, 10));
}

#[tokio::test]
async fn the_brokers_own_refusals_name_what_is_missing() {
    let place = Place::new().await;
    let (name, url) = place.account("").await;
    refused(&url, 64, &["set_user_tags", "Not management user"]).await;

    place.put(&format!("users/{name}"), &json!({"password": "hunter2", "tags": "administrator"})).await;
    let nowhere = docket("topology plan --vhost no-such-host").env("DOCKET_MANAGEMENT_URL", &url);
    nowhere.fails(64, &["no-such-host", "--vhost"]).await;
    let elsewhere = docket(&format!("topology plan --vhost {}", place.vhost.name()));
    let wrong = url.replace("hunter2", "hunter3");
    elsewhere.env("DOCKET_MANAGEMENT_URL", &wrong).fails(64, &["refuses the user or its password"]).await;

    place.put(&format!("users/{name}"), &json!({"password": "hunter2", "tags": "management"})).await;
    place.vhost.call(Method::DELETE, &place.path("permissions", &name), &json!(null)).await;
    let plan = format!("topology plan --vhost {}", place.vhost.name());
    docket(&plan).env("DOCKET_MANAGEMENT_URL", &url).fails(64, &["set_permissions", "virtual host"]).await;

    // The port of AMQP itself.
    let amqp = services().await.amqp_url.replace("amqp://", "http://");
    let ended = docket("topology plan").env("DOCKET_MANAGEMENT_URL", &amqp).run().await;
    assert_eq!(ended.code, 69, "{ended:?}");
    assert!(ended.stderr.contains("15672"), "{ended:?}");
}

/// Who may only look is told what it could not see, and gets its plan.
#[tokio::test]
async fn an_account_without_the_administrators_tag_plans_and_cant_apply() {
    let place = Place::new().await;
    let (_, url) = place.account("management").await;
    let plan = place.topology("plan").env("DOCKET_MANAGEMENT_URL", &url).run().await;
    assert_eq!(plan.code, 64, "{plan:?}");
    assert!(plan.stdout.contains("feature flags: ") && plan.stdout.contains("may not set policies"), "{plan:?}");
    let applied = place.topology("apply --json").env("DOCKET_MANAGEMENT_URL", &url).run().await;
    assert_eq!(applied.code, 64, "{applied:?}");
    assert!(applied.stderr.contains("4 of 12 steps were done") && applied.stderr.contains("policy"), "{applied:?}");
    assert_eq!(applied.json_line()["done"].as_array().map(Vec::len), Some(4));
    // No lane is without its policy: their queues come after it.
    assert_eq!(place.list("queues").await.as_array().map(Vec::len), Some(1));
    let finished = place.run("apply").await;
    assert_eq!(finished.code, 0, "{finished:?}");
}
