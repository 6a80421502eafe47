//! What the management API answers, as far as it is read. Unknown fields are ignored, missing ones have a default:
//! versions 3.10 to 4.3 differ in both.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// `GET /api/overview`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Overview {
    /// Such as `3.10.8`.
    pub rabbitmq_version: String,
    /// Such as `25.2.3`.
    #[serde(default)]
    pub erlang_version: String,
    /// The node that answers.
    #[serde(default)]
    pub node: String,
    /// The cluster's name.
    #[serde(default)]
    pub cluster_name: String,
}

/// `GET /api/whoami`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Caller {
    /// The user's name.
    pub name: String,
    /// Such as `administrator`, `monitoring`, `policymaker`, `management`.
    #[serde(default, deserialize_with = "tags")]
    pub tags: Vec<String>,
}

impl Caller {
    /// Whether it may read users, permissions and feature flags, and write everything.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.tags.iter().any(|tag| tag == "administrator")
    }

    /// Whether it may set policies.
    #[must_use]
    pub fn may_set_policies(&self) -> bool {
        self.is_administrator() || self.tags.iter().any(|tag| tag == "policymaker")
    }
}

/// An exchange.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Exchange {
    /// Its name; the default exchange's is empty.
    pub name: String,
    /// `direct`, `topic` …
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it outlives the broker's process.
    #[serde(default)]
    pub durable: bool,
    /// Whether it goes with its last binding.
    #[serde(default)]
    pub auto_delete: bool,
    /// Whether clients can't publish to it.
    #[serde(default)]
    pub internal: bool,
    /// Such as `alternate-exchange`.
    #[serde(default, deserialize_with = "table")]
    pub arguments: Map<String, Value>,
}

/// A queue. What is `None` the broker has not said: a new queue's statistics come some seconds later.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// `quorum`, `classic`, `stream`. Old answers don't say it, then the arguments do.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    /// Whether it outlives the broker's process.
    #[serde(default)]
    pub durable: bool,
    /// Whether it goes with its last consumer.
    #[serde(default)]
    pub auto_delete: bool,
    /// Whether one connection owns it.
    #[serde(default)]
    pub exclusive: bool,
    /// What it was declared with; frozen.
    #[serde(default, deserialize_with = "table")]
    pub arguments: Map<String, Value>,
    /// The policy that the broker applies; empty for none.
    #[serde(default)]
    pub policy: Option<String>,
    /// The operator policy that the broker applies; empty for none.
    #[serde(default)]
    pub operator_policy: Option<String>,
    /// Ready, delivered and being dead-lettered.
    #[serde(default)]
    pub messages: Option<u64>,
    /// Ready messages.
    #[serde(default)]
    pub messages_ready: Option<u64>,
    /// Delivered and not acknowledged.
    #[serde(default)]
    pub messages_unacknowledged: Option<u64>,
    /// Waiting for the dead-letter exchange to take them, in a quorum queue.
    #[serde(default)]
    pub messages_dlx: Option<u64>,
    /// Consumers.
    #[serde(default)]
    pub consumers: Option<u64>,
    /// `running`, `idle`, `minority`, `down` …
    #[serde(default)]
    pub state: Option<String>,
    /// The nodes of a quorum queue.
    #[serde(default)]
    pub members: Vec<String>,
    /// Those of them that run.
    #[serde(default)]
    pub online: Vec<String>,
}

impl Queue {
    /// Its type, from its own word or from its arguments.
    #[must_use]
    pub fn type_name(&self) -> &str {
        let argued = || self.arguments.get("x-queue-type").and_then(Value::as_str);
        self.kind.as_deref().or_else(argued).unwrap_or("classic")
    }
}

/// A binding.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Binding {
    /// The exchange; empty for the default exchange's own.
    #[serde(default)]
    pub source: String,
    /// The queue or exchange.
    pub destination: String,
    /// `queue` or `exchange`.
    #[serde(default)]
    pub destination_type: String,
    /// Its key.
    #[serde(default)]
    pub routing_key: String,
    /// Matters for headers exchanges.
    #[serde(default, deserialize_with = "table")]
    pub arguments: Map<String, Value>,
}

