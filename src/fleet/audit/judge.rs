//! From looks to a verdict. Pure.

use super::{
    look::{BandLook, Look, Route},
    verdict::{Class, Verdict},
};
use crate::fleet::job::Pointer;
use std::collections::{BTreeSet, HashSet};

/// What both looks showed. They are at least a lease apart, and longer than a worker keeps a message that it has no slot
/// for: whoever lives has beaten meanwhile, and what was in somebody's hands has been claimed or handed back.
pub(super) fn judge(before: &Look, now: &Look) -> Verdict {
    let (missing, ghost, unrouted) = queues(before, now);
    Verdict {
        missing,
        ghost,
        unrouted,
        double: count(before.doubles.min(now.doubles)),
        stale_lease: stale(before, now),
        forgotten: now.heads.keys().map(|lane| passed_over(before, now, lane)).sum(),
        dead_letter_drift: drift(before, now),
        orphaned: orphaned(before, now).len() as u64,
        checked_jobs: count(now.jobs),
        unjudged: unjudged(now),
        ..Verdict::default()
    }
    .concluded()
}

/// Missing, ghosts, unrouted.
fn queues(before: &Look, now: &Look) -> (u64, u64, u64) {
    let (mut missing, mut ghost, mut unrouted) = (0, 0, 0);
    for (key, band) in &now.bands {
        let Some(was) = before.bands.get(key) else { continue };
        // A message in a worker's hands at the first look is gone at the second: what lacks in both is in no queue.
        let lacking = band.lacking.iter().filter(|(message, _)| was.lacking.contains_key(message));
        missing += lacking.map(|(_, jobs)| *jobs).sum::<i64>();
        let more = |band: &BandLook| band.ready.map_or(0, |ready| ready - band.messages);
        ghost += more(was).min(more(band)).max(0);
        if was.route == Route::Missing && band.route == Route::Missing {
            // Without a job that waits it is the next one's trouble, and still one.
            unrouted += band.due.max(1);
        }
    }
    (count(missing), count(ghost), count(unrouted))
}

/// Whether a worker's heart beat between the looks; a new one lives.
fn lives(before: &Look, now: &Look, id: i64) -> bool {
    let beat = |look: &Look| look.workers.get(&id).map(|worker| worker.beat);
    beat(now).is_some() && beat(now) != beat(before)
}

fn stale(before: &Look, now: &Look) -> u64 {
    let stale = now.held.iter().filter(|(id, _)| before.held.contains_key(id) && !lives(before, now, **id));
    count(stale.map(|(_, holding)| holding.jobs).sum())
}

/// Free slots of the lane's live workers.
fn free(before: &Look, now: &Look, look: &Look, lane: &str) -> i64 {
    let of_lane = look.workers.iter().filter(|(id, worker)| worker.serves(lane) && lives(before, now, **id));
    let held = |id| look.held.get(id).map_or(0, |holding| holding.messages);
    of_lane.map(|(id, worker)| (worker.slots - held(id)).max(0)).sum()
}

/// The jobs at the head of the line that stood there before. A line that moves loses its head first.
fn passed_over(before: &Look, now: &Look, lane: &str) -> u64 {
    let (Some(was), Some(is)) = (before.heads.get(lane), now.heads.get(lane)) else { return 0 };
    if free(before, now, before, lane) == 0 || free(before, now, now, lane) == 0 {
        return 0;
    }
    let is: HashSet<&Pointer> = is.iter().collect();
    was.iter().take_while(|job| is.contains(job)).count() as u64
}

fn drift(before: &Look, now: &Look) -> u64 {
    let more = |look: &Look| look.dead_depth.map_or(0, |depth| depth - look.dead);
    let (was, is) = (more(before), more(now));
    if was.signum() == is.signum() { was.unsigned_abs().min(is.unsigned_abs()) } else { 0 }
}

/// Parents to be counted again.
pub(super) fn orphaned(before: &Look, now: &Look) -> Vec<Pointer> {
    now.orphaned.iter().filter(|parent| before.orphaned.contains(parent)).copied().collect()
}

/// What the broker did not tell. A fleet that never had a broker has nothing there.
fn unjudged(now: &Look) -> Vec<String> {
    if now.generation == 0 {
        return Vec::new();
    }
    let mut classes = BTreeSet::new();
    for ((lane, _), band) in now.bands.iter().filter(|(_, band)| band.route != Route::Missing) {
        if band.ready.is_none() {
            classes.extend([Class::Ghost, Class::Unrouted]);
        }
        // Without a worker messages just wait, and R3 rests too.
        let is_served = now.workers.values().any(|worker| worker.serves(lane));
        if band.messages > 0 && is_served && !(band.proven && band.ready.is_some()) {
            classes.insert(Class::Missing);
        }
    }
    if now.dead_depth.is_none() {
        classes.insert(Class::DeadLetterDrift);
    }
    classes.into_iter().map(|class| class.as_str().to_owned()).collect()
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests;
