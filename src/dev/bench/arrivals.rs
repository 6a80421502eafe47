//! When jobs come: at random, as if from many callers that don't know of each other.

use rand::{Rng, SeedableRng, rngs::StdRng};
use std::time::Duration;

/// The times of all arrivals until `end`, from 0, at `rate` a second on average: a Poisson process.
pub(super) fn arrivals(rate: f64, end: Duration, seed: u64) -> Vec<Duration> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut at = 0.0;
    let mut times = Vec::new();
    loop {
        // 1 - u is in (0, 1], so the logarithm is finite.
        at += -(1.0 - random.random::<f64>()).ln() / rate;
        if at >= end.as_secs_f64() {
            return times;
        }
        times.push(Duration::from_secs_f64(at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_on_average_in_order_and_the_same_for_a_seed() {
        let end = Duration::from_secs(50);
        let times = arrivals(200.0, end, 7);
        // 10,000 expected, with a standard deviation of 100.
        assert!((9_500..10_500).contains(&times.len()), "{}", times.len());
        assert!(times.is_sorted() && times.iter().all(|time| *time < end));
        assert_eq!(times, arrivals(200.0, end, 7));
        assert_ne!(times, arrivals(200.0, end, 8));
        assert!(arrivals(200.0, Duration::ZERO, 7).is_empty());
    }
}
