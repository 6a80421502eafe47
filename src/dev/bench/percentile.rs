//! Percentiles. Pure.

use serde::Serialize;
use std::time::Duration;

/// The spread of a set of times, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Percentiles {
    /// Half of them were no longer.
    pub p50: f64,
    /// 95 of 100 were no longer.
    pub p95: f64,
    /// 99 of 100 were no longer.
    pub p99: f64,
    /// None was longer.
    pub max: f64,
}

impl Percentiles {
    /// None without any times.
    #[must_use]
    pub fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort_unstable();
        let at = |percent| percentile(&times, percent).map(|time| time.as_secs_f64() * 1000.0);
        Some(Self { p50: at(50)?, p95: at(95)?, p99: at(99)?, max: at(100)? })
    }
}

/// The smallest of the sorted times that `percent` of 100 of them do not exceed (nearest rank).
///
/// It is a time that was measured, never one between two of them. More than 100 counts as 100; none without any times.
#[must_use]
pub fn percentile(sorted: &[Duration], percent: u32) -> Option<Duration> {
    let rank = (sorted.len() * percent.min(100) as usize).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(times: &[u64]) -> Vec<Duration> {
        times.iter().map(|&time| Duration::from_millis(time)).collect()
    }

    #[test]
    fn nearest_rank() {
        let of = |times: &[u64], percent| percentile(&ms(times), percent).map(|time| time.as_millis());
        assert_eq!(of(&[], 50), None);
        for percent in [0, 1, 50, 99, 100, 1000] {
            assert_eq!(of(&[7], percent), Some(7));
        }
        // The textbook's example.
        let five = [15, 20, 35, 40, 50];
        assert_eq!([5, 30, 40, 50, 100].map(|p| of(&five, p)), [15, 20, 20, 35, 50].map(Some));
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!([50, 95, 99, 100].map(|p| of(&hundred, p)), [50, 95, 99, 100].map(Some));
    }

    #[test]
    fn the_spread_in_milliseconds_of_times_in_any_order() {
        assert_eq!(Percentiles::of(Vec::new()), None);
        let spread = Percentiles::of(ms(&[30, 10, 20])).unwrap();
        assert_eq!(spread, Percentiles { p50: 20.0, p95: 30.0, p99: 30.0, max: 30.0 });
    }

    proptest! {
        #[test]
        fn a_percentile_covers_its_share_and_the_next_smaller_does_not(
            times in proptest::collection::vec(0..1000_u64, 1..200), percent in 1..=100_u32,
        ) {
            let mut times = ms(&times);
            times.sort_unstable();
            let value = percentile(&times, percent).unwrap();
            let covers = |count: usize| count * 100 >= percent as usize * times.len();
            prop_assert!(covers(times.iter().filter(|time| **time <= value).count()));
            prop_assert!(!covers(times.iter().filter(|time| **time < value).count()));
        }
    }
}
