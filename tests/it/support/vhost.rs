//! A virtual host of its own for each test.

use docket::fleet::broker::BrokerUser;
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use url::Url;

use super::{services, unique};

/// A fresh virtual host on the tests' broker.
pub(crate) struct TestVhost {
    name: String,
    url: String,
    management: Url,
}

impl TestVhost {
    /// Makes the virtual host and imports definitions into it; their own virtual hosts, users and permissions are left
    /// out. Waits for the broker.
    pub(crate) async fn new(definitions: &Value) -> Self {
        let services = services().await;
        services.wait_broker().await;
        let name = unique("test");
        let mut url = Url::parse(&services.amqp_url).unwrap();
        url.set_path(&name);
        let vhost = Self { name, url: url.into(), management: Url::parse(&services.management_url).unwrap() };
        vhost.create(definitions).await;
        vhost
    }

    async fn create(&self, definitions: &Value) {
        self.call(Method::PUT, &format!("vhosts/{}", self.name), &json!({})).await;
        let all = json!({ "configure": ".*", "write": ".*", "read": ".*" });
        let user = self.management.username();
        self.call(Method::PUT, &format!("permissions/{}/{user}", self.name), &all).await;
        self.import(definitions).await;
    }

    /// Imports definitions once more, as `docket topology apply` does.
    pub(crate) async fn import(&self, definitions: &Value) {
        self.call(Method::POST, &format!("definitions/{}", self.name), &for_any_vhost(definitions)).await;
    }

    /// Deletes the virtual host with all its messages and makes it again with these definitions.
    pub(crate) async fn wipe(&self, definitions: &Value) {
        self.call(Method::DELETE, &format!("vhosts/{}", self.name), &Value::Null).await;
        self.create(definitions).await;
    }

    /// The broker's URL with this virtual host.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The URL of a new account with these rights here, under a name that no other test has.
    pub(crate) async fn account(&self, user: &BrokerUser) -> String {
        let (name, password) = (unique(&user.name), user.password.expose_secret());
        self.call(Method::PUT, &format!("users/{name}"), &json!({"password": password, "tags": ""})).await;
        let rights = json!({"configure": user.configure, "write": user.write, "read": user.read});
        self.call(Method::PUT, &format!("permissions/{}/{name}", self.name), &rights).await;
        let mut url = Url::parse(&self.url).unwrap();
        url.set_username(&name).unwrap();
        url.set_password(Some(password)).unwrap();
        url.into()
    }

    /// The virtual host's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Calls the management API, for example `GET queues/{vhost}/{queue}`, and returns its answer.
    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> Value {
        let (status, answer) = self.try_call(method, path, body).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }

    /// As [`TestVhost::call`], with the status; an answer that is no JSON is null.
    pub(crate) async fn try_call(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        let url = self.management.join(&format!("api/{path}")).unwrap();
        let request = reqwest::Client::new().request(method, url).json(body);
        let response = request.timeout(std::time::Duration::from_secs(30)).send().await.unwrap();
        let status = response.status();
        (status, response.json().await.unwrap_or_default())
    }

    /// Publishes to a queue of jobs as a stranger with rights would; the queue must take it.
    pub(crate) async fn publish(&self, queue: &str, payload: &str) {
        let message = json!({"properties": {}, "routing_key": queue, "payload": payload, "payload_encoding": "string"});
        let path = format!("exchanges/{}/docket.jobs/publish", self.name);
        assert_eq!(self.call(Method::POST, &path, &message).await["routed"], json!(true), "{queue}");
    }

    /// Removes the virtual host and its queues. Tests with many queues do it, for the broker's memory; all others end
    /// with the broker.
    pub(crate) async fn delete(self) {
        self.call(Method::DELETE, &format!("vhosts/{}", self.name), &Value::Null).await;
    }
}

/// What can be imported into one virtual host: everything but hosts, users and what names another host.
fn for_any_vhost(definitions: &Value) -> Value {
    let sections = ["queues", "exchanges", "bindings", "policies", "parameters"];
    let unbound = sections.into_iter().filter_map(|section| {
        let mut entries = definitions.get(section)?.as_array()?.clone();
        for entry in entries.iter_mut().filter_map(Value::as_object_mut) {
            entry.remove("vhost");
        }
        Some((section.to_owned(), Value::Array(entries)))
    });
    Value::Object(unbound.collect())
}
