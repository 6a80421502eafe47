//! Plans over made-up brokers.

use super::{Finding, Plan, Roles, Severity, Step, plan, wanted::Wanted};
use crate::fleet::broker::{
    BrokerUser, Topology,
    management::{Binding, Caller, Exchange, FeatureFlag, Limits, Node, Observed, Overview, Permission, Policy, Queue},
    version::{FACTS, Known, known},
};
use proptest::prelude::*;
use serde_json::json;

fn topology(lanes: &[&str]) -> Topology {
    Topology::new(lanes.iter().copied()).expect("good names")
}

/// A broker that has nothing.
fn empty(version: &str) -> Observed {
    let overview = json!({"rabbitmq_version": version, "node": "rabbit@a"});
    Observed {
        vhost: "/".to_owned(),
        overview: serde_json::from_value::<Overview>(overview).expect("an overview"),
        caller: Caller { name: "me".to_owned(), tags: vec!["administrator".to_owned()] },
        exchanges: Vec::new(),
        queues: Vec::new(),
        queues_left_out: 0,
        bindings: Vec::new(),
        policies: Vec::new(),
        operator_policies: Some(Vec::new()),
        permissions: Some(Vec::new()),
        feature_flags: Some(Vec::new()),
        nodes: Some(Vec::new()),
        limits: Some(Limits::default()),
        unread: Vec::new(),
    }
}

/// A broker that has all of lane `default`.
fn complete() -> Observed {
    let mut observed = empty("3.10.8");
    let wanted = Wanted::of(&topology(&["default"]));
    observed.exchanges = wanted.exchanges;
    observed.queues = wanted.queues;
    observed.bindings = wanted.bindings;
    observed.policies = wanted.policies;
    observed
}

fn planned(observed: &Observed) -> Plan {
    plan(&topology(&["default"]), &Roles::default(), observed)
}

/// The only finding.
fn only(observed: &Observed) -> Finding {
    let plan = planned(observed);
    assert_eq!(plan.findings.len(), 1, "{plan:?}");
    plan.findings[0].clone()
}

fn fault(observed: &Observed, words: &[&str]) {
    let finding = only(observed);
    assert_eq!(finding.severity, Severity::Fault, "{finding}");
    told(&finding, words);
}

fn warning(observed: &Observed, words: &[&str]) {
    let finding = only(observed);
    assert_eq!(finding.severity, Severity::Warning, "{finding}");
    told(&finding, words);
}

fn told(finding: &Finding, words: &[&str]) {
    let text = finding.to_string();
    for word in words {
        assert!(text.contains(word), "{word:?} in {text:?}");
    }
}

fn policy(name: &str, pattern: &str, priority: i64, definition: serde_json::Value) -> Policy {
    let value =
        json!({"name": name, "pattern": pattern, "apply-to": "all", "priority": priority, "definition": definition});
    serde_json::from_value(value).expect("a policy")
}

fn binding(source: &str, kind: &str, destination: &str, key: &str) -> Binding {
    let value = json!({"source": source, "destination_type": kind, "destination": destination, "routing_key": key});
    serde_json::from_value(value).expect("a binding")
}

/// The broker after a step.
fn done(observed: &mut Observed, step: &Step) {
    match step.clone() {
        Step::DeclareExchange(exchange) => observed.exchanges.push(exchange),
        Step::DeclareQueue(queue) => observed.queues.push(queue),
        Step::Bind(binding) => observed.bindings.push(binding),
        Step::SetPolicy { policy, .. } => {
            observed.policies.retain(|there| there.name != policy.name);
            observed.policies.push(policy);
        }
    }
}

#[test]
fn a_complete_broker_needs_nothing() {
    assert_eq!(planned(&complete()), Plan::default());
}

#[test]
fn what_dead_letters_need_comes_first_and_lanes_last() {
    let steps: Vec<String> = planned(&empty("3.10.8")).steps.iter().map(ToString::to_string).collect();
    let starts = [
        "declare exchange docket.jobs (direct)",
        "declare exchange docket.dead (direct)",
        "declare queue docket.dead (quorum)",
        "bind queue docket.dead to exchange docket.dead",
        "set policy docket-dead: {\"overflow\":\"reject-publish\"}",
        "set policy docket-lanes: {\"dead-letter-exchange\":",
        "declare queue docket.default.high (quorum)",
        "declare queue docket.default.normal (quorum)",
        "declare queue docket.default.low (quorum)",
        "bind queue docket.default.high to exchange docket.jobs",
    ];
    assert_eq!(steps.len(), 12);
    for (step, start) in steps.iter().zip(starts) {
        assert!(step.starts_with(start), "{step} is not {start}");
    }
}

