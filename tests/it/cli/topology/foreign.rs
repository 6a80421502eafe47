//! Objects of others, of the wrong kind, and with names that a terminal should not see.

use super::support::Place;
use docket::fleet::broker::BrokerUser;
use reqwest::Method;
use serde_json::{Value, json};

/// `e\u{1b}[31mvil\nline` in a path. RabbitMQ takes the line end out of names of exchanges and queues, not of policies.
const EVIL: &str = "e%1B%5B31mvil%0Aline";

async fn strange(place: &Place) {
    place.put(&place.path("exchanges", EVIL), &json!({"type": "fanout", "durable": true})).await;
    place.put(&place.path("queues", EVIL), &json!({"durable": true})).await;
    let classic = json!({"durable": true, "arguments": {"x-queue-type": "classic", "x-max-priority": 5}});
    place.put(&place.path("queues", "docket.default.high"), &classic).await;
    let bind = |from: &str, to: &str| place.path("bindings", &format!("e/{from}/q/{to}"));
    let key = json!({"routing_key": "docket.default.low"});
    place.vhost.call(Method::POST, &bind("docket.jobs", EVIL), &key).await;
    place.vhost.call(Method::POST, &bind(EVIL, "docket.default.low"), &key).await;
    let policy = json!({"pattern": "^docket\\.", "definition": {"max-length": 5}, "priority": 99, "apply-to": "all"});
    place.put(&place.path("policies", EVIL), &policy).await;
    place
        .put(&place.path("operator-policies", EVIL), &json!({"pattern": ".*", "definition": {"message-ttl": 1000}}))
        .await;
}

#[tokio::test]
async fn they_are_told_and_left_alone() {
    let place = Place::applied().await;
    place.vhost.call(Method::DELETE, &place.path("queues", "docket.default.high"), &Value::Null).await;
    place.vhost.call(Method::DELETE, &place.path("policies", "docket-dead"), &Value::Null).await;
    strange(&place).await;
    let planned = place.run("plan").await;
    assert_eq!(planned.code, 64, "{planned:?}");
    assert!(planned.stderr.contains("faults that docket topology apply can't mend"), "{planned:?}");
    assert!(!planned.stdout.contains('\u{1b}'), "a control character reached the terminal: {planned:?}");
    for word in [
        "queue docket.default.high is of type classic, not quorum, has the argument x-max-priority = 5",
        "binding of exchange e\u{fffd}[31mvilline to queue docket.default.low",
        "binding of exchange docket.jobs to queue e\u{fffd}[31mvilline",
        "policy e\u{fffd}[31mvil\u{fffd}line matches docket.dead, docket.default.high, docket.default.normal and 1 more",
        "operator policy e\u{fffd}[31mvil\u{fffd}line overrides",
        "set policy docket-dead",
    ] {
        assert!(planned.stdout.contains(word), "{word:?} in {}", planned.stdout);
    }

    let before = (place.list("queues").await.as_array().map(Vec::len), place.list("bindings").await);
    let applied = place.run("apply --prune --yes").await;
    assert_eq!(applied.code, 64, "{applied:?}");
    assert!(applied.stdout.contains("done: set policy docket-dead"), "{applied:?}");
    let after = (place.list("queues").await.as_array().map(Vec::len), place.list("bindings").await);
    assert_eq!(before.0, after.0);
    // The lost binding of the queue came back, and no other is gone.
    let gone = |b: &Value| !after.1.as_array().unwrap().contains(b);
    assert!(!before.1.as_array().unwrap().iter().any(gone), "a foreign binding is gone");
    assert_eq!(place.list("policies").await.as_array().map(Vec::len), Some(3));
    let again = place.plan().await;
    assert_eq!((&again["steps"], again["findings"].as_array().map(Vec::len)), (&json!([]), Some(5)));
}

#[tokio::test]
async fn many_queues_of_others_cost_nothing() {
    let place = Place::new().await;
    let queues: Vec<Value> = (0..300)
        .map(|n| json!({"name": format!("theirs.{n}"), "durable": false, "auto_delete": false, "arguments": {}}))
        .collect();
    place.vhost.import(&json!({"queues": queues})).await;
    let planned = place.topology("plan").json().await;
    assert_eq!(planned["steps"].as_array().map(Vec::len), Some(12));
    assert_eq!((&planned["leftovers"], &planned["findings"]), (&json!([]), &json!([])));
    place.vhost.delete().await;
}

#[tokio::test]
async fn missing_rights_are_named_and_the_command_mends_them() {
    let place = Place::applied().await;
    let (scheduler, _) = place.account("").await;
    let (worker, _) = place.account("").await;
    let check = format!("plan --scheduler-user {scheduler} --worker-user {worker}");
    assert_eq!(place.run(&check).await.code, 0);
    place.grant(&scheduler, ["^$", r"^docket\.jobs$", ".*"]).await;
    place.grant(&worker, ["^$", "^$", ".*"]).await;
    let lacking = place.run(&check).await;
    assert_eq!(lacking.code, 64, "{lacking:?}");
    for word in [
        format!(
            "user {scheduler} lacks configure on docket.gen.1: rabbitmqctl set_permissions -p '{}'",
            place.vhost.name()
        ),
        format!("user {scheduler} lacks write on docket.dead"),
        format!("user {worker} lacks write on docket.dead"),
    ] {
        assert!(lacking.stdout.contains(&word), "{word:?} in {}", lacking.stdout);
    }
    for user in [BrokerUser::scheduler(scheduler.as_str(), "".into()), BrokerUser::worker(worker.as_str(), "".into())] {
        place.grant(&user.name, [&user.configure, &user.write, &user.read]).await;
    }
    assert_eq!(place.run(&check).await.code, 0);
    let nobody = place.run("plan --worker-user nobody-at-all").await;
    assert!(nobody.code == 64 && nobody.stdout.contains("user nobody-at-all does not exist"), "{nobody:?}");
}
