//! RabbitMQ, as far as its management API tells.

use super::super::{
    check::Check,
    facts::{Facts, Service, Settings},
    finding::Finding,
};
use crate::fleet::broker::management::{Observed, Queue};
use std::time::Duration;

pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = match &facts.management {
        Service::Unnamed => vec![Finding::note(
            Check::Management,
            "DOCKET_MANAGEMENT_URL names none: policies, bindings, rights, alarms and feature flags were not looked at",
            "set DOCKET_MANAGEMENT_URL, such as http://user:password@host:15672, and run docket doctor again",
        )],
        Service::Failed(failure) => {
            let fix = "check DOCKET_MANAGEMENT_URL; its user needs the tag monitoring or administrator";
            let finding = Finding::fault(Check::Management, failure.to_string(), fix);
            vec![if failure.is_unavailable() { finding.away() } else { finding }]
        }
        Service::Answers(observed) => answers(observed),
    };
    findings.push(consumer_timeout(&facts.settings, facts.management.answers().map(|observed| &**observed)));
    findings
}

fn answers(observed: &Observed) -> Vec<Finding> {
    let who = format!("answers {:?} with the tags {}", observed.caller.name, observed.caller.tags.join(", "));
    let mut findings = vec![Finding::ok(Check::Management, who)];
    for unread in &observed.unread {
        findings.push(Finding::note(Check::Management, format!("{} may not be read", unread.what), unread.why.clone()));
    }
    findings
}

/// Docket acknowledges a delivery when it is claimed: it is open while it waits for a slot, and while it is claimed.
fn consumer_timeout(settings: &Settings, observed: Option<&Observed>) -> Finding {
    let (check, counted) = (Check::ConsumerTimeout, settings.consumer_timeout);
    let need = settings.protocol.hand_back + settings.protocol.statement;
    if need >= counted {
        return Finding::fault(
            check,
            format!("a delivery may be open for {need:?}, and the broker is said to take it back after {counted:?}"),
            "raise consumer_timeout of the broker, or lower DOCKET_HAND_BACK and DOCKET_STATEMENT",
        );
    }
    let shortest = observed.and_then(|observed| {
        let told = observed.queues.iter().filter_map(|queue| Some((timeout_of(queue, observed)?, &queue.name)));
        told.min()
    });
    match shortest {
        Some((told, queue)) if told < counted => Finding::fault(
            check,
            format!("queue {queue} has {told:?}, and Docket counts on {counted:?}"),
            "raise consumer-timeout of the queue's policy, or tell Docket of the shorter one",
        ),
        Some((told, _)) => Finding::ok(check, format!("{told:?} by policy, {need:?} are needed")),
        None => Finding::ok(
            check,
            format!(
                "{need:?} are needed, {counted:?} counted on; the broker's own is shown by rabbitmqctl environment"
            ),
        ),
    }
}

/// A policy can set it from RabbitMQ 3.12 on.
fn timeout_of(queue: &Queue, observed: &Observed) -> Option<Duration> {
    let applied = observed.policies.iter().find(|policy| queue.policy.as_deref() == Some(policy.name.as_str()));
    let by_policy = applied.and_then(|policy| policy.definition.get("consumer-timeout"));
    let value = by_policy.or_else(|| queue.arguments.get("x-consumer-timeout"))?;
    value.as_u64().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::{super::healthy, *};
    use crate::cli::{doctor::finding::Level, exit::Failure};
    use serde_json::json;

    fn find(change: impl FnOnce(&mut Facts), check: Check) -> Finding {
        let mut facts = healthy::facts();
        change(&mut facts);
        judge(&facts).into_iter().filter(|f| f.check == check).max_by_key(|f| f.level).expect("looked at")
    }

    fn observed(facts: &mut Facts) -> &mut Observed {
        match &mut facts.management {
            Service::Answers(observed) => observed,
            Service::Unnamed | Service::Failed(_) => panic!("a healthy set-up has a management API"),
        }
    }

    #[test]
    fn without_a_url_it_is_a_note_and_without_an_answer_a_fault() {
        let unnamed = find(|facts| facts.management = Service::Unnamed, Check::Management);
        assert!(unnamed.level == Level::Note && unnamed.fix.unwrap().contains("DOCKET_MANAGEMENT_URL"));
        let refused = find(|f| f.management = Service::Failed(Failure::usage("401")), Check::Management);
        assert!(refused.level == Level::Fault && !refused.is_away);
        let away = find(|f| f.management = Service::Failed(Failure::unavailable("late")), Check::Management);
        assert!(away.level == Level::Fault && away.is_away);
    }

    #[test]
    fn a_delivery_may_be_open_as_long_as_it_must() {
        let short = |facts: &mut Facts| facts.settings.consumer_timeout = facts.settings.protocol.hand_back;
        assert_eq!(find(short, Check::ConsumerTimeout).level, Level::Fault);
        let by_policy = |ms: u64| {
            move |facts: &mut Facts| {
                let observed = observed(facts);
                observed.policies[1].definition.insert("consumer-timeout".to_owned(), json!(ms));
            }
        };
        assert_eq!(find(by_policy(60_000), Check::ConsumerTimeout).level, Level::Fault);
        assert_eq!(find(by_policy(3_600_000), Check::ConsumerTimeout).level, Level::Ok);
        let by_argument = |facts: &mut Facts| {
            observed(facts).queues[0].arguments.insert("x-consumer-timeout".to_owned(), json!(1000));
        };
        assert_eq!(find(by_argument, Check::ConsumerTimeout).level, Level::Fault);
    }
}
