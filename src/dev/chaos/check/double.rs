//! What was done twice.

use super::runs::{Run, Runs};
use crate::dev::chaos::{
    evidence::{Accepted, Evidence},
    kinds::{BUSY, HANG},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Each job whose work counts twice, and why. A call that is repeated with the same key is not among them: its receiver
/// can tell.
pub(super) fn double(evidence: &Evidence, runs: &Runs) -> Vec<(i64, String)> {
    let mut found: BTreeMap<i64, String> = BTreeMap::new();
    effects(evidence, &mut found);
    calls(evidence, &mut found);
    for job in &evidence.accepted {
        if let Some(why) = overlap(evidence, runs, job) {
            found.insert(job.id, why);
        }
    }
    found.into_iter().collect()
}

fn effects(evidence: &Evidence, found: &mut BTreeMap<i64, String>) {
    let mut rows: HashMap<i64, Vec<i32>> = HashMap::new();
    for effect in &evidence.effects {
        rows.entry(effect.job_id).or_default().push(effect.epoch);
    }
    for (job, epochs) in rows {
        let row = evidence.jobs.get(&job);
        let completed = row.filter(|row| row.status == "completed").map(|row| row.epoch - 1);
        if epochs.len() > 1 {
            found.insert(job, format!("{} effects, of epochs {epochs:?}", epochs.len()));
        } else if completed.is_none() {
            found.insert(job, "an effect without a completion".to_owned());
        } else if completed != Some(epochs[0]) {
            found.insert(job, format!("an effect of epoch {}, which did not complete it", epochs[0]));
        }
    }
}

fn calls(evidence: &Evidence, found: &mut BTreeMap<i64, String>) {
    let mut keys: HashMap<i64, BTreeSet<Option<&str>>> = HashMap::new();
    for call in &evidence.calls {
        keys.entry(call.job).or_default().insert(call.key.as_deref());
    }
    for (job, keys) in keys {
        if keys.contains(&None) {
            found.insert(job, "a call without a key".to_owned());
        } else if keys.len() > 1 {
            found.insert(job, format!("calls with {} keys", keys.len()));
        }
    }
}

/// Two runs at one epoch, or two that overlap and whose results both count.
fn overlap(evidence: &Evidence, runs: &Runs, job: &Accepted) -> Option<String> {
    let all = runs.of_job(job.id);
    let mut epochs = BTreeSet::new();
    if let Some(twice) = all.iter().find(|run| !epochs.insert(run.epoch)) {
        return Some(format!("epoch {} ran twice", twice.epoch));
    }
    let row = evidence.jobs.get(&job.id);
    let completed = row.filter(|row| row.status == "completed").map(|row| row.epoch - 1);
    let mut committed = runs.committed(job.id, completed);
    if [BUSY, HANG].contains(&job.kind.as_str()) {
        // Their failures are their deadlines, which a handler that is deaf to them outlives.
        committed.retain(|epoch| Some(*epoch) == completed);
    }
    let counting: Vec<&Run> = all.iter().filter(|run| committed.contains(&run.epoch)).collect();
    let pair = counting.windows(2).find(|pair| pair[1].began_us < pair[0].ended_us() && pair[0].end.is_some());
    pair.map(|pair| format!("runs of epochs {} and {} overlap, and both count", pair[0].epoch, pair[1].epoch))
}
