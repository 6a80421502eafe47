//! Dead letters that are none.

use super::runs::{Run, Runs};
use crate::dev::chaos::{
    evidence::{Evidence, JobRow},
    kinds::{ATTEMPTS, BUSY, HANG},
};

/// Losses that end a job, and losses from which on it runs alone: the protocol's, in both profiles.
const LOSSES: usize = 5;
const SUSPECT: usize = 2;

/// Each false dead letter, and why. A true one failed three times by its handlers' own account, or was lost five times with
/// its worker, from the third on alone.
pub(super) fn false_dead_letters(evidence: &Evidence, runs: &Runs) -> Vec<(i64, String)> {
    let dead = evidence.accepted.iter().filter_map(|job| evidence.jobs.get(&job.id));
    let dead = dead.filter(|row| row.status == "dead_letter");
    dead.filter_map(|row| Some((row.id, why(row, runs)?))).collect()
}

fn why(row: &JobRow, runs: &Runs) -> Option<String> {
    let all = runs.of_job(row.id);
    // A deadline ends a run, which can only be dropped then.
    let by_deadline = [HANG, BUSY].contains(&row.kind.as_str());
    // What the fence refused is no proof.
    let taken = runs.committed(row.id, None);
    let failed = all.iter().filter(|run| run.failed() || by_deadline);
    let failures = failed.filter(|run| taken.contains(&run.epoch)).count();
    if row.failures >= ATTEMPTS && failures >= ATTEMPTS.unsigned_abs().into() {
        return None;
    }
    let lost = lost(row, runs, all);
    if usize::try_from(row.losses).unwrap_or_default() < LOSSES || lost.len() < LOSSES {
        let (booked, losses) = (row.failures, row.losses);
        return Some(format!(
            "{}: {failures} of its runs failed ({booked} booked), {} were lost ({losses} booked)",
            row.kind,
            lost.len()
        ));
    }
    let in_company = lost.iter().skip(SUSPECT).filter_map(Option::as_ref).find(|run| !runs.was_alone(row.id, run));
    in_company.map(|run| format!("{}: at epoch {} it was not alone", row.kind, run.epoch))
}

/// The runs that the ledger booked as lost, in order. A worker that died between a claim and the handler's first word leaves
/// no run.
fn lost<'a>(row: &JobRow, runs: &Runs, all: &'a [Run]) -> Vec<Option<&'a Run>> {
    let mut epochs: Vec<i32> =
        runs.booked(row.id).iter().filter(|(_, outcome)| outcome == "lost").map(|(epoch, _)| *epoch).collect();
    epochs.sort_unstable();
    epochs.into_iter().map(|epoch| all.iter().find(|run| run.epoch == epoch)).collect()
}
