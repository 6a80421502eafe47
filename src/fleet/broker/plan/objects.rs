//! Exchanges, queues and bindings.

use super::{
    story::{Finding, Leftover, Plan, Step},
    wanted::Wanted,
};
use crate::fleet::broker::{
    management::{Binding, Exchange, MAX_QUEUES, Observed, Queue},
    topology::{DEAD, JOBS_EXCHANGE},
};

/// In which order steps are safe.
pub(super) fn order(step: &Step) -> u8 {
    match step {
        Step::DeclareExchange(_) => 0,
        Step::DeclareQueue(queue) if queue.name == DEAD => 1,
        Step::Bind(binding) if binding.source == DEAD => 2,
        Step::SetPolicy { .. } => 3,
        Step::DeclareQueue(_) => 4,
        Step::Bind(_) => 5,
    }
}

pub(super) fn exchanges(wanted: &Wanted, observed: &Observed, plan: &mut Plan) {
    for exchange in &wanted.exchanges {
        match observed.exchanges.iter().find(|there| there.name == exchange.name) {
            None => plan.steps.push(Step::DeclareExchange(exchange.clone())),
            Some(there) => plan.findings.extend(other_exchange(exchange, there)),
        }
    }
}

fn other_exchange(wanted: &Exchange, there: &Exchange) -> Option<Finding> {
    let mut differs = Vec::new();
    if there.kind != wanted.kind {
        differs.push(format!("is of type {}, not {}", there.kind, wanted.kind));
    }
    if !there.durable || there.auto_delete || there.internal {
        differs.push("must be durable, not auto-delete and not internal".to_owned());
    }
    differs.extend(there.arguments.iter().map(|(key, value)| format!("has the argument {key} = {value}")));
    let fix = "this can't be changed: stop the fleet, delete the exchange, then docket topology apply";
    (!differs.is_empty()).then(|| Finding::fault(format!("exchange {}", there.name), differs.join(", "), fix))
}

pub(super) fn queues(wanted: &Wanted, observed: &Observed, plan: &mut Plan) {
    for queue in &wanted.queues {
        match observed.queues.iter().find(|there| there.name == queue.name) {
            None => plan.steps.push(Step::DeclareQueue(queue.clone())),
            Some(there) => plan.findings.extend(other_queue(there).into_iter().chain(stuck(there))),
        }
    }
    let is_wanted = |there: &&Queue| wanted.queues.iter().any(|queue| queue.name == there.name);
    plan.leftovers.extend(observed.queues.iter().filter(|there| !is_wanted(there)).map(leftover));
    if observed.queues_left_out > 0 {
        plan.findings.push(Finding::fault(
            format!("{} queues", observed.queues_left_out),
            format!("are named like lanes' queues, beyond the {MAX_QUEUES} that are read"),
            "delete those that are nobody's, or give Docket a virtual host of its own",
        ));
    }
}

fn leftover(queue: &Queue) -> Leftover {
    Leftover { queue: queue.name.clone(), messages: queue.messages, consumers: queue.consumers }
}

fn other_queue(there: &Queue) -> Option<Finding> {
    let mut differs = Vec::new();
    if there.type_name() != "quorum" {
        differs.push(format!("is of type {}, not quorum", there.type_name()));
    }
    if !there.durable || there.auto_delete || there.exclusive {
        differs.push("must be durable, not auto-delete and not exclusive".to_owned());
    }
    let foreign = there.arguments.iter().filter(|(key, _)| *key != "x-queue-type");
    differs.extend(foreign.map(|(key, value)| format!("has the argument {key} = {value}")));
    let fix = if there.name == DEAD {
        "this can't be changed: delete the queue, then docket topology apply; the ledger publishes its copies again"
    } else {
        "this can't be changed: stop the schedulers, let workers drain it, delete it, then docket topology apply"
    };
    (!differs.is_empty()).then(|| Finding::fault(format!("queue {}", there.name), differs.join(", "), fix))
}

fn stuck(there: &Queue) -> Option<Finding> {
    let waiting = there.messages_dlx.filter(|waiting| *waiting > 0)?;
    Some(Finding::warning(
        format!("queue {}", there.name),
        format!("has {waiting} messages that wait for {DEAD} to take them"),
        format!("see that exchange, queue and binding {DEAD} are there; they move on within some minutes"),
    ))
}

pub(super) fn bindings(wanted: &Wanted, observed: &Observed, plan: &mut Plan) {
    for binding in &wanted.bindings {
        if !observed.bindings.contains(binding) {
            plan.steps.push(Step::Bind(binding.clone()));
        }
    }
    // A queue of a lane that is gone is still bound: that is told once, as a leftover.
    let is_left = |binding: &Binding| {
        binding.source == JOBS_EXCHANGE
            && binding.routing_key == binding.destination
            && plan.leftovers.iter().any(|left| left.queue == binding.destination)
    };
    let foreign = observed.bindings.iter().filter(|binding| !wanted.bindings.contains(binding) && !is_left(binding));
    let findings: Vec<Finding> = foreign.map(|binding| foreign_binding(binding, wanted)).collect();
    plan.findings.extend(findings);
}

fn foreign_binding(binding: &Binding, wanted: &Wanted) -> Finding {
    let Binding { source, destination, destination_type, routing_key, .. } = binding;
    let about = format!("binding of exchange {source} to {destination_type} {destination} with key {routing_key:?}");
    let is_ours = |name: &str| wanted.queues.iter().any(|queue| queue.name == name);
    let is_own_exchange = |name: &str| name == JOBS_EXCHANGE || name == DEAD;
    let fix = "delete the binding (management UI, or rabbitmqadmin delete binding)";
    if (destination_type == "queue" && is_ours(destination))
        || (destination_type != "queue" && is_own_exchange(destination))
    {
        return Finding::fault(
            about,
            "is not Docket's and brings messages where workers or the dead letters read",
            fix,
        );
    }
    let problem = "is not Docket's: it takes copies of messages, and what nobody reads fills the disk";
    Finding::warning(about, problem, format!("if nobody needs it, {fix}"))
}
