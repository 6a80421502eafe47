//! What must hold when the faults have ended and time has passed.

use crate::{
    handlers::Script,
    ledger::{Job, State},
    process::Cause,
    world::World,
};
use docket::fleet::job::{Epoch, JobId, Pointer, Status, clamp};
use std::collections::BTreeSet;

/// Nothing is under way any more, but for what waits for its time, and docket.dead is right.
pub(crate) fn is_settled(world: &World) -> bool {
    let ledger_rests = world.ledger(|s| s.messages.is_empty() && s.active.iter().all(|id| s.is_waiting(&s.jobs[id])));
    ledger_rests && broker_fault(world).is_none()
}

/// Every job has ended.
pub(crate) fn is_over(world: &World) -> bool {
    world.ledger(|s| s.messages.is_empty() && s.active.is_empty()) && broker_fault(world).is_none()
}

/// What keeps a story from settling, or from its end.
pub(crate) fn unsettled(world: &World) -> Vec<String> {
    let mut left = world.ledger(|s| {
        let stuck = s.active.iter().map(|id| &s.jobs[id]).filter(|job| !s.is_waiting(job));
        let mut left: Vec<String> = stuck.map(|job| format!("does not end: {}", tell(job))).collect();
        left.extend(s.messages.iter().map(|(id, message)| format!("message {id} stays in flight: {message:?}")));
        left
    });
    left.extend(broker_fault(world));
    left
}

/// All that is wrong at the end, one line each.
pub(crate) fn faults(world: &World) -> Vec<String> {
    let done = world.witness(|witness| witness.done.clone());
    let mut faults = world.ledger(|s| {
        let mut faults = s.illegal.clone();
        let of_jobs =
            s.jobs.values().filter_map(|job| job_fault(s, &done, job).map(|fault| format!("{fault}: {}", tell(job))));
        faults.extend(of_jobs);
        faults
    });
    // Fenced, so only work for nothing: but an attempt is begun by the claim that made it, and by nothing else.
    let twice = world.witness(|witness| witness.twice.clone());
    faults.extend(twice.into_iter().map(|(job, epoch)| format!("job {job}: its attempt at epoch {epoch} began twice")));
    faults.extend(quarantine_fault(world));
    faults
}

fn job_fault(state: &State, done: &BTreeSet<(JobId, Epoch)>, job: &Job) -> Option<String> {
    if !job.status.is_terminal() {
        return Some("not ended".to_owned());
    }
    if job.failures > job.new.max_attempts || job.losses > state.protocol.losses_max {
        return Some("charged too often".to_owned());
    }
    if job.status == Status::Completed && !done.contains(&(job.id, job.epoch - 1)) {
        return Some("completed by an attempt that did not do it".to_owned());
    }
    if job.open_children.is_some_and(|open| open != 0) && job.status != Status::Cancelled {
        return Some("its children are not counted".to_owned());
    }
    effects_fault(state, job).or_else(|| outcome_fault(state, job))
}

/// What of a row says how it came there.
fn tell(job: &Job) -> String {
    let Job { id, status, epoch, hold, message, worker, failures, losses, lost_by, priority, open_children, .. } = job;
    format!(
        "job {id} {} {status} at epoch {epoch}, hold {hold:?}, {failures} failures, {losses} losses {lost_by:?}, \
         priority {priority}, children {open_children:?}, message {message:?}, worker {worker:?}, {}",
        job.new.kind, job.new.args
    )
}

/// However many attempts were lost: what its handler says is what becomes of it, unless it was lost too often or given up.
fn outcome_fault(state: &State, job: &Job) -> Option<String> {
    let script: Script = serde_json::from_value(job.new.args.clone()).expect("written by the story");
    if job.status == Status::Cancelled && job.is_given_up {
        return None;
    }
    if job.status == Status::DeadLetter && job.losses >= state.protocol.losses_max {
        return false_dead_letter(state, job, &script);
    }
    let failures = script.fail_first.max(i16::from(script.bad_effects && job.new.kind == "writer"));
    let expected = match script {
        Script { kill: true, .. } => return Some("it kills its workers, and ended otherwise".to_owned()),
        Script { refuse: true, .. } => (Status::Failed, 1),
        Script { discard: true, .. } => (Status::Cancelled, 0),
        _ if failures >= job.new.max_attempts => (Status::DeadLetter, job.new.max_attempts),
        _ => (Status::Completed, failures),
    };
    if (job.status, job.failures) != expected {
        return Some(format!("expected {expected:?}"));
    }
    let lowered = if script.refuse { 0 } else { 10 * i32::from(job.failures) * i32::from(job.failures + 1) };
    let priority = clamp(i32::from(job.new.priority) - lowered);
    (job.priority != priority).then(|| format!("expected priority {priority}"))
}

/// Lost too often. Whoever does no harm may be as unlucky as that, but not by a neighbour that it was told from, and not
/// while its workers lived.
fn false_dead_letter(state: &State, job: &Job, script: &Script) -> Option<String> {
    if script.kill {
        return None;
    }
    let alone = usize::try_from(state.protocol.suspect_losses).unwrap();
    if job.lost_by.iter().skip(alone).any(|cause| *cause == Cause::Poison) {
        return Some("a false dead letter: a neighbour killed its workers".to_owned());
    }
    let lived = job.lost_by.contains(&Cause::Alive);
    lived.then(|| "a false dead letter: its workers lived".to_owned())
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

/// Messages that nobody took, or a docket.dead that is not the ledger's dead letters. A broker that is lost for good has
/// what it has.
fn broker_fault(world: &World) -> Option<String> {
    let (left, found, is_lost) = world.look(|queues| (queues.in_lanes(), queues.dead_pointers(), queues.is_lost));
    if is_lost {
        return None;
    }
    if left > 0 {
        return Some(format!("{left} messages are left in the lane's queues"));
    }
    let expected: Vec<_> = world.ledger(|s| {
        let dead = s.jobs.values().filter(|job| job.status == Status::DeadLetter);
        dead.map(|job| Some(Pointer(job.id, job.epoch))).collect()
    });
    (found != expected).then(|| format!("docket.dead holds {found:?}, the ledger {expected:?}"))
}

/// Only garbage goes there.
fn quarantine_fault(world: &World) -> Option<String> {
    let forged = world.history.counts().get("message forged").copied().unwrap_or(0);
    let quarantined = world.ledger(|s| s.quarantined);
    (quarantined > 0 && forged == 0).then(|| format!("{quarantined} messages of ours are quarantined"))
}
