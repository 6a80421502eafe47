//! What must hold when the faults have ended and time has passed.

use crate::{
    handlers::Script,
    ledger::{Job, State},
    world::World,
};
use docket::fleet::job::Status;

/// Nothing is under way any more: the story may end.
pub(crate) fn is_settled(world: &World) -> bool {
    is_at_rest(world) && dead_queue(world).is_none()
}

/// The same without docket.dead.
pub(crate) fn is_at_rest(world: &World) -> bool {
    let ledger_rests = world.ledger(|s| s.messages.is_empty() && s.jobs.values().all(|job| job.status.is_terminal()));
    ledger_rests && world.look(|queues| queues.in_lanes()) == 0
}

/// All that is wrong, one line each.
pub(crate) fn faults(world: &World) -> Vec<String> {
    let mut faults = world.ledger(|s| {
        let mut faults = s.illegal.clone();
        faults.extend(s.messages.iter().map(|(id, message)| format!("message {id} is left in flight: {message:?}")));
        faults.extend(s.jobs.values().filter_map(|job| job_fault(s, job).map(|fault| format!("{fault}: {job:?}"))));
        faults.extend((s.quarantined > 0).then(|| format!("{} messages are quarantined", s.quarantined)));
        faults
    });
    faults.extend(dead_queue(world));
    let left = world.look(|queues| queues.in_lanes());
    faults.extend((left > 0).then(|| format!("{left} messages are left in the lanes' queues")));
    faults
}

fn job_fault(state: &State, job: &Job) -> Option<String> {
    let limits = &state.protocol;
    let script: Script = serde_json::from_value(job.new.args.clone()).expect("written by the story");
    let by_losses = job.status == Status::DeadLetter && job.losses >= limits.losses_max;
    let by_failures = job.status == Status::DeadLetter && job.failures >= job.new.max_attempts;
    if !job.status.is_terminal() {
        return Some("not ended".to_owned());
    }
    if job.failures > job.new.max_attempts || job.losses > limits.losses_max {
        return Some("charged too often".to_owned());
    }
    if job.status == Status::DeadLetter && !by_losses && !by_failures {
        return Some("a dead letter without three failures or five losses".to_owned());
    }
    if let Some(fault) = effects_fault(state, job) {
        return Some(fault);
    }
    if job.open_children.is_some_and(|open| open != 0) {
        return Some("waits for children that have all ended".to_owned());
    }
    // However many attempts were lost: what its handler says is what becomes of it, unless it was lost too often.
    if by_losses {
        return None;
    }
    let failures = script.fail_first.max(i16::from(script.bad_effects && job.new.kind == "writer"));
    let expected = match script {
        Script { kill: true, .. } => return Some("it kills its workers, and ended otherwise".to_owned()),
        Script { refuse: true, .. } => (Status::Failed, 1),
        Script { discard: true, .. } => (Status::Cancelled, 0),
        _ if failures >= job.new.max_attempts => (Status::DeadLetter, job.new.max_attempts),
        _ => (Status::Completed, failures),
    };
    ((job.status, job.failures) != expected).then(|| format!("expected {expected:?}"))
}

fn effects_fault(state: &State, job: &Job) -> Option<String> {
    let written: Vec<i32> = state.effects.iter().filter(|(id, _)| *id == job.id).map(|(_, epoch)| *epoch).collect();
    // The attempt that was completed is the one that wrote.
    let expected = match job.status {
        Status::Completed if job.new.kind == "writer" => vec![job.epoch - 1],
        _ => Vec::new(),
    };
    (written != expected).then(|| format!("effects of attempts {written:?} instead of {expected:?}"))
}

fn dead_queue(world: &World) -> Option<String> {
    let expected = world.ledger(|s| {
        let dead = s.jobs.values().filter(|job| job.status == Status::DeadLetter);
        let mut dead: Vec<_> = dead.map(|job| Some((job.id.0, job.epoch))).collect();
        dead.sort_unstable();
        dead
    });
    let found = world.look(|queues| queues.dead_pointers());
    (found != expected).then(|| format!("docket.dead holds {found:?}, the ledger {expected:?}"))
}
