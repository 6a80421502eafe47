//! A virtual host, or a node, of its own for each test.

use crate::support::TestVhost;
use docket::{
    dev::{RabbitMq, Services, ServicesSpec},
    fleet::{
        broker::{AmqpBroker, BrokerSettings, BrokerUser, Topology, definitions},
        job::{Band, JobId, MessageId, Pointer},
        ports::{Broker as _, Dispatch, Outgoing, Picked, Prefetch, PublishOutcome},
    },
};
use reqwest::Method;
use secrecy::SecretString;
use serde_json::Value;
use std::{future::Future, time::Duration};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Long enough for a busy machine; a test that passes never waits for it.
pub(crate) const LONG: Duration = Duration::from_secs(120);

/// Lane `default` alone.
pub(crate) fn topology() -> Topology {
    Topology::new(["default"]).expect("a good name")
}

/// A virtual host with a topology.
pub(crate) struct Host {
    pub(crate) topology: Topology,
    vhost: TestVhost,
}

impl Host {
    pub(crate) async fn new() -> Self {
        Self::with(topology()).await
    }

    pub(crate) async fn with(topology: Topology) -> Self {
        let vhost = TestVhost::new(&definitions(&topology, "/", &[])).await;
        Self { topology, vhost }
    }

    /// Imports the definitions once more.
    pub(crate) async fn import(&self) {
        self.vhost.import(&definitions(&self.topology, "/", &[])).await;
    }

    /// Deletes the virtual host and makes an empty one with the same topology.
    pub(crate) async fn wipe(&self) {
        self.vhost.wipe(&definitions(&self.topology, "/", &[])).await;
    }

    /// An account with the rights of `user` in this virtual host, under a name that no other test has.
    pub(crate) async fn add(&self, user: BrokerUser) -> SecretString {
        self.vhost.account(&user).await.into()
    }

    /// A call of the management API that must succeed.
    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> Value {
        self.vhost.call(method, path, body).await
    }

    pub(crate) fn name(&self) -> &str {
        self.vhost.name()
    }

    pub(crate) fn url(&self) -> SecretString {
        self.vhost.url().into()
    }

    /// The URL with another account.
    pub(crate) fn url_of(&self, user: &str, password: &str) -> SecretString {
        let mut url: url::Url = self.vhost.url().parse().expect("a URL");
        url.set_username(user).expect("a name");
        url.set_password(Some(password)).expect("a password");
        url.to_string().into()
    }

    /// The URL of a virtual host that does not exist.
    pub(crate) fn url_of_nowhere(&self) -> SecretString {
        let mut url: url::Url = self.vhost.url().parse().expect("a URL");
        url.set_path("no-such-host");
        url.to_string().into()
    }

    /// A connected broker with short deadlines.
    pub(crate) async fn broker(&self) -> AmqpBroker {
        connected(&self.url()).await
    }
}

/// A node of the test's own, with a topology.
pub(crate) struct Node {
    services: Services,
    _dir: TempDir,
}

impl Node {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let spec = ServicesSpec {
            dir: dir.path().to_owned(),
            keep: false,
            postgres: false,
            rabbitmq: Some(definitions(&topology(), "/", &[])),
            durable: false,
        };
        let services = Services::start(spec).await.expect("a node");
        services.wait_broker().await.expect("a node that answers");
        // A queue whose node is killed right after its declaration may come back without a leader.
        tokio::time::sleep(Duration::from_secs(2)).await;
        Self { services, _dir: dir }
    }

    pub(crate) fn rabbitmq(&self) -> &RabbitMq {
        self.services.rabbitmq().expect("it was asked for")
    }

    pub(crate) async fn broker(&self) -> AmqpBroker {
        connected(&self.rabbitmq().amqp_url().into()).await
    }

    pub(crate) async fn stop(self) {
        self.services.stop().await;
    }
}

/// A connected broker with short deadlines.
pub(crate) async fn connected(url: &SecretString) -> AmqpBroker {
    let broker = start(url, settings());
    broker.wait_ready(LONG).await.expect("a broker that answers");
    broker
}

pub(crate) fn settings() -> BrokerSettings {
    BrokerSettings { confirm_deadline: Duration::from_secs(4), ..BrokerSettings::default() }
}

pub(crate) fn start(url: &SecretString, settings: BrokerSettings) -> AmqpBroker {
    AmqpBroker::start(url, settings, &CancellationToken::new()).expect("a good URL")
}

/// A message of one job for lane `default`.
pub(crate) fn message(number: i64) -> Outgoing {
    message_to("default", Band::Normal, number)
}

pub(crate) fn message_to(lane: &str, band: Band, number: i64) -> Outgoing {
    let pointer = Pointer(JobId(number), 2);
    let picked = Picked { pointer, priority: 100, failures: 0, max_attempts: 3, trace_id: None };
    let (lane, kind) = (lane.to_owned(), "greet".to_owned());
    Outgoing::Jobs(Dispatch { message: MessageId(number), lane, band, kind, jobs: vec![picked] })
}

/// Publishes messages 1 to `count` and expects each to be confirmed.
pub(crate) async fn publish(broker: &AmqpBroker, count: i64) {
    for number in 1..=count {
        assert_eq!(broker.publish(message(number)).await, PublishOutcome::Confirmed, "message {number}");
    }
}

/// The same prefetch for all bands.
pub(crate) const fn prefetch(count: u16) -> Prefetch {
    Prefetch([count; 3])
}

/// Waits until the answer is true.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    let wait = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LONG, wait).await.unwrap_or_else(|_| panic!("never happened: {what}"));
}

/// Waits until a band of lane `default` holds so many ready messages.
pub(crate) async fn until_depth(broker: &AmqpBroker, band: Band, ready: u64) {
    until(&format!("{ready} ready in {band}"), || async { broker.depth("default", band).await.ok() == Some(ready) })
        .await;
}
