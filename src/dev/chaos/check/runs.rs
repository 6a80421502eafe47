//! The runs of each job, from the handlers' own account.

use crate::dev::chaos::{
    evidence::Evidence,
    kinds::{BUSY, HANG, SHORT},
    witness::{Deed, Line},
};
use std::collections::{HashMap, HashSet};

/// One run of a handler.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) epoch: i32,
    /// Which of the witnesses tells of it.
    pub(super) process: usize,
    pub(super) began_us: u64,
    /// It has a deadline that it may be deaf to.
    short: bool,
    /// How it ended and when; none: with its process.
    pub(super) end: Option<(Deed, u64)>,
}

impl Run {
    /// Whether it failed by its own account.
    pub(super) fn failed(&self) -> bool {
        matches!(self.end, Some((Deed::Error | Deed::Panic, _)))
    }

    /// Whether it came to a result that could be booked.
    pub(super) fn ended(&self, deed: Deed) -> bool {
        self.end.is_some_and(|(ended, _)| ended == deed)
    }

    pub(super) fn ended_us(&self) -> u64 {
        self.end.map_or(u64::MAX, |(_, at)| at)
    }

    /// A deaf handler goes on after its deadline; its failure is booked then, and its row is somebody else's.
    fn held_until_us(&self) -> u64 {
        let deadline = u64::try_from(SHORT.as_micros()).unwrap_or(u64::MAX);
        if self.short { self.ended_us().min(self.began_us + deadline) } else { self.ended_us() }
    }
}

/// What the witnesses say and what the ledger booked.
pub(super) struct Runs {
    jobs: HashMap<i64, Vec<Run>>,
    /// Outcomes of attempts by job and epoch. A first-try success has none.
    booked: HashMap<i64, Vec<(i32, String)>>,
    /// For each process: which jobs' rows it held from when to when, at the longest.
    held: Vec<Vec<(i64, i32, u64, u64)>>,
}

impl Runs {
    pub(super) fn of(evidence: &Evidence) -> Self {
        let mut jobs: HashMap<i64, Vec<Run>> = HashMap::new();
        let mut held = Vec::with_capacity(evidence.witnesses.len());
        for (process, lines) in evidence.witnesses.iter().enumerate() {
            let runs = runs_of(process, lines);
            held.push(runs.iter().map(|(job, run)| (*job, run.epoch, run.began_us, run.held_until_us())).collect());
            for (job, run) in runs {
                jobs.entry(job).or_default().push(run);
            }
        }
        for runs in jobs.values_mut() {
            runs.sort_by_key(|run| (run.began_us, run.epoch));
        }
        let mut booked: HashMap<i64, Vec<(i32, String)>> = HashMap::new();
        for attempt in &evidence.attempts {
            booked.entry(attempt.job_id).or_default().push((attempt.epoch, attempt.outcome.clone()));
        }
        Self { jobs, booked, held }
    }

    pub(super) fn of_job(&self, job: i64) -> &[Run] {
        self.jobs.get(&job).map_or(&[], Vec::as_slice)
    }

    pub(super) fn booked(&self, job: i64) -> &[(i32, String)] {
        self.booked.get(&job).map_or(&[], Vec::as_slice)
    }

    /// Epochs whose own result the ledger took.
    pub(super) fn committed(&self, job: i64, completed_at: Option<i32>) -> HashSet<i32> {
        let own = |outcome: &str| matches!(outcome, "completed" | "retry" | "failed" | "dead_letter");
        let booked = self.booked(job).iter().filter(|(_, outcome)| own(outcome)).map(|(epoch, _)| *epoch);
        booked.chain(completed_at).collect()
    }

    /// Whether its worker held no other row meanwhile.
    pub(super) fn was_alone(&self, job: i64, run: &Run) -> bool {
        let others = self.held[run.process].iter().filter(|(id, epoch, ..)| (*id, *epoch) != (job, run.epoch));
        others.into_iter().all(|(_, _, began, ended)| *ended <= run.began_us || *began >= run.ended_us())
    }
}

/// The runs of one process. The second begin of a job at the same epoch is a run of its own.
fn runs_of(process: usize, lines: &[Line]) -> Vec<(i64, Run)> {
    let mut runs: Vec<(i64, Run)> = Vec::new();
    let mut open: HashMap<(i64, i32), usize> = HashMap::new();
    for line in lines {
        if line.deed == Deed::Start {
            open.insert((line.job, line.epoch), runs.len());
            let short = [BUSY, HANG].contains(&line.kind.as_str());
            runs.push((line.job, Run { epoch: line.epoch, process, began_us: line.at_us, short, end: None }));
        } else if let Some(index) = open.get(&(line.job, line.epoch)) {
            runs[*index].1.end = Some((line.deed, line.at_us));
        }
    }
    runs
}