/// A policy, or an operator policy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// A PCRE over names.
    #[serde(default)]
    pub pattern: String,
    /// `queues`, `exchanges`, `all`; from 3.12 also `classic_queues`, `quorum_queues`, `streams`.
    #[serde(rename = "apply-to", default)]
    pub apply_to: String,
    /// The highest one that matches applies, alone.
    #[serde(default)]
    pub priority: i64,
    /// Such as `delivery-limit`.
    #[serde(default, deserialize_with = "table")]
    pub definition: Map<String, Value>,
}

/// What a user may do in a virtual host: patterns of names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Permission {
    /// The user.
    pub user: String,
    /// Declare and delete.
    pub configure: String,
    /// Publish to.
    pub write: String,
    /// Consume and count.
    pub read: String,
}

/// `GET /api/feature-flags`, one entry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct FeatureFlag {
    /// Such as `quorum_queue`.
    pub name: String,
    /// `enabled`, `disabled`, `unavailable`.
    pub state: String,
    /// `stable`, `required`, `experimental`.
    #[serde(default)]
    pub stability: String,
}

impl FeatureFlag {
    /// Whether it is on.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.state == "enabled"
    }
}

/// `GET /api/nodes`, one entry. Bytes; a stopped node, and one in its first seconds, tells little but its name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Node {
    /// Such as `rabbit@host`.
    pub name: String,
    /// Whether it runs.
    #[serde(default)]
    pub running: bool,
    /// Whether memory is short: publishers are held back.
    #[serde(default)]
    pub mem_alarm: Option<bool>,
    /// Whether the disk is full: publishers are held back.
    #[serde(default)]
    pub disk_free_alarm: Option<bool>,
    /// Memory in use.
    #[serde(default)]
    pub mem_used: Option<u64>,
    /// Where the memory alarm begins.
    #[serde(default)]
    pub mem_limit: Option<u64>,
    /// Free bytes of the data directory's disk.
    #[serde(default)]
    pub disk_free: Option<u64>,
    /// Where the disk alarm begins.
    #[serde(default)]
    pub disk_free_limit: Option<u64>,
    /// Open files.
    #[serde(default)]
    pub fd_used: Option<u64>,
    /// Files that may be open.
    #[serde(default)]
    pub fd_total: Option<u64>,
}

/// Limits of a virtual host; `None` or negative is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Limits {
    /// Queues.
    #[serde(rename = "max-queues", default)]
    pub max_queues: Option<i64>,
    /// Connections.
    #[serde(rename = "max-connections", default)]
    pub max_connections: Option<i64>,
}

/// A page of a paged answer.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    #[serde(default)]
    pub(super) page_count: u64,
    /// Entries that the filter lets through, on all pages.
    #[serde(default)]
    pub(super) filtered_count: u64,
}

/// `GET /api/vhost-limits/<vhost>`, one entry.
#[derive(Debug, Deserialize)]
pub(super) struct VhostLimits {
    #[serde(default)]
    pub(super) value: Limits,
}

/// A table; RabbitMQ writes an empty one as `[]` here and there.
fn table<'de, D: Deserializer<'de>>(from: D) -> Result<Map<String, Value>, D::Error> {
    match Value::deserialize(from)? {
        Value::Object(map) => Ok(map),
        Value::Array(list) if list.is_empty() => Ok(Map::new()),
        Value::Null => Ok(Map::new()),
        other => Err(serde::de::Error::custom(format!("a table was expected, not {other}"))),
    }
}

/// A list since 3.9, one string with commas before.
fn tags<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Tags {
        List(Vec<String>),
        Text(String),
    }
    Ok(match Tags::deserialize(from)? {
        Tags::List(tags) => tags,
        Tags::Text(text) => text.split(',').map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn answers_of_old_and_new_brokers_are_read() {
        let read = |value| serde_json::from_value::<Caller>(value).expect("a caller").tags;
        assert_eq!(read(json!({"name": "a", "tags": ["administrator"]})), ["administrator"]);
        assert_eq!(read(json!({"name": "a", "tags": "monitoring, management"})), ["monitoring", "management"]);
        assert!(read(json!({"name": "a", "tags": ""})).is_empty());
        let queue: Queue =
            serde_json::from_value(json!({"name": "q", "arguments": [], "new": {"field": 1}})).expect("q");
        assert_eq!((queue.type_name(), queue.messages, &queue.policy), ("classic", None, &None));
        assert!(serde_json::from_value::<Queue>(json!({"name": "q", "arguments": [1]})).is_err());
    }
}
