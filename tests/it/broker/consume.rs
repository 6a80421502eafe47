//! Subscriptions: windows, bands, stop and faults.

use super::support::{Host, message_to, prefetch, publish, until, until_depth};
use docket::fleet::{
    broker::{AmqpSubscription, BrokerUser},
    job::Band,
    ports::{Acks, Broker as _, BrokerError, Delivery, Prefetch, PublishOutcome, Subscription},
};
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

async fn receive(subscription: &mut AmqpSubscription, count: usize) -> Vec<Delivery> {
    let mut received = Vec::new();
    for _ in 0..count {
        received.push(subscription.next().await.expect("a delivery"));
    }
    received
}

/// Whether nothing is delivered: the prefetch is used up. Also shows that `next` may be dropped while it waits.
async fn is_quiet(subscription: &mut AmqpSubscription) -> bool {
    timeout(Duration::from_millis(300), subscription.next()).await.is_err()
}

#[tokio::test]
async fn acks_open_the_window_again() {
    let host = Host::new().await;
    let broker = host.broker().await;
    publish(&broker, 12).await;
    let mut subscription = broker.subscribe("default", prefetch(4)).await.expect("the lane");
    let tags: Vec<u64> = receive(&mut subscription, 4).await.iter().map(|d| d.tag).collect();
    assert!(is_quiet(&mut subscription).await, "more than the prefetch was delivered");

    subscription.ack(Acks { up_to: Some(tags[2]), single: Vec::new() }).await.expect("an ack");
    let more: Vec<u64> = receive(&mut subscription, 3).await.iter().map(|d| d.tag).collect();
    assert!(is_quiet(&mut subscription).await);

    // Out of order, singly, and one that `up_to` covers already.
    subscription.ack(Acks { up_to: Some(tags[3]), single: vec![tags[3], more[2], more[0]] }).await.expect("an ack");
    receive(&mut subscription, 3).await;
    assert!(is_quiet(&mut subscription).await);

    // Nothing to acknowledge is not everything to acknowledge.
    subscription.ack(Acks { up_to: Some(0), single: Vec::new() }).await.expect("no ack");
    assert!(is_quiet(&mut subscription).await);
    subscription.close().await;
    until_depth(&broker, Band::Normal, 6).await;
}

#[tokio::test]
async fn each_band_has_a_window_of_its_own() {
    let host = Host::new().await;
    let broker = host.broker().await;
    for (index, band) in Band::ALL.into_iter().cycle().take(15).enumerate() {
        let number = i64::try_from(index).expect("small") + 1;
        assert_eq!(broker.publish(message_to("default", band, number)).await, PublishOutcome::Confirmed);
    }
    let mut subscription = broker.subscribe("default", Prefetch([3, 2, 0])).await.expect("the lane");
    let bands: Vec<Band> = receive(&mut subscription, 6).await.iter().map(|d| d.band).collect();
    let count = |band| bands.iter().filter(|seen| **seen == band).count();
    // 0 would mean no limit to AMQP; it is taken as 1.
    assert_eq!((count(Band::High), count(Band::Normal), count(Band::Low)), (3, 2, 1));
    assert!(is_quiet(&mut subscription).await);
}

#[tokio::test]
async fn cancel_keeps_what_is_here_and_takes_no_more() {
    let host = Host::new().await;
    let broker = host.broker().await;
    publish(&broker, 5).await;
    let mut subscription = broker.subscribe("default", prefetch(3)).await.expect("the lane");
    let mut tags = vec![receive(&mut subscription, 1).await[0].tag];
    until_depth(&broker, Band::Normal, 2).await; // three are here, of which one was taken
    subscription.cancel().await.expect("a cancel");
    while let Some(delivery) = subscription.next().await {
        tags.push(delivery.tag);
    }
    assert_eq!(tags.len(), 3, "what was here is still handed out");
    subscription.ack(Acks { up_to: Some(tags[1]), single: Vec::new() }).await.expect("an ack after the cancel");
    assert_eq!(broker.depth("default", Band::Normal).await.expect("a depth"), 2);
    subscription.close().await;
    until_depth(&broker, Band::Normal, 3).await;
    assert!(broker.status().is_ready(), "an orderly stop is no fault");
}

