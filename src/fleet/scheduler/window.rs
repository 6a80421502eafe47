//! How many jobs of a lane may be queued at once. Pure: the caller brings the time.

use crate::fleet::settings::Protocol;
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// Claims are counted over this time.
const OVER: Duration = Duration::from_secs(5);

/// Schedulers, this one included, that are taken to add as much as this one does. What others did not add (they were
/// killed and are counted for a lease, or can't reach the broker) looks like claims and widens the window, which adds more.
/// With two the queue grows to some three windows at most, with three to eleven, with four without end. Where more than
/// two do add, the window covers less than its time: still many looks.
const ADDING_MAX: i64 = 2;

/// A look at the window costs a query: no more than a hundred a second, however small the window is.
const PAUSE_MIN: Duration = Duration::from_millis(10);
/// Much shorter than the window.
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// Claims of the last seconds, as one scheduler can see them: what was queued before, and what was added, and is not
/// queued any more.
#[derive(Debug, Default)]
pub(super) struct ClaimRate {
    seen: VecDeque<(Instant, i64)>,
    queued_before: i64,
    added: i64,
    pause: Duration,
}

impl ClaimRate {
    /// This scheduler queued so many jobs.
    pub(super) fn dispatched(&mut self, jobs: i64) {
        self.added += jobs;
    }

    /// The ledger says that so many are queued. Other schedulers are taken to add as much as this one, up to a bound.
    pub(super) fn queued(&mut self, now: Instant, queued: i64, schedulers: i64) {
        let claims = (self.queued_before + self.added * schedulers.min(ADDING_MAX) - queued).max(0);
        let since = self.seen.back().map_or(Duration::ZERO, |(at, _)| now.saturating_duration_since(*at));
        self.pause = next_pause(self.pause, since, claims, queued);
        (self.queued_before, self.added) = (queued, 0);
        self.seen.push_back((now, claims));
        while self.seen.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > OVER) {
            self.seen.pop_front();
        }
    }

    /// How long the window can be left alone.
    pub(super) const fn pause(&self) -> Duration {
        self.pause
    }

    /// Claims in `time`, at the rate of the last seconds.
    fn in_time(&self, time: Duration) -> i64 {
        let claims: i64 = self.seen.iter().map(|(_, claims)| claims).sum();
        let share = time.as_secs_f64() / OVER.as_secs_f64();
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a count of seconds' work")]
        let claims = (claims as f64 * share) as i64;
        claims
    }
}

/// Until a quarter of what is queued will have been claimed, if it goes on as in the time since the last look; twice as
/// long as before while nothing is claimed.
fn next_pause(before: Duration, since: Duration, claims: i64, queued: i64) -> Duration {
    let next = match u32::try_from(claims) {
        Ok(0) | Err(_) => before * 2,
        Ok(claims) => since * u32::try_from(queued).unwrap_or(u32::MAX) / claims.saturating_mul(4),
    };
    next.clamp(PAUSE_MIN, PAUSE_MAX)
}

/// How many more jobs this scheduler may queue now: its share of what the window leaves.
///
/// The window is what the workers claim in two seconds, at least twice their slots, never more than the maximum, and zero
/// without a live worker: a short queue keeps priorities honest, and a broker's loss cheap.
pub(super) fn room(protocol: &Protocol, rate: &ClaimRate, slots: i64, queued: i64, schedulers: i64) -> i64 {
    if slots == 0 {
        return 0;
    }
    let least = (2 * slots).min(protocol.window_max);
    let window = rate.in_time(protocol.window).clamp(least, protocol.window_max);
    let left = (window - queued).max(0);
    left.div_euclid(schedulers.max(1)) + i64::from(left % schedulers.max(1) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_the_queue_or_twice_as_long() {
        let ms = Duration::from_millis;
        // 100 claims in 20 ms: 400 jobs last 80 ms.
        assert_eq!(next_pause(ms(10), ms(20), 100, 400), ms(20));
        assert_eq!(next_pause(ms(10), ms(20), 100, 0), PAUSE_MIN);
        assert_eq!(next_pause(ms(10), ms(20), 1, 50_000), PAUSE_MAX);
        assert_eq!([0, 10, 40, 80].map(|before| next_pause(ms(before), ms(20), 0, 9)), [10, 20, 80, 100].map(ms));
        assert_eq!(next_pause(ms(50), Duration::ZERO, 7, 9), PAUSE_MIN);
    }

    /// Queued jobs at most when, of eight schedulers, this one alone adds.
    fn most_queued(slots: i64, claims_each_second: u64) -> i64 {
        let (protocol, mut rate, start) = (Protocol::default(), ClaimRate::default(), Instant::now());
        let (mut queued, mut most) = (0, 0);
        for look in 0..400_u64 {
            rate.queued(start + Duration::from_millis(50 * look), queued, 8);
            let more = room(&protocol, &rate, slots, queued, 8);
            rate.dispatched(more);
            queued += more;
            most = most.max(queued);
            queued -= i64::from((look * claims_each_second) % 20 < claims_each_second).min(queued);
        }
        most
    }

    #[test]
    fn schedulers_that_add_nothing_do_not_widen_the_window() {
        assert_eq!(most_queued(10, 0), 20, "twice the slots");
        let most = most_queued(2, 4);
        assert!((4..=32).contains(&most), "{most} for eight claims in two seconds");
    }

    #[test]
    fn the_window_follows_the_claims_between_its_bounds() {
        let (protocol, mut rate, start) = (Protocol::default(), ClaimRate::default(), Instant::now());
        assert_eq!(room(&protocol, &rate, 0, 0, 1), 0, "no worker, no window");
        assert_eq!(room(&protocol, &rate, 10, 0, 1), 20);
        assert_eq!(room(&protocol, &rate, 10, 15, 1), 5);
        assert_eq!(room(&protocol, &rate, 10, 99, 1), 0);
        assert_eq!(room(&protocol, &rate, 10, 0, 3), 7, "a share each");
        for s in 1..=5 {
            rate.dispatched(1000);
            rate.queued(start + Duration::from_secs(s), 0, 1);
        }
        assert_eq!(room(&protocol, &rate, 10, 0, 1), 2000, "1,000 claims a second for two seconds");
        rate.dispatched(10_000_000);
        rate.queued(start + Duration::from_secs(6), 0, 1);
        assert_eq!(room(&protocol, &rate, 10, 0, 1), 50_000);
        rate.queued(start + Duration::from_secs(60), 0, 1);
        assert_eq!(room(&protocol, &rate, 10, 0, 1), 20, "old claims are forgotten");
    }
}
