//! What many seeds went through, so that an idle simulation shows.

use crate::{history::Counts, story::Told};
use std::{fmt, time::Duration};

#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: Counts,
    settled: Vec<Duration>,
    /// In hundredths of the window.
    overshoot: Vec<usize>,
    /// Seeds that broke a promise.
    pub(crate) bad: Vec<(u64, String)>,
}

impl Tally {
    pub(crate) fn add(&mut self, seed: u64, told: Told) {
        self.merge(Self {
            counts: told.counts,
            settled: vec![told.settled],
            overshoot: vec![told.overshoot],
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
        self.overshoot.extend(other.overshoot);
        self.bad.extend(other.bad);
    }

    /// How often something happened.
    pub(crate) fn count(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or(0)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p99, most] = spread(&self.settled).map(|time| time.as_secs());
        writeln!(
            f,
            "{} seeds, {} bad; settled after {p50} s (p50), {p99} s (p99), {most} s (max)",
            self.settled.len(),
            self.bad.len()
        )?;
        let [p50, p99, most] = spread(&self.overshoot);
        writeln!(f, "queued jobs at most {p50} % (p50), {p99} % (p99), {most} % (max) of the window")?;
        for (what, number) in &self.counts {
            writeln!(f, "{number:>10} {what}")?;
        }
        Ok(())
    }
}

/// The median, the 99th percentile and the largest.
fn spread<T: Copy + Default + Ord>(values: &[T]) -> [T; 3] {
    let mut values = values.to_vec();
    values.sort_unstable();
    [50, 99, 100].map(|share| {
        let at = (values.len() * share / 100).min(values.len().saturating_sub(1));
        values.get(at).copied().unwrap_or_default()
    })
}
