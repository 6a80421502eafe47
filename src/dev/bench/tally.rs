//! What the handlers of a bench count.

use crate::fleet::job::JobId;
use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::Instant;

/// Two counters, so that counting costs the handlers nothing; times only where they are asked for.
#[derive(Debug, Default)]
pub(super) struct Tally {
    starts: AtomicU64,
    ends: AtomicU64,
    /// When each job started for the first time. Bounded by the jobs of a scenario.
    times: Option<Mutex<HashMap<JobId, Instant>>>,
}

impl Tally {
    /// One that keeps times.
    pub(super) fn timed() -> Self {
        Self { times: Some(Mutex::default()), ..Self::default() }
    }

    /// An attempt begins.
    pub(super) fn started(&self, job: JobId) {
        self.starts.fetch_add(1, Relaxed);
        if let Some(times) = &self.times {
            let now = Instant::now();
            times.lock().expect("nothing panics while it holds this lock").entry(job).or_insert(now);
        }
    }

    /// An attempt ends well.
    pub(super) fn ended(&self) {
        self.ends.fetch_add(1, Relaxed);
    }

    /// Attempts that have begun.
    pub(super) fn starts(&self) -> u64 {
        self.starts.load(Relaxed)
    }

    /// Attempts that ended well. Their completions follow at once.
    pub(super) fn ends(&self) -> u64 {
        self.ends.load(Relaxed)
    }

    /// Forgets all so far.
    pub(super) fn clear(&self) {
        self.starts.store(0, Relaxed);
        self.ends.store(0, Relaxed);
        if let Some(times) = &self.times {
            times.lock().expect("nothing panics while it holds this lock").clear();
        }
    }

    /// From each commit to its job's start. A handler can be ahead of the commit's answer: that counts as no time.
    pub(super) fn since(&self, commits: &[(JobId, Instant)]) -> Vec<Duration> {
        let Some(times) = &self.times else { return Vec::new() };
        let starts = times.lock().expect("nothing panics while it holds this lock");
        commits.iter().filter_map(|(job, commit)| Some(starts.get(job)?.saturating_duration_since(*commit))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_start_counts_and_a_start_before_the_commit_is_no_time() {
        let (tally, early) = (Tally::timed(), Instant::now());
        tokio::time::advance(Duration::from_millis(10)).await;
        tally.started(JobId(1));
        tokio::time::advance(Duration::from_millis(10)).await;
        tally.started(JobId(1));
        tally.ended();
        let commits = [(JobId(1), early), (JobId(1), Instant::now()), (JobId(2), early)];
        assert_eq!(tally.since(&commits), [Duration::from_millis(10), Duration::ZERO]);
        assert_eq!((tally.starts(), tally.ends()), (2, 1));
        tally.clear();
        assert_eq!((tally.starts(), tally.ends()), (0, 0));
        assert!(tally.since(&commits).is_empty());
        let untimed = Tally::default();
        untimed.started(JobId(1));
        assert!(untimed.since(&commits).is_empty());
    }
}