#[test]
fn a_policy_that_differs_is_told_by_its_differences() {
    let mut observed = complete();
    let lanes = observed.policies.iter_mut().find(|policy| policy.name == "docket-lanes").expect("there");
    lanes.definition.insert("delivery-limit".to_owned(), json!(20));
    lanes.definition.insert("message-ttl".to_owned(), json!(5));
    lanes.definition.remove("overflow");
    lanes.pattern = "^docket".to_owned();
    let plan = planned(&observed);
    assert_eq!(plan.steps.len(), 1);
    assert_eq!(
        plan.steps[0].to_string(),
        r"set policy docket-lanes: pattern ^docket → ^docket\.[a-z0-9_-]+\.(high|normal|low)$, delivery-limit 20 → 50, message-ttl 5 → nothing, overflow nothing → reject-publish"
    );
}

#[test]
fn lanes_are_configuration() {
    let with = plan(&topology(&["default", "slow"]), &Roles::default(), &complete());
    assert_eq!((with.steps.len(), with.leftovers.len(), with.findings.len()), (6, 0, 0));
    let mut observed = complete();
    for step in &with.steps {
        done(&mut observed, step);
    }
    for (queue, (messages, consumers)) in
        observed.queues.iter_mut().skip(4).zip([(Some(3), Some(0)), (Some(0), Some(0)), (None, None)])
    {
        (queue.messages, queue.consumers) = (messages, consumers);
    }
    let without = planned(&observed);
    assert!(without.steps.is_empty() && without.findings.is_empty(), "{without:?}");
    let words: Vec<String> = without.leftovers.iter().map(ToString::to_string).collect();
    assert_eq!(
        words[0],
        "leave queue docket.slow.high: lane no longer configured, holds 3 messages, drain it, then apply --prune"
    );
    assert!(words[1].ends_with("empty and without consumers: apply --prune deletes it"), "{words:?}");
    assert!(words[2].contains("not counted"), "{words:?}");
    assert_eq!(without.leftovers.iter().filter(|left| left.is_idle()).count(), 1);
}

#[test]
fn frozen_differences_are_faults_and_never_steps() {
    let mut observed = complete();
    observed.queues[1] =
        serde_json::from_value(json!({"name": "docket.default.high", "type": "classic", "durable": true,
        "arguments": {"x-queue-type": "classic", "x-max-priority": 5}}))
        .expect("a queue");
    fault(&observed, &["queue docket.default.high", "classic, not quorum", "x-max-priority = 5", "drain", "apply"]);
    let mut observed = complete();
    observed.queues[0].arguments.insert("x-delivery-limit".to_owned(), json!(3));
    fault(&observed, &["queue docket.dead", "x-delivery-limit = 3", "publishes its copies again"]);
    let mut observed = complete();
    let exchange: &mut Exchange = &mut observed.exchanges[0];
    exchange.kind = "topic".to_owned();
    exchange.durable = false;
    exchange.arguments.insert("alternate-exchange".to_owned(), json!("x"));
    fault(&observed, &["exchange docket.jobs", "topic, not direct", "durable", "alternate-exchange", "delete"]);
}

#[test]
fn only_a_policy_that_wins_is_a_fault() {
    let with = |policy: Policy| {
        let mut observed = complete();
        observed.policies.push(policy);
        observed
    };
    fault(&with(policy("ha", ".*", 20, json!({}))), &["policy ha", "docket.dead", "does not apply", "below 10"]);
    fault(&with(policy("ha", r"^docket\.", 10, json!({}))), &["may not apply"]);
    fault(&with(policy("hi", "high$", 11, json!({}))), &["docket.default.high with"]);
    warning(&with(policy("all", ".*", 0, json!({}))), &["policy all", "loses", "1 more"]);
    warning(&with(policy("pcre", "^(?!amq)", 99, json!({}))), &["can't be evaluated"]);
    let mut elsewhere = policy("others", "^other", 99, json!({}));
    assert_eq!(planned(&with(elsewhere.clone())), Plan::default());
    (elsewhere.pattern, elsewhere.apply_to) = (".*".to_owned(), "streams".to_owned());
    assert_eq!(planned(&with(elsewhere)), Plan::default());
    let mut alternate = policy("ae", "jobs", 1, json!({"alternate-exchange": "x"}));
    alternate.apply_to = "exchanges".to_owned();
    fault(&with(alternate), &["alternate exchange", "docket.jobs", "vanish"]);
}

