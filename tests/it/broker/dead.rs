//! docket.dead: passes over it, and the way there without a worker.

use super::{
    publish::letter,
    support::{Host, publish, until},
};
use docket::fleet::{
    broker::AmqpBroker,
    job::{JobId, Pointer},
    ports::{Broker as _, DeadLetter, DeadMessage, DeadPass as _, Outgoing, PublishOutcome},
};
use reqwest::Method;
use serde_json::{Value, json};

async fn pass(broker: &AmqpBroker, mut ack: impl FnMut(&DeadMessage) -> bool) -> Vec<DeadMessage> {
    let mut pass = broker.dead_pass().await.expect("a pass");
    let mut seen = Vec::new();
    while let Some(message) = pass.next().await.expect("an answer") {
        if ack(&message) {
            pass.ack(message.tag).await.expect("an ack");
        }
        seen.push(message);
    }
    pass.close().await;
    seen
}

async fn until_dead(broker: &AmqpBroker, ready: u64) {
    until(&format!("{ready} dead letters"), || async { broker.dead_depth().await.ok() == Some(ready) }).await;
}

#[tokio::test]
async fn a_pass_removes_what_it_acks_and_returns_the_rest() {
    let host = Host::new().await;
    let broker = host.broker().await;
    for id in 1..=4 {
        let copy = Outgoing::Dead(DeadLetter { id: JobId(id), ..letter() });
        assert_eq!(broker.publish(copy).await, PublishOutcome::Confirmed);
    }
    let seen = pass(&broker, |message| message.pointer == Some(Pointer(JobId(2), 4))).await;
    let mut ids: Vec<i64> = seen.iter().map(|m| m.pointer.expect("our copy").id().0).collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 2, 3, 4]);
    let body: Value = serde_json::from_slice(&seen[0].body).expect("JSON");
    assert_eq!((&body["error_class"], &body["error"]), (&json!("timeout"), &json!("took too long")));
    until_dead(&broker, 3).await;
    // Far more often than RabbitMQ 4's default delivery limit.
    for _ in 0..30 {
        assert_eq!(pass(&broker, |_| false).await.len(), 3);
        until_dead(&broker, 3).await;
    }
}

#[tokio::test]
async fn an_empty_queue_is_a_pass_of_nothing() {
    let host = Host::new().await;
    let broker = host.broker().await;
    assert!(pass(&broker, |_| true).await.is_empty());
}

#[tokio::test]
async fn a_rejected_message_reaches_the_dead_queue_through_the_policy() {
    let host = Host::new().await;
    let broker = host.broker().await;
    publish(&broker, 2).await;
    let get = json!({"count": 2, "ackmode": "reject_requeue_false", "encoding": "auto"});
    host.call(Method::POST, &format!("queues/{}/docket.default.normal/get", host.name()), &get).await;
    until_dead(&broker, 2).await;
    let seen = pass(&broker, |_| true).await;
    assert_eq!(seen.len(), 2);
    for message in seen {
        assert_eq!(message.pointer, None, "it is no copy that a worker published");
        let headers: Value = serde_json::from_str(&message.headers).expect("JSON");
        let death = &headers["x-death"][0];
        assert_eq!((&death["queue"], &death["reason"]), (&json!("docket.default.normal"), &json!("rejected")));
    }
    until_dead(&broker, 0).await;
}
