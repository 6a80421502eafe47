//! A broker that is not there, or not for us.

use super::support::{Host, LONG, message, prefetch, publish, settings, start, until, until_depth};
use docket::fleet::{
    broker::{AmqpBroker, BrokerSettings},
    job::Band,
    ports::{Acks, Broker as _, BrokerError, PublishOutcome, Subscription as _},
};
use secrecy::SecretString;
use std::time::Duration;
use tokio::{io::AsyncWriteExt as _, net::TcpListener};
use tokio_util::sync::CancellationToken;

/// What a broker says that can't be reached.
async fn error_of(url: &SecretString) -> String {
    // A real broker on a busy machine may need its time; only the silent port is waited for.
    error_within(url, LONG).await
}

async fn error_within(url: &SecretString, connect_deadline: Duration) -> String {
    let broker = start(url, BrokerSettings { connect_deadline, ..settings() });
    until("a reason", || async { broker.status().last_error.is_some() }).await;
    let Err(BrokerError::Away(error)) = broker.wait_ready(Duration::from_millis(1)).await else {
        panic!("no reason was given")
    };
    assert!(!broker.can_publish());
    assert_eq!(broker.publish(message(1)).await, PublishOutcome::Nacked, "nothing was written");
    assert!(matches!(broker.depth("default", Band::Normal).await, Err(BrokerError::Away(_))));
    assert!(matches!(broker.subscribe("default", prefetch(1)).await, Err(BrokerError::Away(_))));
    broker.shutdown().await;
    error
}

#[tokio::test]
async fn a_refused_connection_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let error = error_of(&format!("amqp://user:s3cret@{address}/v").into()).await;
    assert!(error.contains("is RabbitMQ running there?") && !error.contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_silent_port_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let error = error_within(&format!("amqp://user:s3cret@{address}/v").into(), Duration::from_secs(1)).await;
    assert!(error.contains("does not answer within 1s") && !error.contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_port_that_speaks_something_else_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // The client may be gone.
            drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await);
        }
    });
    let error = error_of(&format!("amqp://user:s3cret@{address}/v").into()).await;
    assert!(error.contains(&address.to_string()) && !error.contains("s3cret"), "{error}");
    server.abort();
}

#[tokio::test]
async fn a_bad_url_is_refused_at_once() {
    let url = SecretString::from("http://user:s3cret@127.0.0.1/");
    let error = AmqpBroker::start(&url, settings(), &CancellationToken::new()).expect_err("refused").to_string();
    assert!(error.contains("amqp://") && !error.contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_host_are_told_apart() {
    let host = Host::new().await;
    let error = error_of(&host.url_of("docket", "s3cret")).await;
    assert!(error.contains("refuses the user or its password") && !error.contains("s3cret"), "{error}");
    let error = error_of(&host.url_of_nowhere()).await;
    assert!(error.contains("no virtual host \"no-such-host\""), "{error}");
}

/// The runtime of this test has one thread, which the sleep blocks for longer than the broker waits for a heartbeat.
#[tokio::test]
async fn heartbeats_go_on_while_the_programs_threads_are_blocked() {
    let host = Host::new().await;
    let broker = start(&host.url(), BrokerSettings { heartbeat: Duration::from_secs(1), ..settings() });
    broker.wait_ready(LONG).await.expect("a broker that answers");
    publish(&broker, 2).await;
    let mut subscription = broker.subscribe("default", prefetch(1)).await.expect("the lane");
    let tag = subscription.next().await.expect("a delivery").tag;
    // A handler that blocks its thread for six heartbeats.
    let (_silent, never) = std::sync::mpsc::channel::<()>();
    assert!(never.recv_timeout(Duration::from_secs(6)).is_err());
    assert!(broker.status().is_ready() && broker.can_publish());
    let ack = Acks { up_to: Some(tag), single: Vec::new() };
    subscription.ack(ack).await.expect("an ack on the old connection");
    let next = subscription.next().await.expect("a delivery on the old connection");
    assert_ne!(next.tag, tag);
    publish(&broker, 1).await;
}

#[tokio::test]
async fn questions_leave_no_channels() {
    let host = Host::new().await;
    let broker = host.broker().await;
    // More than a connection may have channels, of which each question takes one, or a few.
    for _ in 0..2_100 {
        assert_eq!(broker.depth("default", Band::Low).await.expect("a depth"), 0);
    }
    let open = || async {
        let path = format!("vhosts/{}/channels", host.name());
        host.call(reqwest::Method::GET, &path, &serde_json::Value::Null).await.as_array().map_or(0, Vec::len)
    };
    until("the publishing channel alone", || async { open().await == 1 }).await;
}

#[tokio::test]
async fn shutdown_ends_everything() {
    let host = Host::new().await;
    let broker = host.broker().await;
    publish(&broker, 2).await;
    let mut subscription = broker.subscribe("default", prefetch(1)).await.expect("the lane");
    subscription.next().await.expect("a delivery");
    broker.shutdown().await;
    assert!(subscription.next().await.is_none());
    assert!(!broker.can_publish());
    assert_eq!(broker.publish(message(3)).await, PublishOutcome::Nacked);
    let status = broker.status();
    assert!(!status.publishing && !status.consuming);
    // A clone of a channel that somebody still holds doesn't keep the connection: what it had is ready again.
    let other = host.broker().await;
    until_depth(&other, Band::Normal, 2).await;
    drop(subscription);
}
