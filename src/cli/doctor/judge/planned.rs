//! What `docket topology plan` would say, as findings.

use super::super::{
    check::Check,
    facts::{Facts, Role},
    finding::Finding,
};
use crate::fleet::broker::{
    management::Observed,
    plan::{self, Plan, Roles, Severity, Step, plan},
};

const APPLY: &str = "run docket topology apply; docket topology plan shows what it would do";

pub(super) fn judge(facts: &Facts, observed: &Observed) -> Vec<Finding> {
    let plan = plan(&facts.settings.topology, &roles(facts), observed);
    let mut findings = steps(&plan);
    findings.extend(plan.findings.iter().filter_map(of_finding));
    for leftover in &plan.leftovers {
        let fix = "docket topology apply --prune deletes empty ones; or name the lane in DOCKET_LANES again";
        findings.push(Finding::note(Check::Topology, leftover.to_string(), fix));
    }
    for (check, seen) in [
        (Check::Topology, "the exchanges and queues of every lane are there, and as Docket declares them"),
        (Check::Policies, "dead-lettering and limits are those of Docket"),
        (Check::Bindings, "every queue is bound, and nothing foreign"),
    ] {
        if !findings.iter().any(|finding| finding.check == check) {
            findings.push(Finding::ok(check, seen));
        }
    }
    if observed.permissions.is_some() && !findings.iter().any(|finding| finding.check == Check::BrokerRights) {
        findings.push(Finding::ok(Check::BrokerRights, "the account may do what these roles do"));
    }
    findings
}

/// The account of `AMQP_URL` is that of every role that is asked for.
fn roles(facts: &Facts) -> Roles {
    let user = facts.settings.account.as_ref().map(|account| account.user.clone());
    let of = |role| if facts.roles.contains(&role) { user.clone() } else { None };
    Roles { scheduler: of(Role::Scheduler), worker: of(Role::Worker) }
}

fn steps(plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    for step in &plan.steps {
        let (check, seen) = match step {
            Step::DeclareExchange(exchange) => (Check::Topology, format!("exchange {} is missing", exchange.name)),
            Step::DeclareQueue(queue) => (Check::Topology, format!("queue {} is missing", queue.name)),
            Step::Bind(binding) => {
                let seen = format!("queue {} is not bound to exchange {}", binding.destination, binding.source);
                (Check::Bindings, seen)
            }
            Step::SetPolicy { policy, was: None } => (Check::Policies, format!("policy {} is missing", policy.name)),
            Step::SetPolicy { .. } => (Check::Policies, format!("to do: {step}")),
        };
        findings.push(Finding::fault(check, seen, APPLY));
    }
    findings
}

/// By what a finding is about. Version and alarms have checks of their own.
fn of_finding(found: &plan::Finding) -> Option<Finding> {
    let check = match found.about.split(' ').next()? {
        "policy" | "operator" => Check::Policies,
        "binding" => Check::Bindings,
        "user" => Check::BrokerRights,
        "feature" => Check::FeatureFlags,
        "node" | "RabbitMQ" => return None,
        _ => Check::Topology,
    };
    let (seen, fix) = (format!("{} {}", found.about, found.problem), found.fix.clone());
    Some(match found.severity {
        Severity::Fault => Finding::fault(check, seen, fix),
        Severity::Warning => Finding::warning(check, seen, fix),
    })
}

#[cfg(test)]
mod tests {
    use super::{super::healthy, *};
    use crate::{
        cli::doctor::finding::Level,
        fleet::broker::management::{Binding, Permission},
    };
    use serde_json::json;

    fn find(change: impl FnOnce(&mut Observed), check: Check) -> Finding {
        let mut observed = healthy::observed();
        change(&mut observed);
        let findings = judge(&healthy::facts(), &observed);
        findings.into_iter().filter(|f| f.check == check).max_by_key(|f| f.level).expect("looked at")
    }

    fn fault(change: impl FnOnce(&mut Observed), check: Check, words: &[&str]) {
        let finding = find(change, check);
        assert_eq!(finding.level, Level::Fault, "{finding:?}");
        let text = format!("{} {}", finding.seen, finding.fix.unwrap());
        assert!(words.iter().all(|word| text.contains(word)), "{words:?} in {text}");
    }

    #[test]
    fn every_part_of_the_topology_has_its_check() {
        let gone = |observed: &mut Observed| observed.queues.retain(|queue| queue.name != "docket.default.low");
        fault(gone, Check::Topology, &["queue docket.default.low is missing", "topology apply"]);
        let classic = |observed: &mut Observed| {
            observed.queues[1].kind = Some("classic".to_owned());
            observed.queues[1].arguments.insert("x-queue-type".to_owned(), json!("classic"));
        };
        fault(classic, Check::Topology, &["docket.default.high", "classic"]);
        fault(|observed| observed.exchanges.clear(), Check::Topology, &["exchange docket."]);
        fault(|observed| observed.policies.clear(), Check::Policies, &["is missing", "topology apply"]);
        fault(|observed| drop(observed.bindings.pop()), Check::Bindings, &["docket.default.low is not bound"]);
        let foreign: Binding = serde_json::from_value(
            json!({"source": "amq.fanout", "destination_type": "queue", "destination": "docket.default.high"}),
        )
        .unwrap();
        fault(|observed| observed.bindings.push(foreign), Check::Bindings, &["amq.fanout", "delete the binding"]);
    }

    #[test]
    fn rights_are_those_of_the_roles_that_are_asked_for() {
        let worker = Permission {
            user: "docket".to_owned(),
            configure: "^$".to_owned(),
            write: r"^docket\.dead$".to_owned(),
            read: r"^docket\..*".to_owned(),
        };
        let with = |observed: &mut Observed| observed.permissions = Some(vec![("docket".to_owned(), Some(worker))]);
        let mut observed = healthy::observed();
        with(&mut observed);
        let mut facts = healthy::facts();
        let rights = |facts: &Facts| {
            let findings = judge(facts, &observed);
            findings.into_iter().find(|f| f.check == Check::BrokerRights).expect("looked at").level
        };
        assert_eq!(rights(&facts), Level::Fault, "a scheduler configures and publishes");
        facts.roles = vec![Role::Worker];
        assert_eq!(rights(&facts), Level::Ok);
    }

    #[test]
    fn what_other_checks_tell_is_not_told_twice() {
        let mut observed = healthy::observed();
        observed.nodes.as_mut().unwrap()[0].mem_alarm = Some(true);
        let findings = judge(&healthy::facts(), &observed);
        assert!(findings.iter().all(|finding| finding.level == Level::Ok), "{findings:?}");
    }
}
