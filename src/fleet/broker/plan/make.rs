//! The plan, part by part.

use super::{
    objects, policies, rights,
    story::{Finding, Plan},
    wanted::Wanted,
};
use crate::fleet::broker::{
    management::Observed,
    topology::Topology,
    version::{BrokerVersion, Known, known},
};

/// The broker's accounts of the fleet. A role without one is not checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// Who schedulers are.
    pub scheduler: Option<String>,
    /// Who workers are.
    pub worker: Option<String>,
}

impl Roles {
    /// The users whose rights a plan compares, each once.
    #[must_use]
    pub fn users(&self) -> Vec<&str> {
        let mut users: Vec<&str> = [&self.scheduler, &self.worker].into_iter().flatten().map(String::as_str).collect();
        users.dedup();
        users
    }
}

/// Compares the topology with what the broker has. Nothing is asked and nothing is done.
#[must_use]
pub fn plan(topology: &Topology, roles: &Roles, observed: &Observed) -> Plan {
    let mut plan = Plan { unread: observed.unread.clone(), ..Plan::default() };
    let Some(topology) = suited(topology, observed, &mut plan) else { return plan };
    let wanted = Wanted::of(&topology);
    objects::exchanges(&wanted, observed, &mut plan);
    objects::queues(&wanted, observed, &mut plan);
    objects::bindings(&wanted, observed, &mut plan);
    policies::compare(&wanted, observed, &mut plan);
    policies::operators(&wanted, observed, &mut plan);
    rights::users(&topology, roles, observed, &mut plan);
    rights::caller(observed, &mut plan);
    node(&wanted, observed, &mut plan);
    // What dead letters need comes first, then the policies, so that no lane is ever without its own.
    plan.steps.sort_by_key(objects::order);
    plan.findings.sort_by_key(|finding| finding.severity);
    plan
}

/// The topology for this broker's version; `None` if there is none.
fn suited(topology: &Topology, observed: &Observed, plan: &mut Plan) -> Option<Topology> {
    let text = &observed.overview.rabbitmq_version;
    let about = format!("RabbitMQ {text}");
    let Ok(version) = text.parse::<BrokerVersion>() else {
        let problem = "is not a version that can be compared";
        plan.findings.push(Finding::fault(about, problem, "Docket needs RabbitMQ 3.10 or later; is this one?"));
        return None;
    };
    match known(version) {
        Known::TooOld => {
            let problem = "can't dead-letter at least once, which came with 3.10";
            plan.findings.push(Finding::fault(
                about,
                problem,
                "upgrade it to 3.10 or later; nothing is planned before",
            ));
            return None;
        }
        Known::Newer(_) => {
            let problem = "is newer than all that is recorded";
            let fix = "the rules of 4.3 are used; read its release notes on quorum queues and policies first";
            plan.findings.push(Finding::warning(about, problem, fix));
        }
        Known::Yes(_) => {}
    }
    let mut topology = topology.clone();
    topology.broker_major = version.major;
    Some(topology)
}

fn node(wanted: &Wanted, observed: &Observed, plan: &mut Plan) {
    for name in ["quorum_queue", "stream_queue"] {
        let flag = observed.feature_flags.iter().flatten().find(|flag| flag.name == name);
        if flag.is_some_and(|flag| !flag.is_enabled()) {
            let why = if name == "quorum_queue" { "quorum queues" } else { "at-least-once dead-lettering" };
            plan.findings.push(Finding::fault(
                format!("feature flag {name}"),
                format!("is off, and {why} need it"),
                format!("rabbitmqctl enable_feature_flag {name}"),
            ));
        }
    }
    for node in observed.nodes.iter().flatten() {
        for (alarm, what) in [(node.mem_alarm, "memory"), (node.disk_free_alarm, "disk")] {
            if alarm == Some(true) {
                plan.findings.push(Finding::warning(
                    format!("node {}", node.name),
                    format!("has a {what} alarm, so the broker takes no messages"),
                    format!("free {what}, or move the limit"),
                ));
            }
        }
    }
    let limit = observed.limits.and_then(|limits| limits.max_queues).filter(|limit| *limit >= 0);
    if let Some(limit) = limit.filter(|limit| usize::try_from(*limit).is_ok_and(|limit| limit < wanted.queues.len())) {
        plan.findings.push(Finding::fault(
            format!("virtual host {:?}", observed.vhost),
            format!("may hold {limit} queues, and these lanes need {}", wanted.queues.len()),
            "raise its limit max-queues (rabbitmqctl set_vhost_limits), or configure fewer lanes",
        ));
    }
}
