//! The verdict on a run.

use super::{
    dead::false_dead_letters,
    double::double,
    figures::{confirms_cut, counted, faults, missing, rank, recoveries, rescued, slope},
    lost::lost,
    runs::Runs,
    stuck::stuck,
};
use crate::dev::chaos::{evidence::Evidence, samples as s};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a run has shown, in one line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The seed of load and faults.
    pub seed: u64,
    /// For how long load and faults were to go on.
    pub minutes: f64,
    /// Jobs whose enqueueing was answered.
    pub accepted: u64,
    /// Of these, by the ledger.
    pub completed: u64,
    /// Of these, by the ledger.
    pub failed: u64,
    /// Of these, by the ledger.
    pub dead_letter: u64,
    /// Of these, by the ledger.
    pub cancelled: u64,
    /// Accepted jobs that did not end, or whose end nothing that was done explains.
    pub lost: u64,
    /// Jobs whose work counts twice.
    pub double: u64,
    /// Dead letters without three real failures, and without losses enough of their own.
    pub false_dead_letters: u64,
    /// Publishes without an answer whose message the broker had all the same: their confirms were cut off.
    pub recovered_publishes: u64,
    /// Pointers that were stale.
    pub duplicates_dropped: u64,
    /// Results that the fence refused.
    pub fenced: u64,
    /// Jobs that were taken from workers without a heartbeat.
    pub reaped: u64,
    /// Jobs that workers took without the broker.
    pub direct_leases: u64,
    /// Faults by class.
    pub faults: BTreeMap<String, u64>,
    /// From a fault's end until work went on, purges excepted.
    pub recovery_seconds: Recovery,
    /// The same of purges.
    pub recovery_seconds_purge: Worst,
    /// How the workers' memory grew; null: no process lived long enough to tell.
    pub rss_mib_slope_per_minute: Option<f64>,
    /// Something that must happen in a run did not: it proves nothing.
    pub void: bool,
    /// What is behind the figures, for people.
    #[serde(skip)]
    pub found: Found,
}

/// Nearest ranks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Recovery {
    /// Half of them were no longer.
    pub p50: f64,
    /// 95 of 100 were no longer.
    pub p95: f64,
    /// None was longer.
    pub max: f64,
}

/// The longest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Worst {
    /// None was longer.
    pub max: f64,
}

/// What is behind the figures: each job with the words for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Lost jobs.
    pub lost: Vec<(i64, String)>,
    /// Doubled jobs.
    pub double: Vec<(i64, String)>,
    /// False dead letters.
    pub false_dead_letters: Vec<(i64, String)>,
    /// What did not go on, or did not come to rest.
    pub stuck: Vec<String>,
    /// What should have happened and did not.
    pub missing: Vec<String>,
}

impl Verdict {
    /// Whether a promise was broken.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        self.lost + self.double + self.false_dead_letters > 0 || !self.found.stuck.is_empty()
    }
}

/// Judges a run by its evidence.
#[must_use]
pub fn judge(evidence: &Evidence) -> Verdict {
    let runs = Runs::of(evidence);
    let ended = |status: &str| {
        let rows = evidence.accepted.iter().filter_map(|job| evidence.jobs.get(&job.id));
        rows.filter(|row| row.status == status).count() as u64
    };
    let found = Found {
        lost: lost(evidence, &runs),
        double: double(evidence, &runs),
        false_dead_letters: false_dead_letters(evidence, &runs),
        stuck: stuck(evidence),
        missing: missing(evidence),
    };
    let (all, purges) = (recoveries(evidence, false), recoveries(evidence, true));
    Verdict {
        seed: evidence.run.seed,
        minutes: evidence.run.minutes,
        accepted: evidence.accepted.len() as u64,
        completed: ended("completed"),
        failed: ended("failed"),
        dead_letter: ended("dead_letter"),
        cancelled: ended("cancelled"),
        lost: found.lost.len() as u64,
        double: found.double.len() as u64,
        false_dead_letters: found.false_dead_letters.len() as u64,
        recovered_publishes: confirms_cut(evidence),
        duplicates_dropped: counted(evidence, s::DUPLICATES),
        fenced: counted(evidence, s::FENCED),
        reaped: rescued(evidence, "R4"),
        direct_leases: counted(evidence, s::LEASED),
        faults: faults(evidence),
        recovery_seconds: Recovery { p50: rank(&all, 50), p95: rank(&all, 95), max: rank(&all, 100) },
        recovery_seconds_purge: Worst { max: rank(&purges, 100) },
        rss_mib_slope_per_minute: slope(evidence),
        void: !found.missing.is_empty(),
        found,
    }
}
