//! A lane comes and goes by configuration alone.

use super::support::Place;
use crate::{
    broker::support::until,
    fleet::toys::{Script, TestFleet, plain},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_lane_is_added_works_and_is_removed() {
    let place = Place::applied().await;
    let lanes = |args: &str| place.topology(args).env("DOCKET_LANES", "default,slow");
    let planned = lanes("plan").json().await;
    assert_eq!(planned["steps"].as_array().map(Vec::len), Some(6), "three queues, three bindings");
    assert_eq!(lanes("apply").run().await.code, 0);

    let mut fleet = TestFleet::on(place.vhost.url().to_owned()).await;
    // Jobs come through the broker or not at all.
    fleet.protocol.direct_lease = Duration::from_hours(1);
    fleet.lanes = vec!["slow".into()];
    fleet.scheduler();
    fleet.worker(4).await;
    let jobs: Vec<_> = [200, 100, 0].map(|priority| plain(Script::default()).lane("slow").priority(priority)).into();
    fleet.enqueue(&jobs).await;
    fleet.settled().await;
    assert_eq!(fleet.count("select count(*) from jobs where status = 'completed' and lane = 'slow'").await, 3);

    // While its worker lives the lane can't be pruned away.
    until("three consumers are counted", || async {
        let plan = place.plan().await;
        let busy = |left: &Value| left["consumers"] == 1 && left["messages"] == 0;
        plan["leftovers"].as_array().is_some_and(|all| all.len() == 3 && all.iter().all(busy))
    })
    .await;
    let busy = place.topology("apply --prune --yes").json().await;
    assert_eq!((&busy["pruned"], busy["leftovers"].as_array().map(Vec::len)), (&json!([]), Some(3)));
    fleet.stop().await;
    removed(&place).await;
}

/// Two of its queues are empty and go; the third holds a message and stays until it is drained.
async fn removed(place: &Place) {
    place.vhost.publish("docket.slow.high", "x").await;
    until("the message is counted and the consumers are gone", || async {
        let plan = place.plan().await;
        let counts = |n: usize| (plan["leftovers"][n]["messages"].as_u64(), plan["leftovers"][n]["consumers"].as_u64());
        let mut all = [counts(0), counts(1), counts(2)];
        all.sort_unstable();
        all == [(Some(0), Some(0)), (Some(0), Some(0)), (Some(1), Some(0))]
    })
    .await;
    let planned = place.run("plan").await;
    assert!(
        planned.code == 0 && planned.stdout.contains("holds 1 messages, drain it, then apply --prune"),
        "{planned:?}"
    );
    let unasked = place.run("apply --prune").await;
    assert!(unasked.code == 64 && unasked.stderr.contains("--yes"), "{unasked:?}");
    assert_eq!(place.list("queues").await.as_array().map(Vec::len), Some(7), "nothing was deleted");

    let pruned = place.topology("apply --prune --yes").json().await;
    assert_eq!(pruned["pruned"].as_array().map(Vec::len), Some(2), "{pruned}");
    assert_eq!(pruned["leftovers"][0]["queue"], "docket.slow.high");
    place.vhost.call(Method::DELETE, &place.path("queues", "docket.slow.high/contents"), &Value::Null).await;
    until("the last queue is counted as empty", || async {
        place.plan().await["leftovers"][0]["messages"] == json!(0)
    })
    .await;
    let pruned = place.topology("apply --prune --yes").json().await;
    assert_eq!((&pruned["pruned"], &pruned["leftovers"]), (&json!(["docket.slow.high"]), &json!([])));
}

/// What the statistics don't show yet is seen by asking the queue itself.
#[tokio::test]
async fn a_message_that_is_not_counted_yet_saves_its_queue() {
    use docket::fleet::broker::{Pruned, management::Management, prune};
    let place = Place::applied().await;
    let management = Management::new(&crate::support::services().await.management_url.clone().into()).unwrap();
    let (vhost, queue) = (place.vhost.name(), "docket.default.low");
    until("the queue is counted", || async {
        let there = management.queue(vhost, queue).await.unwrap().unwrap();
        (there.messages, there.consumers) == (Some(0), Some(0))
    })
    .await;
    place.vhost.publish(queue, "x").await;
    assert_eq!(prune(&management, vhost, queue).await.unwrap(), Pruned::InUse);
    let planned = place.plan().await;
    assert_eq!(planned["steps"], json!([]), "its binding is back");
    assert!(management.has_ready_message(vhost, queue).await.unwrap());
}
