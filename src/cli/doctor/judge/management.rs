//! RabbitMQ, as far as its management API tells.

use super::{
    super::{
        check::Check,
        facts::{Broker, Facts, Service, Settings},
        finding::Finding,
    },
    planned,
};
use crate::fleet::broker::{
    management::{FeatureFlag, Node, Observed, Queue},
    version::{BrokerVersion, Known, known},
};
use std::time::Duration;

pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = match &facts.management {
        Service::Unnamed if !facts.settings.has_broker => {
            vec![Finding::ok(Check::Management, "not needed: this site has no broker")]
        }
        Service::Unnamed => vec![Finding::note(
            Check::Management,
            "not asked, without DOCKET_MANAGEMENT_URL and AMQP_URL: policies, bindings, rights, alarms and feature flags \
             were not looked at",
            "set both (DOCKET_MANAGEMENT_URL is such as http://user:password@host:15672), and run docket doctor again",
        )],
        Service::Failed(failure) => {
            let fix = "check DOCKET_MANAGEMENT_URL; its user needs the tag monitoring or administrator";
            let finding = Finding::fault(Check::Management, failure.to_string(), fix);
            vec![if failure.is_unavailable() { finding.away() } else { finding }]
        }
        Service::Answers(observed) => {
            let mut findings = answers(observed);
            findings.extend(planned::judge(facts, observed));
            findings
        }
    };
    let observed = facts.management.answers().map(|observed| &**observed);
    findings.extend(version(&facts.broker, observed));
    findings.push(consumer_timeout(&facts.settings, observed));
    findings
}

fn answers(observed: &Observed) -> Vec<Finding> {
    let who = format!("answers {:?} with the tags {}", observed.caller.name, observed.caller.tags.join(", "));
    let mut findings = vec![Finding::ok(Check::Management, who)];
    for unread in &observed.unread {
        findings.push(Finding::note(Check::Management, format!("{} may not be read", unread.what), unread.why.clone()));
    }
    findings.extend(observed.nodes.as_deref().map(alarms));
    findings.extend(observed.feature_flags.as_deref().map(feature_flags));
    findings
}

fn alarms(nodes: &[Node]) -> Finding {
    let raised = nodes.iter().flat_map(|node| {
        let of = [(node.mem_alarm, "memory"), (node.disk_free_alarm, "disk")];
        of.into_iter().filter(|(alarm, _)| *alarm == Some(true)).map(|(_, what)| format!("{what} of {}", node.name))
    });
    let raised: Vec<String> = raised.collect();
    if raised.is_empty() {
        return Finding::ok(Check::Alarms, "none: publishers are not held back");
    }
    let fix = "free memory or disk on the broker's machine, or move vm_memory_high_watermark and disk_free_limit; \
               until then no message is taken, and workers lease directly";
    Finding::fault(Check::Alarms, format!("alarms hold back every publisher: {}", raised.join(", ")), fix).away()
}

/// Those that Docket uses are told by the plan, and their absence is a fault.
fn feature_flags(flags: &[FeatureFlag]) -> Finding {
    let off = flags.iter().filter(|flag| flag.stability != "experimental" && flag.state == "disabled");
    let off: Vec<&str> = off.map(|flag| flag.name.as_str()).collect();
    if off.is_empty() {
        return Finding::ok(Check::FeatureFlags, "all stable ones are on");
    }
    Finding::note(
        Check::FeatureFlags,
        format!("off: {}", off.join(", ")),
        "rabbitmqctl enable_feature_flag all: the next version of RabbitMQ asks for them",
    )
}

