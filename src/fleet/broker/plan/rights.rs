//! What the fleet's users may do, against what they need.

use super::{
    make::Roles,
    pattern::Pattern,
    policies::listed,
    story::{Finding, Plan, Step},
};
use crate::fleet::broker::{
    BrokerUser,
    management::{Observed, Permission},
    topology::{DEAD, JOBS_EXCHANGE, Topology, generation_exchange},
};

/// What a role uses, by right.
struct Need {
    user: BrokerUser,
    names: [(&'static str, Vec<String>); 3],
}

impl Need {
    fn scheduler(name: &str, topology: &Topology) -> Self {
        let read = std::iter::once(DEAD.to_owned()).chain(topology.queues()).collect();
        let write = vec![JOBS_EXCHANGE.to_owned(), DEAD.to_owned()];
        let user = BrokerUser::scheduler(name, String::new().into());
        Self { user, names: [("configure", vec![generation_exchange(1)]), ("write", write), ("read", read)] }
    }

    fn worker(name: &str, topology: &Topology) -> Self {
        let user = BrokerUser::worker(name, String::new().into());
        Self {
            user,
            names: [("configure", Vec::new()), ("write", vec![DEAD.to_owned()]), ("read", topology.queues().collect())],
        }
    }

    fn fix(&self, vhost: &str) -> String {
        let BrokerUser { name, configure, write, read, .. } = &self.user;
        let words = [vhost, name, configure, write, read].map(quoted);
        format!("rabbitmqctl set_permissions -p {}", words.join(" "))
    }
}

pub(super) fn users(topology: &Topology, roles: &Roles, observed: &Observed, plan: &mut Plan) {
    let Some(permissions) = &observed.permissions else { return };
    let mut needs: Vec<Need> = roles.scheduler.iter().map(|name| Need::scheduler(name, topology)).collect();
    // A scheduler's rights hold a worker's.
    let worker = roles.worker.iter().filter(|name| roles.scheduler.as_ref() != Some(*name));
    needs.extend(worker.map(|name| Need::worker(name, topology)));
    for need in needs {
        let found = permissions.iter().find(|(user, _)| *user == need.user.name);
        let Some((_, permission)) = found else { continue };
        plan.findings.extend(lacks(&need, permission.as_ref(), &observed.vhost));
    }
}

fn lacks(need: &Need, permission: Option<&Permission>, vhost: &str) -> Vec<Finding> {
    let about = format!("user {}", need.user.name);
    let Some(permission) = permission else {
        let problem = format!("does not exist, or has no rights in virtual host {vhost:?}");
        return vec![Finding::fault(
            about,
            problem,
            format!("rabbitmqctl add_user if it is missing, then {}", need.fix(vhost)),
        )];
    };
    let given = [&permission.configure, &permission.write, &permission.read];
    let rights = need.names.iter().zip(given);
    rights.filter_map(|((right, names), given)| lack(need, right, names, given, vhost)).collect()
}

fn lack(need: &Need, right: &str, names: &[String], given: &str, vhost: &str) -> Option<Finding> {
    let about = format!("user {}", need.user.name);
    let pattern = Pattern::new(given);
    let missing: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| pattern.matches(name) == Some(false)).collect();
    if !missing.is_empty() {
        return Some(Finding::fault(about, format!("lacks {right} on {}", listed(&missing)), need.fix(vhost)));
    }
    let is_read = names.first().is_none_or(|name| pattern.matches(name).is_some());
    (!is_read).then(|| {
        let problem = format!("has the pattern {given:?} for {right}, which can't be evaluated here");
        Finding::warning(about, problem, need.fix(vhost))
    })
}

/// Whether who asks may do what is to be done.
pub(super) fn caller(observed: &Observed, plan: &mut Plan) {
    let sets = plan.steps.iter().any(|step| matches!(step, Step::SetPolicy { .. }));
    if sets && !observed.caller.may_set_policies() {
        plan.findings.push(Finding::fault(
            format!("user {}", observed.caller.name),
            "may not set policies",
            "apply as a user with the tag policymaker or administrator (rabbitmqctl set_user_tags)",
        ));
    }
}

/// For a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