#[tokio::test]
async fn a_deleted_queue_ends_the_subscription_and_no_more() {
    let host = Host::new().await;
    let broker = host.broker().await;
    publish(&broker, 1).await;
    let mut subscription = broker.subscribe("default", prefetch(5)).await.expect("the lane");
    let tag = receive(&mut subscription, 1).await[0].tag;
    host.call(Method::DELETE, &format!("queues/{}/docket.default.normal", host.name()), &Value::Null).await;
    assert!(subscription.next().await.is_none());
    assert!(subscription.next().await.is_none(), "the end must stay the end");
    // Harmless, whatever it says.
    drop(subscription.ack(Acks { up_to: Some(tag), single: Vec::new() }).await);
    subscription.close().await;

    let missing = broker.subscribe("default", prefetch(5)).await;
    assert!(matches!(missing, Err(BrokerError::Topology(_))), "{missing:?}");
    host.import().await;
    until("a confirm", || async {
        broker.publish(message_to("default", Band::Normal, 2)).await == PublishOutcome::Confirmed
    })
    .await;
    let mut again = broker.subscribe("default", prefetch(5)).await.expect("the lane is back");
    let delivery = again.next().await.expect("a delivery");
    assert_eq!(delivery.band, Band::Normal);
}

#[tokio::test]
async fn a_wrong_ack_is_a_fault_that_heals() {
    let host = Host::new().await;
    let broker = host.broker().await;
    publish(&broker, 3).await;
    let mut subscription = broker.subscribe("default", prefetch(2)).await.expect("the lane");
    let mut other = broker.subscribe("default", prefetch(1)).await.expect("the lane twice");
    receive(&mut subscription, 2).await;
    // The broker closes the channel for a tag that it never gave.
    drop(subscription.ack(Acks { up_to: None, single: vec![4711] }).await);
    assert!(subscription.next().await.is_none());
    receive(&mut other, 1).await;
    while other.next().await.is_some() {}
    broker.wait_ready(super::support::LONG).await.expect("a new connection");
    // The old subscription can't acknowledge anything of the new connection.
    assert!(subscription.ack(Acks { up_to: Some(1), single: Vec::new() }).await.is_err());
    drop((subscription, other));
    until_depth(&broker, Band::Normal, 3).await;
}

#[tokio::test]
async fn closing_while_deliveries_stream_harms_nobody_else() {
    let host = Host::new().await;
    let broker = host.broker().await;
    publish(&broker, 300).await;
    let mut other = broker.subscribe("default", prefetch(1)).await.expect("the lane");
    let held = receive(&mut other, 1).await[0].tag;
    for _ in 0..40 {
        let mut busy = broker.subscribe("default", prefetch(200)).await.expect("the lane");
        receive(&mut busy, 1).await;
        busy.close().await;
    }
    other.ack(Acks { up_to: Some(held), single: Vec::new() }).await.expect("an ack on the first connection");
    receive(&mut other, 1).await;
    other.close().await;
    until_depth(&broker, Band::Normal, 299).await;
}

#[tokio::test]
async fn a_refused_subscription_harms_nobody_else() {
    let host = Host::new().await;
    let only_low = BrokerUser { read: r"^docket\.default\.low$".to_owned(), ..BrokerUser::worker("low", "pw".into()) };
    let none = BrokerUser { read: "^$".to_owned(), ..BrokerUser::worker("none", "pw".into()) };
    for user in [only_low, none] {
        let broker = super::support::connected(&host.add(user).await).await;
        for _ in 0..3 {
            let refused = broker.subscribe("default", prefetch(1)).await;
            assert!(matches!(refused, Err(BrokerError::Refused(_))), "{refused:?}");
            assert!(broker.status().is_ready(), "the refusal took the connection along");
        }
    }
}