/// The management API's word, or that of the greeting.
fn version(broker: &Service<Broker>, observed: Option<&Observed>) -> Option<Finding> {
    let check = Check::BrokerVersion;
    let greeted = broker.answers().map(|facts| facts.version.clone());
    let text = match observed.map(|observed| Ok(observed.overview.rabbitmq_version.clone())).or(greeted)? {
        Ok(text) => text,
        // Nothing hangs on it while the rest answers.
        Err(why) => return Some(Finding::note(check, why, "set DOCKET_MANAGEMENT_URL to see it")),
    };
    let seen = format!("RabbitMQ {text}");
    let Ok(version) = text.parse::<BrokerVersion>() else {
        let fix = "Docket needs RabbitMQ 3.10 or later: is this one?";
        return Some(Finding::fault(check, format!("{seen} is no version that is known"), fix));
    };
    Some(match known(version) {
        Known::TooOld => {
            let fix = "upgrade RabbitMQ to 3.10 or later: older ones can't dead-letter at least once";
            Finding::fault(check, seen, fix)
        }
        Known::Newer(_) => {
            let fix = "read its release notes on quorum queues and policies, or upgrade Docket";
            Finding::note(check, format!("{seen} is newer than all that is recorded"), fix)
        }
        Known::Yes(facts) if facts.tested => Finding::ok(check, seen),
        Known::Yes(_) => Finding::ok(check, format!("{seen}, known from its documentation")),
    })
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
            "raise consumer-timeout of the queue's policy, or set DOCKET_CONSUMER_TIMEOUT to it",
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
    use crate::{
        cli::{doctor::finding::Level, exit::Failure},
        fleet::broker::management::Unread,
    };
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
        let no_broker =
            find(|facts| (facts.management, facts.settings.has_broker) = (Service::Unnamed, false), Check::Management);
        assert_eq!(no_broker.level, Level::Ok);
        let refused = find(|f| f.management = Service::Failed(Failure::usage("401")), Check::Management);
        assert!(refused.level == Level::Fault && !refused.is_away);
        let away = find(|f| f.management = Service::Failed(Failure::unavailable("late")), Check::Management);
        assert!(away.level == Level::Fault && away.is_away);
    }

    #[test]
    fn an_alarm_is_the_brokers_fault() {
        let memory = find(|f| observed(f).nodes.as_mut().unwrap()[0].mem_alarm = Some(true), Check::Alarms);
        assert!(memory.level == Level::Fault && memory.is_away && memory.seen.contains("memory of rabbit@here"));
        let disk = find(|f| observed(f).nodes.as_mut().unwrap()[0].disk_free_alarm = Some(true), Check::Alarms);
        assert!(disk.level == Level::Fault && disk.seen.contains("disk"));
    }

    #[test]
    fn flags_that_docket_uses_are_faults_and_others_notes() {
        let used =
            find(|f| observed(f).feature_flags.as_mut().unwrap()[1].state = "disabled".into(), Check::FeatureFlags);
        assert!(used.level == Level::Fault && used.fix.unwrap().contains("enable_feature_flag stream_queue"));
        let other = |facts: &mut Facts| {
            let flags = observed(facts).feature_flags.as_mut().unwrap();
            flags.push(FeatureFlag { name: "new".into(), state: "disabled".into(), stability: "stable".into() });
        };
        assert_eq!(find(other, Check::FeatureFlags).level, Level::Note);
    }

    #[test]
    fn versions() {
        for (version, level) in [
            ("3.9.29", Level::Fault),
            ("3.10.8", Level::Ok),
            ("4.2.1", Level::Ok),
            ("5.0.0", Level::Note),
            ("LavinMQ", Level::Fault),
        ] {
            let change = |facts: &mut Facts| observed(facts).overview.rabbitmq_version = version.to_owned();
            assert_eq!(find(change, Check::BrokerVersion).level, level, "{version}");
            let greeted = |facts: &mut Facts| {
                facts.management = Service::Unnamed;
                facts.broker = Service::Answers(Broker { version: Ok(version.to_owned()), ..healthy::broker() });
            };
            assert_eq!(find(greeted, Check::BrokerVersion).level, level, "{version}");
        }
    }

    #[test]
    fn what_may_not_be_read_is_a_note() {
        let unread = Unread { what: "feature flags", why: "not an administrator".to_owned() };
        let finding = find(|facts| observed(facts).unread.push(unread), Check::Management);
        assert!(finding.level == Level::Note && finding.seen.contains("feature flags"));
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
