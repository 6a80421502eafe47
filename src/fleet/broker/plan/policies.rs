//! Policies: one alone applies to a queue, the one of the highest priority; an operator policy comes on top.

use super::{
    pattern::Pattern,
    story::{Finding, Plan, Step},
    wanted::Wanted,
};
use crate::fleet::broker::management::{Observed, Policy};
use serde_json::Value;

/// What an operator policy may not do to a lane or to docket.dead, and why.
const HARMFUL: [(&str, &str); 6] = [
    ("message-ttl", "messages vanish by age"),
    ("expires", "a quiet queue is deleted"),
    ("delivery-limit", "messages are dropped after so many deliveries"),
    ("max-length", "the queue holds fewer messages than Docket counts on"),
    ("max-length-bytes", "the queue holds fewer messages than Docket counts on"),
    ("overflow", "messages may be dropped instead of refused"),
];

pub(super) fn compare(wanted: &Wanted, observed: &Observed, plan: &mut Plan) {
    for policy in &wanted.policies {
        let there = observed.policies.iter().find(|there| there.name == policy.name);
        if there != Some(policy) {
            plan.steps.push(Step::SetPolicy { policy: policy.clone(), was: there.cloned() });
        }
    }
    let is_foreign = |policy: &&Policy| wanted.policies.iter().all(|own| own.name != policy.name);
    for policy in observed.policies.iter().filter(is_foreign) {
        plan.findings.extend(foreign(policy, wanted));
    }
}

fn foreign(policy: &Policy, wanted: &Wanted) -> Vec<Finding> {
    let about = format!("policy {}", policy.name);
    let mut findings = Vec::new();
    if applies_to_queues(policy) {
        let Some(hit) = hit(policy, wanted.queues.iter().map(|queue| queue.name.as_str())) else {
            return vec![unreadable(about, policy)];
        };
        findings.extend(over_queues(&about, policy, &hit, wanted));
    }
    if matches!(policy.apply_to.as_str(), "exchanges" | "all") && policy.definition.contains_key("alternate-exchange") {
        let hit = hit(policy, wanted.exchanges.iter().map(|exchange| exchange.name.as_str())).unwrap_or_default();
        if !hit.is_empty() {
            let problem = format!("gives {} an alternate exchange, so jobs that no queue takes vanish", listed(&hit));
            findings.push(Finding::fault(about, problem, "narrow its pattern so that it leaves docket.* out"));
        }
    }
    findings
}

fn over_queues(about: &str, policy: &Policy, hit: &[&str], wanted: &Wanted) -> Option<Finding> {
    let own = wanted.policy_of(hit.first()?);
    let names = listed(hit);
    if policy.priority < own.priority {
        let problem = format!("matches {names}, and loses to Docket's by its lower priority {}", policy.priority);
        return Some(Finding::warning(about, problem, "nothing, while Docket's policies are there"));
    }
    let problem = format!(
        "matches {names} with priority {}, so Docket's own policy (priority {}) {}: dead-lettering and limits are off",
        policy.priority,
        own.priority,
        if policy.priority == own.priority { "may not apply" } else { "does not apply" }
    );
    let fix =
        format!("give it a priority below {}, or narrow its pattern so that it leaves docket.* out", own.priority);
    Some(Finding::fault(about, problem, fix))
}

pub(super) fn operators(wanted: &Wanted, observed: &Observed, plan: &mut Plan) {
    for policy in observed.operator_policies.iter().flatten().filter(|policy| applies_to_queues(policy)) {
        let about = format!("operator policy {}", policy.name);
        let Some(hit) = hit(policy, wanted.queues.iter().map(|queue| queue.name.as_str())) else {
            plan.findings.push(unreadable(about, policy));
            continue;
        };
        let mut harms = Vec::new();
        for (key, why) in HARMFUL {
            let Some(value) = policy.definition.get(key) else { continue };
            if hit.iter().any(|queue| restricts(key, value, wanted.policy_of(queue))) {
                harms.push(format!("{key} = {value} ({why})"));
            }
        }
        if !harms.is_empty() {
            let problem = format!("overrides Docket's policy for {}: {}", listed(&hit), harms.join(", "));
            plan.findings.push(Finding::fault(about, problem, "narrow its pattern, or leave these keys out"));
        }
    }
}

/// Whether an operator's value is tighter than Docket's own.
fn restricts(key: &str, value: &Value, own: &Policy) -> bool {
    match (value.as_i64(), own.definition.get(key).and_then(Value::as_i64)) {
        (Some(limit), Some(own)) if own >= 0 => limit >= 0 && limit < own,
        (Some(limit), _) => limit >= 0,
        (None, _) => own.definition.get(key) != Some(value),
    }
}

/// From 3.12 on there are names for single types.
fn applies_to_queues(policy: &Policy) -> bool {
    matches!(policy.apply_to.as_str(), "queues" | "all" | "quorum_queues")
}

/// Those of the names that a policy matches; `None` if its pattern can't be evaluated here.
fn hit<'a>(policy: &Policy, names: impl Iterator<Item = &'a str>) -> Option<Vec<&'a str>> {
    let pattern = Pattern::new(&policy.pattern);
    let mut hit = Vec::new();
    for name in names {
        if pattern.matches(name)? {
            hit.push(name);
        }
    }
    Some(hit)
}

fn unreadable(about: String, policy: &Policy) -> Finding {
    let problem = format!("has the pattern {:?}, which can't be evaluated here", policy.pattern);
    Finding::warning(about, problem, "see in the management UI that docket's queues show docket-lanes and docket-dead")
}

/// The first names, and how many more.
pub(super) fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
