//! A node that is out of memory holds publishers back.

use super::support::{Node, message, prefetch, publish, until, until_depth};
use docket::fleet::{
    broker::{AmqpBroker, AmqpSubscription},
    job::Band,
    ports::{Acks, Broker as _, PublishOutcome, Subscription as _},
};
use std::time::Duration;
use tokio::time::timeout;

/// For a delivery: a node that is short of memory is slow.
const PATIENCE: Duration = Duration::from_mins(1);
/// After so long nothing more comes.
const QUIET: Duration = Duration::from_secs(2);

/// The unknown publish is stored after all, which is why it is never published again: unless its session ended while the node
/// held it back, so it is tried a few times.
#[tokio::test]
async fn a_blocked_node_answers_every_publish_and_still_delivers() {
    let node = Node::new().await;
    let broker = node.broker().await;
    let mut subscription = broker.subscribe("default", prefetch(1)).await.expect("the lane");
    let mut is_stored = false;
    for _ in 0..3 {
        let bodies = after_an_alarm(&node, &broker, &mut subscription).await;
        assert!(!bodies.iter().any(|body| body.contains(r#""m":5"#)), "{bodies:?}");
        is_stored = bodies.iter().any(|body| body.contains(r#""m":4"#));
        if is_stored {
            break;
        }
    }
    assert!(is_stored, "message 4 was lost each time");
    node.stop().await;
}

/// What is delivered once a node takes messages again: 4 was published when the alarm began, 5 beside it, 6 after it.
async fn after_an_alarm(node: &Node, broker: &AmqpBroker, subscription: &mut AmqpSubscription) -> Vec<String> {
    publish(broker, 3).await;
    node.rabbitmq().ctl(&["set_vm_memory_high_watermark", "0"]).await.expect("an alarm");

    // The broker says "blocked" at the first publish; its confirm comes only when the alarm ends.
    assert_eq!(broker.publish(message(4)).await, PublishOutcome::Unknown);
    assert!(broker.status().blocked && !broker.can_publish());
    assert_eq!(broker.publish(message(5)).await, PublishOutcome::Nacked, "nothing may be written meanwhile");
    until("the reason", || async { broker.status().last_error.is_some_and(|e| e.contains("alarm")) }).await;
    for _ in 0..3 {
        taken(subscription).await;
    }
    until_depth(broker, Band::Normal, 0).await;

    node.rabbitmq().ctl(&["set_vm_memory_high_watermark", "0.4"]).await.expect("no alarm");
    until("publishing again", || async { broker.can_publish() }).await;
    assert!(!broker.status().blocked && broker.status().last_error.is_none());
    until("a confirm", || async { broker.publish(message(6)).await == PublishOutcome::Confirmed }).await;
    let mut bodies = vec![taken(subscription).await];
    while !bodies.iter().any(|body| body.contains(r#""m":6"#)) {
        bodies.push(taken(subscription).await);
    }
    // In whatever order they come.
    while let Ok(body) = timeout(QUIET, taken(subscription)).await {
        bodies.push(body);
    }
    bodies
}

/// The next delivery's body, acknowledged.
async fn taken(subscription: &mut AmqpSubscription) -> String {
    let delivery = timeout(PATIENCE, subscription.next()).await.expect("a delivery in time").expect("a delivery");
    subscription.ack(Acks { up_to: Some(delivery.tag), single: Vec::new() }).await.expect("an ack");
    String::from_utf8(delivery.body).expect("JSON")
}
