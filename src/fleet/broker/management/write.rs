//! The orders. Each may be repeated: the broker answers that it is so already.

use super::{
    client::Management,
    error::ManagementError,
    wire::{Binding, Exchange, Policy, Queue},
};
use reqwest::Method;
use serde_json::{Value, json};

impl Management {
    /// Declares an exchange.
    ///
    /// # Errors
    /// [`ManagementError::Refused`] if one of this name is there and differs; otherwise as [`Management::overview`].
    pub async fn put_exchange(&self, vhost: &str, exchange: &Exchange) -> Result<(), ManagementError> {
        let Exchange { name, kind, durable, auto_delete, internal, arguments } = exchange;
        let body = json!({"type": kind, "durable": durable, "auto_delete": auto_delete, "internal": internal,
            "arguments": arguments});
        self.order(&format!("exchange {name}"), Method::PUT, &["exchanges", vhost, name], &body).await
    }

    /// Declares a queue with its arguments.
    ///
    /// # Errors
    /// As [`Management::put_exchange`].
    pub async fn put_queue(&self, vhost: &str, queue: &Queue) -> Result<(), ManagementError> {
        let Queue { name, durable, auto_delete, arguments, .. } = queue;
        let body = json!({"durable": durable, "auto_delete": auto_delete, "arguments": arguments});
        self.order(&format!("queue {name}"), Method::PUT, &["queues", vhost, name], &body).await
    }

    /// Binds a queue to an exchange.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn bind_queue(&self, vhost: &str, binding: &Binding) -> Result<(), ManagementError> {
        let Binding { source, destination, routing_key, arguments, .. } = binding;
        let path = ["bindings", vhost, "e", source, "q", destination];
        let body = json!({"routing_key": routing_key, "arguments": arguments});
        self.order(&format!("binding {source} to {destination}"), Method::POST, &path, &body).await
    }

    /// Ends a binding without arguments of a queue. False: it was not there.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn unbind_queue(&self, vhost: &str, binding: &Binding) -> Result<bool, ManagementError> {
        let Binding { source, destination, routing_key, .. } = binding;
        // The API's name of a binding without arguments: its key, or ~ for the empty one.
        let key = if routing_key.is_empty() { "~" } else { routing_key.as_str() };
        let path = ["bindings", vhost, "e", source, "q", destination, key];
        let what = format!("binding {source} to {destination}");
        was_there(self.order(&what, Method::DELETE, &path, &Value::Null).await)
    }

    /// Sets a policy.
    ///
    /// # Errors
    /// [`ManagementError::Refused`] if this version does not know a key or a value; otherwise as
    /// [`Management::overview`].
    pub async fn put_policy(&self, vhost: &str, policy: &Policy) -> Result<(), ManagementError> {
        let Policy { name, pattern, apply_to, priority, definition } = policy;
        let body = json!({"pattern": pattern, "apply-to": apply_to, "priority": priority, "definition": definition});
        self.order(&format!("policy {name}"), Method::PUT, &["policies", vhost, name], &body).await
    }

    /// Deletes a queue with all that it holds; one that is not there is no error. RabbitMQ refuses its conditions
    /// `if-empty` and `if-unused` for quorum queues, so look before.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn delete_queue(&self, vhost: &str, name: &str) -> Result<(), ManagementError> {
        let path = ["queues", vhost, name];
        was_there(self.order(&format!("queue {name}"), Method::DELETE, &path, &Value::Null).await).map(drop)
    }

    /// Whether a queue has a ready message now: it takes one and puts it back, which the queue counts as a delivery.
    /// Exact, where the statistics are seconds old.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn has_ready_message(&self, vhost: &str, queue: &str) -> Result<bool, ManagementError> {
        let body = json!({"count": 1, "ackmode": "ack_requeue_true", "encoding": "base64", "truncate": 1});
        let what = format!("a message of queue {queue}");
        let taken: Vec<Value> = self.ask(&what, Method::POST, &["queues", vhost, queue, "get"], &body).await?;
        Ok(!taken.is_empty())
    }

    /// Imports definitions, such as [`definitions`](crate::fleet::broker::definitions) writes, into a virtual host. Their
    /// virtual hosts, users and permissions are left out: they are no part of one.
    ///
    /// # Errors
    /// [`ManagementError::Refused`] if one of them is refused; what came before it stays.
    pub async fn import(&self, vhost: &str, definitions: &Value) -> Result<(), ManagementError> {
        let body = within_one_vhost(definitions);
        self.order("these definitions", Method::POST, &["definitions", vhost], &body).await
    }
}

fn was_there(ordered: Result<(), ManagementError>) -> Result<bool, ManagementError> {
    match ordered {
        Ok(()) => Ok(true),
        Err(ManagementError::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The sections that a virtual host has, without the name of another one.
fn within_one_vhost(definitions: &Value) -> Value {
    let sections = ["exchanges", "queues", "bindings", "policies"];
    let kept = sections.into_iter().filter_map(|section| {
        let mut entries = definitions.get(section)?.clone();
        for entry in entries.as_array_mut()?.iter_mut().filter_map(Value::as_object_mut) {
            entry.remove("vhost");
        }
        Some((section.to_owned(), entries))
    });
    Value::Object(kept.collect())
}