#[test]
fn an_operator_policy_is_a_fault_where_it_takes_something_away() {
    let with = |pattern: &str, definition| {
        let mut observed = complete();
        observed.operator_policies = Some(vec![policy("op", pattern, 0, definition)]);
        observed
    };
    fault(&with("docket", json!({"max-length": 10})), &["operator policy op", "max-length = 10", "fewer"]);
    fault(&with("high", json!({"delivery-limit": 3, "message-ttl": 1})), &["delivery-limit = 3", "message-ttl = 1"]);
    fault(&with("dead", json!({"max-length": 1_000_000})), &["docket.dead"]);
    assert_eq!(planned(&with("high", json!({"max-length": 1_000_000, "max-in-memory-length": 1}))), Plan::default());
    assert_eq!(planned(&with("^other", json!({"expires": 1}))), Plan::default());
}

#[test]
fn a_missing_dead_letter_policy_is_a_step_and_an_unwritable_one_a_fault() {
    let mut observed = complete();
    observed.policies.clear();
    assert_eq!(planned(&observed).steps.len(), 2);
    observed.caller.tags = vec!["management".to_owned()];
    fault(&observed, &["user me", "policymaker"]);
}

#[test]
fn foreign_bindings_are_told() {
    let with = |binding: Binding| {
        let mut observed = complete();
        observed.bindings.push(binding);
        observed
    };
    fault(&with(binding("amq.fanout", "queue", "docket.default.high", "")), &["amq.fanout", "docket.default.high"]);
    fault(&with(binding("docket.jobs", "queue", "docket.default.low", "docket.default.high")), &["delete the binding"]);
    fault(&with(binding("amq.topic", "exchange", "docket.jobs", "#")), &["to exchange docket.jobs"]);
    warning(&with(binding("docket.jobs", "queue", "audit", "docket.default.high")), &["audit", "copies"]);
    warning(&with(binding("docket.dead", "exchange", "x", "docket.dead")), &["copies"]);
}

#[test]
fn rights_that_are_missing_are_named_with_the_command() {
    let roles = Roles { scheduler: Some("sch".to_owned()), worker: Some("it's".to_owned()) };
    let rights = |user: BrokerUser| {
        let BrokerUser { name, configure, write, read, .. } = user;
        (name.clone(), Some(Permission { user: name, configure, write, read }))
    };
    let mut observed = complete();
    let good = [rights(BrokerUser::scheduler("sch", "".into())), rights(BrokerUser::worker("it's", "".into()))];
    observed.permissions = Some(good.to_vec());
    let check = |observed: &Observed| plan(&topology(&["default"]), &roles, observed).findings;
    assert_eq!(check(&observed), []);

    let worker = &mut observed.permissions.as_mut().expect("there")[1];
    worker.1.as_mut().expect("there").write = String::new();
    let findings = check(&observed);
    assert_eq!(findings.len(), 1);
    assert_eq!(
        findings[0].to_string(),
        r"user it's lacks write on docket.dead: rabbitmqctl set_permissions -p '/' 'it'\''s' '^$' '^docket\.dead$' '^docket\.[a-z0-9_-]+\.(high|normal|low)$'"
    );
    observed.permissions = Some(vec![("sch".to_owned(), None), ("it's".to_owned(), None)]);
    let findings = check(&observed);
    assert!(findings.len() == 2 && findings[0].problem.contains("does not exist"), "{findings:?}");
    // One account for both roles needs a scheduler's rights, and is told once.
    let same = Roles { scheduler: Some("sch".to_owned()), worker: Some("sch".to_owned()) };
    assert_eq!((same.users(), plan(&topology(&["default"]), &same, &observed).findings.len()), (vec!["sch"], 1));
}

