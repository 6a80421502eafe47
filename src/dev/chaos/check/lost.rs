//! An accepted job that did not end, or ended as nothing it did explains.

use super::runs::Runs;
use crate::dev::chaos::{
    evidence::{Accepted, Evidence, JobRow},
    kinds::{EFFECT, EXTERNAL, FAIL_ALWAYS, HANG, KILL, PANIC, REFUSE},
    witness::Deed,
};
use std::collections::HashSet;

/// Kinds that can't come to a good end.
const NEVER_COMPLETE: [&str; 5] = [FAIL_ALWAYS, PANIC, HANG, REFUSE, KILL];

/// Each lost job, and why.
pub(super) fn lost(evidence: &Evidence, runs: &Runs) -> Vec<(i64, String)> {
    let cancelled: HashSet<i64> = evidence.cancelled.iter().map(|job| job.id).collect();
    let called: HashSet<i64> = evidence.calls.iter().map(|call| call.job).collect();
    let effects: HashSet<i64> = evidence.effects.iter().map(|effect| effect.job_id).collect();
    let why = |job: &Accepted| {
        let Some(row) = evidence.jobs.get(&job.id) else { return Some("the ledger does not know it".to_owned()) };
        let done = match row.status.as_str() {
            "completed" => completed(job, row, runs, &called, &effects),
            "cancelled" if cancelled.contains(&job.id) => None,
            "cancelled" => Some("cancelled, and nobody asked for it".to_owned()),
            "failed" if job.kind == REFUSE && ended_as(row, runs, Deed::Refusal) => None,
            "failed" => Some("failed, and its handler never said so".to_owned()),
            // Whether it is a false one is asked elsewhere.
            "dead_letter" => None,
            open => Some(format!("still {open}")),
        };
        done.map(|why| format!("{}: {why}", job.kind))
    };
    evidence.accepted.iter().filter_map(|job| Some((job.id, why(job)?))).collect()
}

fn completed(
    job: &Accepted,
    row: &JobRow,
    runs: &Runs,
    called: &HashSet<i64>,
    effects: &HashSet<i64>,
) -> Option<String> {
    if NEVER_COMPLETE.contains(&job.kind.as_str()) {
        return Some("completed, which its kind can't".to_owned());
    }
    if !ended_as(row, runs, Deed::Ok) {
        return Some(format!("completed at epoch {}, and no run of epoch {} ended well", row.epoch, row.epoch - 1));
    }
    if job.kind == EXTERNAL && !called.contains(&job.id) {
        return Some("completed without its call".to_owned());
    }
    if job.kind == EFFECT && !effects.contains(&job.id) {
        return Some("completed without its effect".to_owned());
    }
    None
}

/// The run that the ledger took at last ended so: its end took the epoch one further.
fn ended_as(row: &JobRow, runs: &Runs, deed: Deed) -> bool {
    runs.of_job(row.id).iter().any(|run| run.epoch == row.epoch - 1 && run.ended(deed))
}
