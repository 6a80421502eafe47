//! A virtual host of its own for each test.

use docket::fleet::{
    broker::{AmqpBroker, BrokerSettings, BrokerUser, Topology, definitions},
    job::{Band, JobId, MessageId, Pointer},
    ports::{Broker as _, Dispatch, Outgoing, Picked, Prefetch, PublishOutcome},
};
use reqwest::{Client, Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use std::{future::Future, time::Duration};
use tokio::sync::{RwLock, RwLockReadGuard};
use tokio_util::sync::CancellationToken;

/// Tests that disturb the whole node take it for writing, all others for reading.
pub(crate) static NODE: RwLock<()> = RwLock::const_new(());

/// Long enough for a busy machine; a test that passes never waits for it.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Addresses of the broker: AMQP and management.
pub(crate) fn services() -> (String, String) {
    let variable = |name| std::env::var(name).unwrap_or_else(|_| panic!("set {name} to a RabbitMQ for tests"));
    (variable("DOCKET_TEST_AMQP_URL"), variable("DOCKET_TEST_MANAGEMENT_URL"))
}

/// A virtual host with a topology.
pub(crate) struct Host {
    pub(crate) vhost: String,
    pub(crate) topology: Topology,
    client: Client,
    _node: Option<RwLockReadGuard<'static, ()>>,
}

impl Host {
    /// With lane `default`, and a share of the node.
    pub(crate) async fn new() -> Self {
        Self::with(Topology::new(["default"]).expect("a good name")).await
    }

    pub(crate) async fn with(topology: Topology) -> Self {
        let guard = NODE.read().await;
        Self { _node: Some(guard), ..Self::alone(topology).await }
    }

    /// For tests that hold the node themselves.
    pub(crate) async fn alone(topology: Topology) -> Self {
        let vhost = format!("t-{}", uuid::Uuid::new_v4().simple());
        let host = Self { vhost, topology, client: Client::new(), _node: None };
        host.create().await;
        host
    }

    async fn create(&self) {
        let vhost = &self.vhost;
        self.api(Method::PUT, &format!("vhosts/{vhost}"), None).await;
        let all = json!({"configure": ".*", "write": ".*", "read": ".*"});
        self.api(Method::PUT, &format!("permissions/{vhost}/guest"), Some(all)).await;
        self.import().await;
    }

    /// Imports the definitions, as `docket topology apply` does.
    pub(crate) async fn import(&self) {
        let all = definitions(&self.topology, &self.vhost, &[]);
        self.api(Method::POST, &format!("definitions/{}", self.vhost), Some(all)).await;
    }

    /// Deletes the virtual host and makes an empty one with the same topology.
    pub(crate) async fn wipe(&self) {
        self.api(Method::DELETE, &format!("vhosts/{}", self.vhost), None).await;
        self.create().await;
    }

    /// Creates an account with its rights in this virtual host.
    pub(crate) async fn add(&self, user: &BrokerUser) {
        let account = json!({"password": user.password.expose_secret(), "tags": ""});
        self.api(Method::PUT, &format!("users/{}", user.name), Some(account)).await;
        let rights = json!({"configure": user.configure, "write": user.write, "read": user.read});
        self.api(Method::PUT, &format!("permissions/{}/{}", self.vhost, user.name), Some(rights)).await;
    }

    /// A call of the management API that must succeed.
    pub(crate) async fn api(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}/api/{path}", services().1.trim_end_matches('/'));
        let request = self.client.request(method.clone(), &url).basic_auth("guest", Some("guest"));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.expect("the management API answers");
        let (status, text) = (answer.status(), answer.text().await.expect("a body"));
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        if status == StatusCode::NO_CONTENT { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::Null) }
    }

    pub(crate) fn url(&self) -> SecretString {
        format!("{}/{}", services().0.trim_end_matches('/'), self.vhost).into()
    }

    /// The URL with another account.
    pub(crate) fn url_of(&self, user: &str, password: &str) -> SecretString {
        let mut url: url::Url = self.url().expose_secret().parse().expect("a URL");
        url.set_username(user).expect("a name");
        url.set_password(Some(password)).expect("a password");
        url.to_string().into()
    }

    /// A connected broker with short deadlines.
    pub(crate) async fn broker(&self) -> AmqpBroker {
        let broker = start(&self.url(), settings());
        broker.wait_ready(LONG).await.expect("a broker that answers");
        broker
    }
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
