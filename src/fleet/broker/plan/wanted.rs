//! The topology as the broker would tell it.

use crate::fleet::broker::{
    definitions,
    management::{Binding, Exchange, Policy, Queue},
    topology::{DEAD, Topology},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What a virtual host is to hold, in the order of the definitions.
pub(super) struct Wanted {
    pub(super) exchanges: Vec<Exchange>,
    pub(super) queues: Vec<Queue>,
    pub(super) bindings: Vec<Binding>,
    pub(super) policies: Vec<Policy>,
}

impl Wanted {
    /// Read from the definitions, so that what boots and what is applied can't differ.
    pub(super) fn of(topology: &Topology) -> Self {
        let all = definitions(topology, "/", &[]);
        Self {
            exchanges: section(&all["exchanges"]),
            queues: section(&all["queues"]),
            bindings: section(&all["bindings"]),
            policies: section(&all["policies"]),
        }
    }

    /// The policy that is to apply to a queue.
    pub(super) fn policy_of(&self, queue: &str) -> &Policy {
        let name = if queue == DEAD { "docket-dead" } else { "docket-lanes" };
        self.policies.iter().find(|policy| policy.name == name).expect("the definitions hold both")
    }
}

fn section<T: DeserializeOwned>(value: &Value) -> Vec<T> {
    serde_json::from_value(value.clone()).expect("our definitions are what the API speaks")
}
