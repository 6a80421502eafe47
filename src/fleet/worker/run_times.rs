//! How long jobs of each kind run here: the heartbeat tells it, and schedulers choose by it how many jobs travel together.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// A worker's first runs of a kind are told of after so many, and not only with the next heartbeat: until somebody has
/// measured the kind its jobs travel alone. The first ones pay for connections and plans, hence the later looks.
const EARLY: [u64; 3] = [16, 256, 4096];

/// Of each kind, the runs since the last beat, and the average that was told.
///
/// It is the mean and not the median: a kind of which one in a hundred runs for a minute is slow on average, and its jobs
/// must not wait behind each other.
#[derive(Debug)]
pub(super) struct RunTimes {
    kinds: Vec<(String, Runs)>,
    early: Notify,
}

#[derive(Debug, Default)]
struct Runs {
    /// Since the worker began.
    all: AtomicU64,
    count: AtomicU64,
    micros: AtomicU64,
    told: Mutex<Option<Told>>,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    micros: u64,
    /// For how many runs it stands.
    runs: u64,
}

impl RunTimes {
    /// Of these kinds, in their order, which is sorted.
    pub(super) fn new(kinds: &[String]) -> Self {
        debug_assert!(kinds.is_sorted(), "they are looked up by halving");
        Self { kinds: kinds.iter().map(|kind| (kind.clone(), Runs::default())).collect(), early: Notify::new() }
    }

    /// An attempt ended by itself.
    pub(super) fn record(&self, kind: &str, ran: Duration) {
        let Ok(i) = self.kinds.binary_search_by(|(known, _)| known.as_str().cmp(kind)) else { return };
        let runs = &self.kinds[i].1;
        runs.micros.fetch_add(u64::try_from(ran.as_micros()).unwrap_or(u64::MAX).max(1), Ordering::Relaxed);
        runs.count.fetch_add(1, Ordering::Relaxed);
        if EARLY.contains(&(runs.all.fetch_add(1, Ordering::Relaxed) + 1)) {
            self.early.notify_one();
        }
    }

    /// Resolves when a kind has early runs to tell of.
    pub(super) async fn early(&self) {
        self.early.notified().await;
    }

    /// The averages, in the order of the kinds, in microseconds. What was told before counts for as many runs as it stands
    /// for, and for no more than came since: sixteen cold runs soon count for little.
    pub(super) fn tell(&self) -> Vec<Option<i32>> {
        let tell = |(_, runs): &(String, Runs)| Some(i32::try_from(runs.tell()?).unwrap_or(i32::MAX));
        self.kinds.iter().map(tell).collect()
    }
}

impl Runs {
    fn tell(&self) -> Option<u64> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        // A run's time is added before it is counted: what isn't counted yet is left for the next time.
        let count = self.count.swap(0, Ordering::Relaxed);
        if count > 0 {
            *told = Some(Told::after(*told, (count, self.micros.swap(0, Ordering::Relaxed))));
        }
        told.map(|told| told.micros)
    }
}

impl Told {
    fn after(before: Option<Self>, (count, micros): (u64, u64)) -> Self {
        let (micros_before, weight) = before.map_or((0, 0), |told| (told.micros, told.runs.min(count)));
        let all = u128::from(micros_before) * u128::from(weight) + u128::from(micros);
        let runs = weight + count;
        Self { micros: u64::try_from(all / u128::from(runs)).unwrap_or(u64::MAX), runs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn the_mean_since_the_last_beat_smoothed() {
        let times = RunTimes::new(&["a".to_owned(), "b".to_owned()]);
        assert_eq!(times.tell(), [None, None]);
        for ms in [1, 3] {
            times.record("b", Duration::from_millis(ms));
        }
        times.record("unknown", Duration::MAX);
        assert_eq!(times.tell(), [None, Some(2_000)]);
        assert_eq!(times.tell(), [None, Some(2_000)], "nothing came since");
        times.record("b", Duration::from_millis(10));
        assert_eq!(times.tell(), [None, Some(6_000)], "one and one");
        times.record("a", Duration::ZERO);
        times.record("b", Duration::from_hours(10_000));
        assert_eq!(times.tell(), [Some(1), Some(i32::MAX)]);
    }

    #[test]
    fn a_few_cold_runs_soon_count_for_little() {
        let times = RunTimes::new(&["a".to_owned()]);
        (0..2).for_each(|_| times.record("a", Duration::from_millis(50)));
        assert_eq!(times.tell(), [Some(50_000)]);
        (0..998).for_each(|_| times.record("a", Duration::from_millis(1)));
        assert_eq!(times.tell(), [Some(1_098)]);
    }

    #[test]
    fn a_kind_is_told_of_soon_and_not_forever() {
        let times = RunTimes::new(&["a".to_owned()]);
        let mut told = Vec::new();
        for run in 1..=20_000_u64 {
            times.record("a", Duration::ZERO);
            if times.early().now_or_never().is_some() {
                told.push(run);
                times.tell();
            }
        }
        assert_eq!(told, EARLY);
    }
}
