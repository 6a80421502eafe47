//! When a failed job is tried again. Pure: attempt and error in, outcome out; the caller brings the random number.

use super::job::{Status, lowered_after_failure};
use std::time::Duration;

/// No job waits longer than this between two attempts, whatever the other side asks for.
pub const MAX_DELAY: Duration = Duration::from_hours(30 * 24);

/// How often and how patiently a kind is tried. A handler overrides it for its kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Failures until the job is a dead letter.
    pub max_attempts: i16,
    /// Delay after the first failure; it doubles with each further one.
    pub base: Duration,
    /// The longest delay, before jitter.
    pub cap: Duration,
    /// The delay varies by this share of itself, both ways, so that jobs that failed together don't return together.
    pub jitter: f64,
}

impl Default for RetryPolicy {
    /// Three attempts, 5 s × 2^(n−1), at most 10 minutes, ± 20 %.
    fn default() -> Self {
        Self { max_attempts: 3, base: Duration::from_secs(5), cap: Duration::from_mins(10), jitter: 0.2 }
    }
}

/// What a failure makes of a job. The statement `fail` books the same; a test holds the two equal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AfterFailure {
    /// `pending` (held for `delay`), `failed` or `dead_letter`.
    pub status: Status,
    /// The priority it goes on with.
    pub priority: i16,
    /// How long it waits. Zero in a terminal state.
    pub delay: Duration,
}

impl RetryPolicy {
    /// The delay after failure number `failure` (1 is the first). `random` is uniform in 0..1. Never shorter than what
    /// the other side asked for in `retry_after`, whatever the cap says; never longer than [`MAX_DELAY`].
    #[must_use]
    pub fn delay(&self, failure: i16, random: f64, retry_after: Option<Duration>) -> Duration {
        let doublings = u32::from(failure.saturating_sub(1).unsigned_abs()).min(31);
        let exponential = self.base.saturating_mul(1 << doublings).min(self.cap);
        let factor = 1.0 + self.jitter.clamp(0.0, 1.0) * (2.0 * random.clamp(0.0, 1.0) - 1.0);
        exponential.mul_f64(factor).max(retry_after.unwrap_or_default()).min(MAX_DELAY)
    }

    /// What one more failure makes of a job that failed `failures_before` times in this round.
    #[must_use]
    pub fn after_failure(
        &self,
        (priority, failures_before): (i16, i16),
        retryable: bool,
        random: f64,
        retry_after: Option<Duration>,
    ) -> AfterFailure {
        if !retryable {
            return AfterFailure { status: Status::Failed, priority, delay: Duration::ZERO };
        }
        let failure = failures_before.saturating_add(1);
        let priority = lowered_after_failure(priority, failures_before);
        if failure >= self.max_attempts {
            return AfterFailure { status: Status::DeadLetter, priority, delay: Duration::ZERO };
        }
        AfterFailure { status: Status::Pending, priority, delay: self.delay(failure, random, retry_after) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIDDLE: f64 = 0.5;

    #[test]
    fn the_table_of_three_attempts() {
        let policy = RetryPolicy::default();
        let table =
            [(0, 100, Status::Pending, 80, 5), (1, 80, Status::Pending, 40, 10), (2, 40, Status::DeadLetter, -20, 0)];
        for (failures, priority, status, after, delay_s) in table {
            let outcome = policy.after_failure((priority, failures), true, MIDDLE, None);
            let expected = AfterFailure { status, priority: after, delay: Duration::from_secs(delay_s) };
            assert_eq!(outcome, expected, "after {failures} failures");
        }
    }

    #[test]
    fn a_non_retryable_error_fails_at_once_and_keeps_its_priority() {
        let outcome = RetryPolicy::default().after_failure((100, 0), false, MIDDLE, Some(Duration::from_secs(9)));
        assert_eq!(outcome, AfterFailure { status: Status::Failed, priority: 100, delay: Duration::ZERO });
    }

    #[test]
    fn the_delay_doubles_up_to_its_cap() {
        let policy = RetryPolicy::default();
        let delays: Vec<u64> = [1, 2, 3, 7, 8, 9, i16::MAX].map(|n| policy.delay(n, MIDDLE, None).as_secs()).into();
        assert_eq!(delays, [5, 10, 20, 320, 600, 600, 600]);
    }

    proptest! {
        #[test]
        fn jitter_stays_within_a_fifth(failure in 1..20_i16, random in 0.0..=1.0_f64) {
            let policy = RetryPolicy::default();
            let exact = policy.delay(failure, MIDDLE, None).as_secs_f64();
            let delay = policy.delay(failure, random, None).as_secs_f64();
            prop_assert!((exact * 0.799..=exact * 1.201).contains(&delay));
        }

        #[test]
        fn retry_after_is_a_floor(failure in 1..20_i16, random in 0.0..=1.0_f64, after_s in 0..100_000_u64) {
            let after = Duration::from_secs(after_s);
            prop_assert!(RetryPolicy::default().delay(failure, random, Some(after)) >= after);
        }

        #[test]
        fn every_job_ends_after_max_attempts(max in 1..50_i16, priority in -1000..=1000_i16) {
            let policy = RetryPolicy { max_attempts: max, ..RetryPolicy::default() };
            let (mut at, mut failures) = (priority, 0);
            loop {
                let outcome = policy.after_failure((at, failures), true, MIDDLE, None);
                failures += 1;
                prop_assert!(failures <= max);
                prop_assert!(outcome.priority <= at);
                at = outcome.priority;
                if outcome.status == Status::DeadLetter { break; }
            }
            prop_assert_eq!(failures, max);
        }
    }
}
