//! How long jobs of each kind run here: the heartbeat tells it, and schedulers choose by it how many jobs travel together.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// A kind that was never told of is told of after so many runs, and not only with the next heartbeat: until then its jobs
/// travel alone.
const FIRST: u64 = 16;

/// Of each kind, the runs since the last heartbeat, and the average that was told.
///
/// It is the mean and not the median: a kind of which one in a hundred runs for a minute is slow on average, and its jobs
/// must not wait behind each other.
#[derive(Debug)]
pub(super) struct RunTimes {
    kinds: Vec<(String, Runs)>,
    first: Notify,
}

#[derive(Debug, Default)]
struct Runs {
    count: AtomicU64,
    micros: AtomicU64,
    told: Mutex<Option<u64>>,
}

impl RunTimes {
    /// Of these kinds, in their order, which is sorted.
    pub(super) fn new(kinds: &[String]) -> Self {
        debug_assert!(kinds.is_sorted(), "they are looked up by halving");
        Self { kinds: kinds.iter().map(|kind| (kind.clone(), Runs::default())).collect(), first: Notify::new() }
    }

    /// An attempt ended by itself.
    pub(super) fn record(&self, kind: &str, ran: Duration) {
        let Ok(i) = self.kinds.binary_search_by(|(known, _)| known.as_str().cmp(kind)) else { return };
        let runs = &self.kinds[i].1;
        runs.micros.fetch_add(u64::try_from(ran.as_micros()).unwrap_or(u64::MAX).max(1), Ordering::Relaxed);
        if runs.count.fetch_add(1, Ordering::Relaxed) + 1 == FIRST && runs.told().is_none() {
            self.first.notify_one();
        }
    }

    /// Resolves when a kind has been measured for the first time.
    pub(super) async fn first(&self) {
        self.first.notified().await;
    }

    /// The averages, in the order of the kinds, in microseconds. What was told before counts as much as what came since.
    pub(super) fn tell(&self) -> Vec<Option<i32>> {
        let tell = |(_, runs): &(String, Runs)| Some(i32::try_from(runs.tell()?).unwrap_or(i32::MAX));
        self.kinds.iter().map(tell).collect()
    }
}

impl Runs {
    fn told(&self) -> Option<u64> {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) -> Option<u64> {
        let (count, micros) = (self.count.swap(0, Ordering::Relaxed), self.micros.swap(0, Ordering::Relaxed));
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mean) = micros.checked_div(count) {
            *told = Some(told.map_or(mean, |before| before.midpoint(mean)));
        }
        *told
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
        assert_eq!(times.tell(), [None, Some(6_000)]);
        times.record("a", Duration::ZERO);
        times.record("b", Duration::from_hours(10_000));
        assert_eq!(times.tell(), [Some(1), Some(i32::MAX)]);
    }

    #[test]
    fn a_kind_is_told_of_soon_once() {
        let times = RunTimes::new(&["a".to_owned()]);
        (1..FIRST).for_each(|_| times.record("a", Duration::ZERO));
        assert!(times.first().now_or_never().is_none());
        times.record("a", Duration::ZERO);
        assert!(times.first().now_or_never().is_some());
        times.tell();
        (0..FIRST).for_each(|_| times.record("a", Duration::ZERO));
        assert!(times.first().now_or_never().is_none());
    }
}
