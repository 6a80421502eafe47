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

    /// Ends a binding without arguments of a queue; one that is not there is no error.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn unbind_queue(&self, vhost: &str, binding: &Binding) -> Result<(), ManagementError> {
        let Binding { source, destination, routing_key, .. } = binding;
        // The API's name of a binding without arguments: its key, or ~ for the empty one.
        let key = if routing_key.is_empty() { "~" } else { routing_key.as_str() };
        let path = ["bindings", vhost, "e", source, "q", destination, key];
        let what = format!("binding {source} to {destination}");
        gone_is_fine(self.order(&what, Method::DELETE, &path, &Value::Null).await)
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
        gone_is_fine(self.order(&format!("queue {name}"), Method::DELETE, &["queues", vhost, name], &Value::Null).await)
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

    /// Imports definitions into a virtual host; entries must not name one.
    ///
    /// # Errors
    /// [`ManagementError::Refused`] if one of them is refused; what came before it stays.
    pub async fn import(&self, vhost: &str, definitions: &Value) -> Result<(), ManagementError> {
        self.order("these definitions", Method::POST, &["definitions", vhost], definitions).await
    }
}

fn gone_is_fine(ordered: Result<(), ManagementError>) -> Result<(), ManagementError> {
    match ordered {
        Err(ManagementError::NotFound { .. }) => Ok(()),
        other => other,
    }
}
