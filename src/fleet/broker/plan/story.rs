//! What a plan says.

use crate::fleet::broker::management::{Binding, Exchange, Policy, Queue, Unread};
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt;

/// Something that can be done, and done again without harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The exchange is missing.
    DeclareExchange(Exchange),
    /// The queue is missing.
    DeclareQueue(Queue),
    /// The binding is missing.
    Bind(Binding),
    /// The policy is missing, or differs from what it was.
    SetPolicy {
        /// As it is to be.
        policy: Policy,
        /// As it is.
        was: Option<Policy>,
    },
}

impl Step {
    /// For programs.
    #[must_use]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::DeclareExchange(_) => "declare_exchange",
            Self::DeclareQueue(_) => "declare_queue",
            Self::Bind(_) => "bind",
            Self::SetPolicy { .. } => "set_policy",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeclareExchange(exchange) => write!(f, "declare exchange {} ({})", exchange.name, exchange.kind),
            Self::DeclareQueue(queue) => write!(f, "declare queue {} ({})", queue.name, queue.type_name()),
            Self::Bind(binding) => write!(f, "bind queue {} to exchange {}", binding.destination, binding.source),
            Self::SetPolicy { policy, was: None } => {
                write!(f, "set policy {}: {}", policy.name, Value::Object(policy.definition.clone()))
            }
            Self::SetPolicy { policy, was: Some(was) } => {
                write!(f, "set policy {}: {}", policy.name, differences(was, policy).join(", "))
            }
        }
    }
}

/// Such as `delivery-limit 20 → 50`.
fn differences(was: &Policy, is: &Policy) -> Vec<String> {
    let outer = [
        ("pattern", json!(was.pattern), json!(is.pattern)),
        ("apply-to", json!(was.apply_to), json!(is.apply_to)),
        ("priority", json!(was.priority), json!(is.priority)),
    ];
    let mut keys: Vec<&String> = was.definition.keys().chain(is.definition.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let inner = keys.into_iter().map(|key| {
        let value = |policy: &Policy| policy.definition.get(key).cloned().unwrap_or_default();
        (key.as_str(), value(was), value(is))
    });
    let word = |value: &Value| match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let changed = outer.into_iter().chain(inner).filter(|(_, was, is)| was != is);
    changed.map(|(key, was, is)| format!("{key} {} → {}", word(&was), word(&is))).collect()
}

/// A queue that is named like a lane's, of a lane that is not configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// Its name.
    pub queue: String,
    /// Its messages; `None`: the broker has not said yet.
    pub messages: Option<u64>,
    /// Its consumers; `None`: the broker has not said yet.
    pub consumers: Option<u64>,
}

impl Leftover {
    /// Whether nothing is in it and nobody listens to it, by the broker's statistics.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.messages == Some(0) && self.consumers == Some(0)
    }
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "leave queue {}: lane no longer configured, ", self.queue)?;
        match (self.messages, self.consumers) {
            (Some(0), Some(0)) => f.write_str("empty and without consumers: apply --prune deletes it"),
            (Some(messages), Some(0)) => write!(f, "holds {messages} messages, drain it, then apply --prune"),
            (Some(messages), Some(consumers)) => write!(
                f,
                "holds {messages} messages and has {consumers} consumers: stop the workers of its lane and drain it, \
                 then apply --prune"
            ),
            _ => f.write_str("the broker has not counted it yet: plan again in some seconds"),
        }
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Docket does not work as it should.
    Fault,
    /// It works; this should be known.
    Warning,
}

/// Something that no step can mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Such as `queue docket.default.high`.
    pub about: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub fix: String,
}

impl Finding {
    pub(super) fn fault(about: impl Into<String>, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { severity: Severity::Fault, about: about.into(), problem: problem.into(), fix: fix.into() }
    }

    pub(super) fn warning(about: impl Into<String>, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::fault(about, problem, fix) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.about, self.problem, self.fix)
    }
}

/// What is to be done, what can't be done by a step, and what nobody could look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In the order in which they are safe: what dead letters need comes before the lanes that lead there.
    pub steps: Vec<Step>,
    /// Queues of lanes that are gone.
    pub leftovers: Vec<Leftover>,
    /// The faults before the warnings.
    pub findings: Vec<Finding>,
    /// What this account may not read.
    pub unread: Vec<Unread>,
}

impl Plan {
    /// Findings that are faults.
    pub fn faults(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Fault)
    }

    /// For programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let step = |step: &Step| json!({"action": step.action(), "text": step.to_string()});
        json!({
            "steps": self.steps.iter().map(step).collect::<Vec<_>>(),
            "leftovers": self.leftovers,
            "findings": self.findings,
            "unchecked": self.unread,
        })
    }
}
