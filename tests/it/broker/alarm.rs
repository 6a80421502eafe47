//! A node that is out of memory holds publishers back.

use super::support::{Node, message, prefetch, publish, until, until_depth};
use docket::fleet::{
    job::Band,
    ports::{Acks, Broker as _, PublishOutcome, Subscription as _},
};
use std::time::Duration;
use tokio::time::timeout;

/// For a delivery: a node that is short of memory is slow.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_blocked_node_answers_every_publish_and_still_delivers() {
    let node = Node::new().await;
    let broker = node.broker().await;
    publish(&broker, 3).await;
    let mut subscription = broker.subscribe("default", prefetch(1)).await.expect("the lane");
    node.rabbitmq().ctl(&["set_vm_memory_high_watermark", "0"]).await.expect("an alarm");

    // The broker says "blocked" at the first publish; its confirm comes only when the alarm ends.
    assert_eq!(broker.publish(message(4)).await, PublishOutcome::Unknown);
    assert!(broker.status().blocked && !broker.can_publish());
    assert_eq!(broker.publish(message(5)).await, PublishOutcome::Nacked, "nothing may be written meanwhile");
    until("the reason", || async { broker.status().last_error.is_some_and(|e| e.contains("alarm")) }).await;
    for _ in 0..3 {
        let delivery = timeout(PATIENCE, subscription.next()).await.expect("a delivery in time");
        let tag = delivery.expect("a delivery").tag;
        subscription.ack(Acks { up_to: Some(tag), single: Vec::new() }).await.expect("an ack");
    }
    until_depth(&broker, Band::Normal, 0).await;

    node.rabbitmq().ctl(&["set_vm_memory_high_watermark", "0.4"]).await.expect("no alarm");
    until("publishing again", || async { broker.can_publish() }).await;
    assert!(!broker.status().blocked && broker.status().last_error.is_none());
    until("a confirm", || async { broker.publish(message(6)).await == PublishOutcome::Confirmed }).await;
    // The unknown one may be stored after all, which is why it is never published again; if its session ended meanwhile, it
    // is not. The refused one never is.
    let mut bodies = Vec::new();
    while !bodies.iter().any(|body: &String| body.contains(r#""m":6"#)) {
        let delivery = timeout(PATIENCE, subscription.next()).await.expect("message 6 in time").expect("message 6");
        subscription.ack(Acks { up_to: Some(delivery.tag), single: Vec::new() }).await.expect("an ack");
        bodies.push(String::from_utf8(delivery.body).expect("JSON"));
    }
    assert!(!bodies.iter().any(|body| body.contains(r#""m":5"#)), "{bodies:?}");
    node.stop().await;
}
