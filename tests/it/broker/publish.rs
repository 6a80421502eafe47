//! Confirms, returns and nacks.

use super::support::{Host, LONG, connected, message, message_to, prefetch, publish, settings, start, topology, until};
use docket::fleet::{
    broker::{BrokerSettings, BrokerUser},
    job::{Band, Envelope, JobId, MessageId, Pointer},
    ports::{Acks, Broker as _, DeadLetter, Outgoing, PublishOutcome, Subscription as _},
};
use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_confirmed_message_arrives_as_it_was_sent() {
    let host = Host::new().await;
    let broker = host.broker().await;
    assert!(broker.can_publish());
    publish(&broker, 1).await;
    assert_eq!(broker.depth("default", Band::Normal).await.expect("a depth"), 1);

    let mut subscription = broker.subscribe("default", prefetch(1)).await.expect("the lane");
    let delivery = subscription.next().await.expect("a delivery");
    assert_eq!(delivery.band, Band::Normal);
    let envelope = Envelope::decode(&delivery.body).expect("an envelope");
    assert_eq!(envelope, Envelope::new(MessageId(1), vec![Pointer(JobId(1), 2)]));
    let headers: Value = serde_json::from_str(&delivery.headers).expect("JSON");
    assert_eq!((&headers["message_id"], &headers["x-job-kind"]), (&json!("1"), &json!("greet")));
    subscription.ack(Acks { up_to: None, single: vec![delivery.tag] }).await.expect("an ack");
    subscription.close().await;
    assert_eq!(broker.depth("default", Band::Normal).await.expect("a depth"), 0);
}

#[tokio::test]
async fn a_probe_is_an_empty_envelope() {
    let host = Host::new().await;
    let broker = host.broker().await;
    let probe = Outgoing::Probe { lane: "default".to_owned(), band: Band::Low };
    assert_eq!(broker.publish(probe).await, PublishOutcome::Confirmed);
    let mut subscription = broker.subscribe("default", prefetch(1)).await.expect("the lane");
    let delivery = subscription.next().await.expect("a delivery");
    assert_eq!(delivery.band, Band::Low);
    assert!(Envelope::decode(&delivery.body).expect("an envelope").jobs.is_empty());
}

/// lapin puts returns on other messages' confirms; no unroutable message may pass for stored because of it.
#[tokio::test]
async fn in_a_mixed_stream_nothing_unroutable_is_confirmed() {
    let host = Host::new().await;
    // Patient: on a busy machine 400 at once take their time, and are not unknown for that.
    let broker = start(&host.url(), BrokerSettings { confirm_deadline: LONG, ..settings() });
    broker.wait_ready(LONG).await.expect("a broker that answers");
    let outcomes: Vec<(bool, PublishOutcome)> = stream::iter(1..=6000)
        .map(|number| {
            let (broker, routable) = (broker.clone(), number % 2 == 0);
            let lane = if routable { "default" } else { "nowhere" };
            async move { (routable, broker.publish(message_to(lane, Band::Normal, number)).await) }
        })
        .buffer_unordered(400)
        .collect()
        .await;
    let count = |routable, outcome| outcomes.iter().filter(|seen| **seen == (routable, outcome)).count();
    assert_eq!(count(false, PublishOutcome::Confirmed), 0, "unroutable messages passed for stored");
    assert_eq!(count(true, PublishOutcome::Returned), 0, "stored messages passed for unroutable");
    let confirmed = count(true, PublishOutcome::Confirmed);
    assert!(confirmed > 2500, "only {confirmed} of 3,000 confirmed");
    assert!(count(false, PublishOutcome::Returned) > 2500);
    // Unknown ones may be there too, never fewer than the confirmed ones.
    assert!(broker.depth("default", Band::Normal).await.expect("a depth") >= confirmed as u64);
}

#[tokio::test]
async fn a_full_queue_refuses_and_takes_again_when_it_is_drained() {
    let mut topology = topology();
    topology.max_length = 5;
    let host = Host::with(topology).await;
    let broker = host.broker().await;
    let mut outcomes = Vec::new();
    // More than the run of nacks after which the channel is reopened.
    for number in 1..=40 {
        until("a channel", || async { broker.can_publish() }).await;
        outcomes.push(broker.publish(message(number)).await);
    }
    assert_eq!(outcomes[..5], [PublishOutcome::Confirmed; 5]);
    assert_eq!(outcomes[35..], [PublishOutcome::Nacked; 5]);

    let mut subscription = broker.subscribe("default", prefetch(100)).await.expect("the lane");
    let stored = outcomes.iter().filter(|outcome| **outcome == PublishOutcome::Confirmed).count();
    for _ in 0..stored {
        let tag = subscription.next().await.expect("a delivery").tag;
        subscription.ack(Acks { up_to: Some(tag), single: Vec::new() }).await.expect("an ack");
    }
    until("a confirm", || async { broker.publish(message(99)).await == PublishOutcome::Confirmed }).await;
}

#[tokio::test]
async fn a_missing_exchange_breaks_one_channel_and_nothing_more() {
    let host = Host::new().await;
    let broker = host.broker().await;
    let mut subscription = broker.subscribe("default", prefetch(1)).await.expect("the lane");
    host.call(Method::DELETE, &format!("exchanges/{}/docket.jobs", host.name()), &Value::Null).await;
    assert_eq!(broker.publish(message(1)).await, PublishOutcome::Unknown);
    until("the reason", || async { broker.status().last_error.is_some_and(|e| e.contains("docket.jobs")) }).await;
    host.import().await;
    until("a confirm", || async { broker.publish(message(2)).await == PublishOutcome::Confirmed }).await;
    assert!(subscription.next().await.is_some(), "the consuming connection was harmed");
}

#[tokio::test]
async fn a_worker_may_publish_dead_letters_and_no_jobs() {
    let host = Host::new().await;
    let url = host.add(BrokerUser::worker("worker", "pw".into())).await;
    let broker = connected(&url).await;
    assert_eq!(broker.publish(message(1)).await, PublishOutcome::Unknown);
    until("the copy", || async { broker.publish(Outgoing::Dead(letter())).await == PublishOutcome::Confirmed }).await;
    assert_eq!(broker.depth("default", Band::Normal).await.expect("a depth"), 0);
    assert!(broker.subscribe("default", prefetch(1)).await.is_ok());
    broker.check_topology(&host.topology).await.expect("all there");
}

#[tokio::test]
async fn more_callers_than_places_all_get_an_answer() {
    let host = Host::new().await;
    let broker = start(&host.url(), BrokerSettings { window: 2, queue: 1, confirm_deadline: LONG, ..settings() });
    broker.wait_ready(LONG).await.expect("a broker that answers");
    let outcomes: Vec<_> =
        stream::iter(1..=300).map(|n| broker.publish(message(n))).buffer_unordered(300).collect().await;
    assert_eq!(outcomes, [PublishOutcome::Confirmed; 300]);
}

pub(crate) fn letter() -> DeadLetter {
    DeadLetter {
        id: JobId(7),
        epoch: 4,
        kind: "greet".to_owned(),
        lane: "default".to_owned(),
        error_class: "timeout".to_owned(),
        error: "took too long".to_owned(),
        failures: 3,
        losses: 0,
        priority: -20,
        max_attempts: 3,
        trace_id: Some(uuid::Uuid::from_u128(5)),
    }
}
