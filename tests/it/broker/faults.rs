//! What happens to the whole node: killed, stopped, wiped, silent.

use super::support::{LONG, Node, message, prefetch, publish, until};
use docket::fleet::{
    broker::AmqpBroker,
    job::Band,
    ports::{Acks, Broker as _, BrokerError, PublishOutcome, Subscription as _},
};
use std::time::Duration;
use tokio::task::JoinHandle;

fn ack(tag: u64) -> Acks {
    Acks { up_to: Some(tag), single: Vec::new() }
}

/// Publishes, one after another, until one is not confirmed; returns how many were.
fn publish_until_refused(broker: &AmqpBroker) -> JoinHandle<u64> {
    let broker = broker.clone();
    tokio::spawn(async move {
        let mut number = 0;
        while broker.publish(message(1000 + number)).await == PublishOutcome::Confirmed {
            number += 1;
        }
        number.try_into().expect("not negative")
    })
}

async fn until_lost(broker: &AmqpBroker) {
    until("the loss is noticed", || async { !broker.status().publishing && !broker.status().consuming }).await;
    assert!(broker.status().last_error.is_some() && !broker.can_publish());
}

async fn until_confirmed(broker: &AmqpBroker) {
    broker.wait_ready(LONG).await.expect("connected again");
    until("a confirm", || async { broker.publish(message(1)).await == PublishOutcome::Confirmed }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_comes_back_with_all_that_was_confirmed() {
    let node = Node::new().await;
    let broker = node.broker().await;
    publish(&broker, 100).await;
    let mut subscription = broker.subscribe("default", prefetch(10)).await.expect("the lane");
    let tag = subscription.next().await.expect("a delivery").tag;
    subscription.ack(ack(tag)).await.expect("an ack");

    let publishing = publish_until_refused(&broker);
    tokio::time::sleep(Duration::from_millis(500)).await;
    node.rabbitmq().kill9().await;
    let confirmed = publishing.await.expect("every publish was answered");
    while subscription.next().await.is_some() {}
    assert!(subscription.ack(ack(tag + 1)).await.is_err());
    until_lost(&broker).await;

    node.rabbitmq().start().await.expect("it starts again");
    until_confirmed(&broker).await;
    let ready = broker.depth("default", Band::Normal).await.expect("a depth");
    // One was acknowledged, one came after the restart; unconfirmed ones may be stored, and the ack may be lost.
    assert!(ready >= 100 + confirmed, "{ready} ready, {confirmed} confirmed in the stream");
    let mut subscription = broker.subscribe("default", prefetch(10)).await.expect("the lane");
    subscription.next().await.expect("a delivery after the restart");
    node.stop().await;
}

#[tokio::test]
async fn a_node_that_stops_in_order_is_found_again() {
    let node = Node::new().await;
    let broker = node.broker().await;
    let mut subscription = broker.subscribe("default", prefetch(1)).await.expect("the lane");
    for _ in 0..2 {
        node.rabbitmq().ctl(&["stop_app"]).await.expect("it stops");
        assert!(subscription.next().await.is_none());
        until_lost(&broker).await;
        assert_eq!(broker.publish(message(1)).await, PublishOutcome::Nacked, "nothing was written");
        assert!(matches!(broker.has_generation(1).await, Err(BrokerError::Away(_))));
        node.rabbitmq().ctl(&["start_app"]).await.expect("it starts");
        until_confirmed(&broker).await;
        subscription = broker.subscribe("default", prefetch(1)).await.expect("the lane");
        subscription.next().await.expect("a delivery");
    }
    node.stop().await;
}

#[tokio::test]
async fn a_wiped_node_lacks_the_generation_and_nothing_else() {
    let node = Node::new().await;
    let broker = node.broker().await;
    broker.declare_generation(3).await.expect("declared");
    node.rabbitmq().restart().await.expect("it comes back");
    until("the answer yes", || async { matches!(broker.has_generation(3).await, Ok(true)) }).await;

    node.rabbitmq().wipe().await.expect("it comes back");
    // While it is away there is no answer, and never a wrong one.
    until("the answer no", || async {
        let answer = broker.has_generation(3).await;
        assert!(!matches!(answer, Ok(true)), "the exchange is gone");
        answer.is_ok()
    })
    .await;
    until_confirmed(&broker).await;
    broker.declare_generation(4).await.expect("declared");
    assert!(broker.has_generation(4).await.expect("an answer"));
    node.stop().await;
}

#[tokio::test]
async fn a_silent_node_is_given_up_and_found_again() {
    let node = Node::new().await;
    let broker = node.broker().await;
    publish(&broker, 1).await;
    let mut subscription = broker.subscribe("default", prefetch(1)).await.expect("the lane");
    let tag = subscription.next().await.expect("a delivery").tag;
    node.rabbitmq().suspend();

    assert_eq!(broker.publish(message(2)).await, PublishOutcome::Unknown, "it may have been stored");
    assert!(broker.depth("default", Band::Normal).await.is_err());
    assert!(subscription.next().await.is_none(), "the heartbeat tells");
    assert!(subscription.ack(ack(tag)).await.is_err());
    until_lost(&broker).await;
    node.rabbitmq().resume();

    until_confirmed(&broker).await;
    assert!(subscription.ack(ack(tag)).await.is_err(), "a tag of the old connection");
    let mut subscription = broker.subscribe("default", prefetch(1)).await.expect("the lane");
    let again = subscription.next().await.expect("the delivery that nobody acknowledged");
    subscription.ack(ack(again.tag)).await.expect("an ack");
    node.stop().await;
}
