//! Sampling of successes: a token bucket on tokio's clock.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU32, Ordering},
};
use tokio::time::Instant;

const DEFAULT_PER_SECOND: u32 = 100;

static SUCCESSES: Sampler = Sampler::new(DEFAULT_PER_SECOND);

/// At most this many lines of completed jobs a second. The default is 100.
pub fn sample_successes(per_second: u32) {
    SUCCESSES.per_second.store(per_second, Ordering::Relaxed);
}

pub(super) fn successes() -> &'static Sampler {
    &SUCCESSES
}

/// Admits so many a second, with a burst of one second's worth.
pub(super) struct Sampler {
    per_second: AtomicU32,
    bucket: Mutex<Bucket>,
}

struct Bucket {
    /// None: full.
    tokens: Option<f64>,
    filled: Option<Instant>,
    suppressed: u64,
}

impl Sampler {
    pub(super) const fn new(per_second: u32) -> Self {
        let bucket = Bucket { tokens: None, filled: None, suppressed: 0 };
        Self { per_second: AtomicU32::new(per_second), bucket: Mutex::new(bucket) }
    }

    /// How many were left out since the last one that was admitted; none: this one is left out too.
    pub(super) fn admit(&self) -> Option<u64> {
        let rate = f64::from(self.per_second.load(Ordering::Relaxed));
        let now = Instant::now();
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = bucket.filled.map_or(0.0, |then| now.saturating_duration_since(then).as_secs_f64());
        let tokens = (bucket.tokens.unwrap_or(rate) + elapsed * rate).min(rate);
        bucket.filled = Some(now);
        if tokens < 1.0 {
            bucket.tokens = Some(tokens);
            bucket.suppressed += 1;
            return None;
        }
        bucket.tokens = Some(tokens - 1.0);
        Some(std::mem::take(&mut bucket.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_rate_a_second_and_the_next_line_says_how_many_were_left_out() {
        let sampler = Sampler::new(10);
        let admitted = (0..100).filter(|_| sampler.admit().is_some()).count();
        assert_eq!(admitted, 10);
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(sampler.admit(), Some(90));
        assert_eq!((0..100).filter(|_| sampler.admit().is_some()).count(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_hour_saves_up_one_second_only() {
        let sampler = Sampler::new(10);
        assert_eq!(sampler.admit(), Some(0));
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!((0..100).filter(|_| sampler.admit().is_some()).count(), 10);
    }

    #[test]
    fn a_rate_of_zero_admits_none() {
        assert_eq!(Sampler::new(0).admit(), None);
    }
}
