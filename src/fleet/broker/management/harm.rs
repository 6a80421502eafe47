//! Orders that only tests of faults give.

use super::{client::Management, error::ManagementError};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Routed {
    routed: bool,
}

impl Management {
    /// Throws away the ready messages of a queue.
    ///
    /// # Errors
    /// As [`Management::overview`]; a queue that is not there is [`ManagementError::NotFound`].
    pub async fn purge_queue(&self, vhost: &str, queue: &str) -> Result<(), ManagementError> {
        let path = ["queues", vhost, queue, "contents"];
        self.order(&format!("the messages of queue {queue}"), Method::DELETE, &path, &Value::Null).await
    }

    /// Removes a policy; one that is not there is no error.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn delete_policy(&self, vhost: &str, name: &str) -> Result<(), ManagementError> {
        let (what, path) = (format!("policy {name}"), ["policies", vhost, name]);
        match self.order(&what, Method::DELETE, &path, &Value::Null).await {
            Err(ManagementError::NotFound { .. }) => Ok(()),
            other => other,
        }
    }

    /// Closes every AMQP connection, and says how many the broker knew. Its statistics lag: connections of the last
    /// seconds may be missing.
    ///
    /// # Errors
    /// As [`Management::overview`].
    pub async fn close_connections(&self) -> Result<usize, ManagementError> {
        let connections: Vec<Named> =
            self.get_with("the connections", &["connections"], &[("columns", "name")]).await?;
        for Named { name } in &connections {
            match self.order("a connection", Method::DELETE, &["connections", name], &Value::Null).await {
                Ok(()) | Err(ManagementError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(connections.len())
    }

    /// Publishes any body with any properties (`{"delivery_mode": 2, "message_id": "7"}`), and says whether a queue took
    /// it.
    ///
    /// # Errors
    /// As [`Management::overview`]; an exchange that is not there is [`ManagementError::NotFound`].
    pub async fn publish(
        &self,
        vhost: &str,
        exchange: &str,
        routing_key: &str,
        body: &str,
        properties: &Value,
    ) -> Result<bool, ManagementError> {
        let message = json!({"properties": properties, "routing_key": routing_key, "payload": body,
            "payload_encoding": "string"});
        let path = ["exchanges", vhost, exchange, "publish"];
        let Routed { routed } = self.ask("a message", Method::POST, &path, &message).await?;
        Ok(routed)
    }
}