#[test]
fn the_nodes_own_troubles_are_told() {
    let mut observed = complete();
    let flag =
        |name: &str, state: &str| FeatureFlag { name: name.into(), state: state.into(), stability: "stable".into() };
    observed.feature_flags = Some(vec![flag("quorum_queue", "enabled"), flag("stream_queue", "disabled")]);
    fault(&observed, &["stream_queue", "at-least-once", "enable_feature_flag stream_queue"]);
    let mut observed = complete();
    let node = json!({"name": "rabbit@a", "running": true, "mem_alarm": true, "disk_free_alarm": false});
    observed.nodes = Some(vec![serde_json::from_value::<Node>(node).expect("a node")]);
    warning(&observed, &["rabbit@a", "memory alarm"]);
    let mut observed = complete();
    observed.limits = Some(Limits { max_queues: Some(3), max_connections: Some(-1) });
    fault(&observed, &["3 queues", "need 4"]);
    let mut observed = complete();
    observed.queues[1].messages_dlx = Some(7);
    warning(&observed, &["7 messages", "docket.dead"]);
    let mut observed = complete();
    observed.queues_left_out = 10_000;
    fault(&observed, &["10000 queues"]);
}

#[test]
fn versions_that_are_not_known_are_refused_or_told() {
    let plan = planned(&empty("3.9.29"));
    assert!(plan.steps.is_empty() && plan.findings[0].to_string().contains("upgrade it"), "{plan:?}");
    assert!(planned(&empty("unknown")).steps.is_empty());
    let newer = planned(&empty("4.9.0"));
    assert_eq!((newer.steps.len(), newer.findings[0].severity), (12, Severity::Warning));
}

/// The same topology on every recorded series: the steps are the same but for the one value that differs, and no series
/// objects to any of it.
#[test]
fn the_plan_suits_every_recorded_version() {
    let usual: Vec<Step> = planned(&empty("3.10.8")).steps;
    for (version, limit) in
        [("3.10.8", None), ("3.13.7", None), ("4.0.5", Some(-1)), ("4.2.1", Some(-1)), ("4.3.0", Some(-1))]
    {
        let Known::Yes(facts) = known(version.parse().expect("a version")) else { panic!("{version} is not recorded") };
        let plan = planned(&empty(version));
        assert!(plan.findings.is_empty(), "{version}: {plan:?}");
        let (mut queues, mut policies): (Vec<Queue>, Vec<Policy>) = (Vec::new(), Vec::new());
        for (step, usual) in plan.steps.iter().zip(&usual) {
            match step {
                Step::SetPolicy { policy, .. } if policy.name == "docket-dead" => {
                    assert_eq!(policy.definition.get("delivery-limit").and_then(serde_json::Value::as_i64), limit);
                    policies.push(policy.clone());
                }
                step => {
                    assert_eq!(step, usual, "{version}");
                    match step.clone() {
                        Step::DeclareQueue(queue) => queues.push(queue),
                        Step::SetPolicy { policy, .. } => policies.push(policy),
                        Step::DeclareExchange(_) | Step::Bind(_) => {}
                    }
                }
            }
        }
        assert_eq!(facts.objections(&queues, &policies), Vec::<String>::new(), "{version}");
    }
    // The other way round each is objected to: 3.x refuses the value, 4.x drops dead letters without it.
    let policies = |version| Wanted::of(&suited(version)).policies;
    assert_eq!(FACTS[0].objections(&[], &policies(4)).len(), 1);
    assert_eq!(FACTS[2].objections(&[], &policies(3)).len(), 1);
}

fn suited(major: u8) -> Topology {
    let mut topology = topology(&["default"]);
    topology.broker_major = major;
    topology
}

proptest! {
    /// Whatever part is there: doing the plan leaves nothing to do, and nothing of the broker's is lost.
    #[test]
    fn a_plan_that_was_done_leaves_nothing(kept in proptest::collection::vec(any::<bool>(), 14), version in 0_usize..5) {
        let version = ["3.10.8", "3.13.7", "4.0.5", "4.2.1", "4.3.0"][version];
        let mut observed = empty(version);
        let all = planned(&observed).steps;
        for (step, _) in all.iter().zip(&kept).filter(|(_, kept)| **kept) {
            done(&mut observed, step);
        }
        let before = observed.clone();
        let first = planned(&observed);
        prop_assert_eq!(first.steps.len(), all.len() - kept.iter().take(all.len()).filter(|kept| **kept).count());
        for step in &first.steps {
            done(&mut observed, step);
        }
        prop_assert_eq!(planned(&observed), Plan::default());
        prop_assert!(before.queues.iter().all(|queue| observed.queues.contains(queue)));
    }
}
