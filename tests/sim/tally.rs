//! What many seeds went through, so that an idle simulation shows.

use crate::{history::Counts, story::Told};
use std::{fmt, time::Duration};

#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: Counts,
    settled: Vec<Duration>,
    /// In hundredths of the window.
    overshoot: usize,
    /// Seeds that broke a promise.
    pub(crate) bad: Vec<(u64, String)>,
}

impl Tally {
    pub(crate) fn add(&mut self, seed: u64, told: Told) {
        self.merge(Self {
            counts: told.counts,
            settled: vec![told.settled],
            overshoot: told.overshoot,
            bad: Vec::new(),
        });
        if let Some(first) = told.faults.first() {
            eprintln!("seed {seed}: {}", told.faults.join("\n  "));
            self.bad.push((seed, first.clone()));
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (what, number) in other.counts {
            *self.counts.entry(what).or_default() += number;
        }
        self.settled.extend(other.settled);
        self.overshoot = self.overshoot.max(other.overshoot);
        self.bad.extend(other.bad);
    }

    /// How often something happened.
    pub(crate) fn count(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or(0)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut settled = self.settled.clone();
        settled.sort_unstable();
        let at = |share: usize| settled.get((settled.len() * share / 100).min(settled.len().saturating_sub(1)));
        let [p50, p99, most] = [50, 99, 100].map(|share| at(share).map_or(0, Duration::as_secs));
        writeln!(
            f,
            "{} seeds, {} bad; settled after {p50} s (p50), {p99} s (p99), {most} s (max)",
            settled.len(),
            self.bad.len()
        )?;
        writeln!(f, "queued jobs at most {} % of the window", self.overshoot)?;
        for (what, number) in &self.counts {
            writeln!(f, "{number:>10} {what}")?;
        }
        Ok(())
    }
}
