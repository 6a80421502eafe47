//! Delays between tries: doubling, capped, with jitter, without end.

use std::time::Duration;

#[derive(Debug)]
pub(super) struct Backoff {
    min: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) const fn new(min: Duration, max: Duration) -> Self {
        Self { min, max, next: min }
    }

    /// The next delay, varied by a quarter, so that processes that lost the broker together don't return together.
    pub(super) fn delay(&mut self) -> Duration {
        let delay = self.next.mul_f64(rand::random_range(0.75..=1.25));
        self.next = (self.next * 2).min(self.max);
        delay.min(self.max)
    }

    pub(super) const fn reset(&mut self) {
        self.next = self.min;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_to_its_cap_and_starts_again() {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
        let near = |delay: Duration, ms: u64| (ms * 3 / 4..=ms * 5 / 4).contains(&(delay.as_millis() as u64));
        for ms in [200, 400, 800, 1600, 3200, 6400] {
            assert!(near(backoff.delay(), ms), "around {ms} ms");
        }
        for _ in 0..1000 {
            let delay = backoff.delay();
            assert!(delay >= Duration::from_millis(7500) && delay <= Duration::from_secs(10));
        }
        backoff.reset();
        assert!(near(backoff.delay(), 200));
    }
}
