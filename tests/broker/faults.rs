//! What happens to the whole node: killed, started again, out of memory. These tests have the node for themselves.

use super::support::{Host, LONG, NODE, message, prefetch, publish, until, until_depth};
use docket::fleet::{
    broker::Topology,
    job::Band,
    ports::{Acks, Broker as _, PublishOutcome, Subscription as _},
};
use std::time::Duration;
use tokio::process::Command;

fn topology() -> Topology {
    Topology::new(["default"]).expect("a good name")
}

/// Runs rabbitmqctl for the node; returns what it printed.
async fn ctl(arguments: &[&str]) -> String {
    let program = std::env::var("DOCKET_TEST_RABBITMQ_CTL").expect("DOCKET_TEST_RABBITMQ_CTL: a rabbitmqctl");
    let output = Command::new(program).args(arguments).output().await.expect("rabbitmqctl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn kill_node() {
    let printed = ctl(&["eval", "list_to_integer(os:getpid())."]).await;
    let pid: i32 = printed.trim().parse().expect("a process id");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).expect("killed");
}

async fn start_node() {
    let command = std::env::var("DOCKET_TEST_RABBITMQ_START").expect("DOCKET_TEST_RABBITMQ_START: starts the node");
    let status = Command::new("sh").args(["-c", &command]).status().await.expect("the node starts");
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a RabbitMQ that it may kill"]
async fn a_killed_broker_comes_back_with_all_that_was_confirmed() {
    let _node = NODE.write().await;
    let host = Host::alone(topology()).await;
    let broker = host.broker().await;
    publish(&broker, 100).await;
    // A queue that is killed right after its declaration may come back without a leader.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut subscription = broker.subscribe("default", prefetch(10)).await.expect("the lane");
    let tag = subscription.next().await.expect("a delivery").tag;
    subscription.ack(Acks { up_to: Some(tag), single: Vec::new() }).await.expect("an ack");

    // A stream of publishes through the fault: each one gets an answer.
    let publishing = tokio::spawn({
        let broker = broker.clone();
        async move {
            let (mut confirmed, mut refused) = (0_u64, 0_u64);
            for number in 1000.. {
                match broker.publish(message(number)).await {
                    PublishOutcome::Confirmed => confirmed += 1,
                    _ => refused += 1,
                }
                if refused > 0 {
                    break;
                }
            }
            confirmed
        }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    kill_node().await;
    let confirmed = publishing.await.expect("every publish was answered");
    while subscription.next().await.is_some() {}
    assert!(subscription.ack(Acks { up_to: Some(tag + 1), single: Vec::new() }).await.is_err());
    until("the loss is noticed", || async { !broker.status().publishing && !broker.status().consuming }).await;
    assert!(broker.status().last_error.is_some());

    start_node().await;
    broker.wait_ready(LONG).await.expect("connected again");
    until("a confirm", || async { broker.publish(message(1)).await == PublishOutcome::Confirmed }).await;
    let ready = broker.depth("default", Band::Normal).await.expect("a depth");
    // One was acknowledged, one came after the restart; unconfirmed ones may have been stored too, and the ack may be lost.
    assert!(ready > 99 + confirmed, "{ready} ready, {confirmed} confirmed in the stream");
    let mut subscription = broker.subscribe("default", prefetch(10)).await.expect("the lane");
    subscription.next().await.expect("a delivery after the restart");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a RabbitMQ that it may starve"]
async fn a_blocked_broker_answers_every_publish_and_still_delivers() {
    let _node = NODE.write().await;
    let host = Host::alone(topology()).await;
    let broker = host.broker().await;
    publish(&broker, 3).await;
    let mut subscription = broker.subscribe("default", prefetch(1)).await.expect("the lane");
    ctl(&["set_vm_memory_high_watermark", "0"]).await;

    // The broker says "blocked" at the first publish; its confirm comes only when the alarm ends.
    assert_eq!(broker.publish(message(4)).await, PublishOutcome::Unknown);
    assert!(broker.status().blocked && !broker.can_publish());
    assert_eq!(broker.publish(message(5)).await, PublishOutcome::Nacked, "nothing may be written meanwhile");
    for _ in 0..3 {
        let tag = subscription.next().await.expect("a delivery").tag;
        subscription.ack(Acks { up_to: Some(tag), single: Vec::new() }).await.expect("an ack");
    }
    until_depth(&broker, Band::Normal, 0).await;

    ctl(&["set_vm_memory_high_watermark", "0.4"]).await;
    until("publishing again", || async { broker.can_publish() }).await;
    assert!(!broker.status().blocked);
    until("a confirm", || async { broker.publish(message(6)).await == PublishOutcome::Confirmed }).await;
    // The unknown one was stored after all: it is why an unknown message is never published again.
    subscription.next().await.expect("message 4 or 6");
}
