//! How many jobs travel in one message. Pure.

use std::time::Duration;

/// A message holds about this much work at most: what is behind it in its slot, or in it, waits no longer.
const WORK: Duration = Duration::from_millis(50);
/// Messages that each slot of the lane should find queued. Fewer jobs than that, and each travels alone: whichever slot is
/// free takes it.
const TURNS: i64 = 2;

/// Pointers of one message at most: 1 for a kind that nobody has measured, or that is slow, and while little is queued; more
/// where many short jobs wait, because there the broker's work for each message is what bounds the fleet.
///
/// `run` is how long a job of the kind runs on average, `queued` what the lane will have queued with this pick, `slots` those
/// of the lane's live workers, `bounds` the settings: with a least number above 1, so many whatever the rest says.
pub(super) fn pointers(run: Option<Duration>, queued: i64, slots: i64, bounds: (i32, i32)) -> i32 {
    let (least, most) = bounds;
    let wanted = run.map_or(1, |run| wanted(run, queued, slots));
    i32::try_from(wanted).unwrap_or(i32::MAX).max(least).min(most)
}

fn wanted(run: Duration, queued: i64, slots: i64) -> i64 {
    let by_work = i64::try_from(WORK.as_micros() / run.as_micros().max(1)).unwrap_or(i64::MAX);
    let by_queue = queued / slots.saturating_mul(TURNS).max(1);
    by_work.min(by_queue).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHORT: Option<Duration> = Some(Duration::from_micros(20));

    #[test]
    fn short_jobs_of_a_deep_queue_travel_together() {
        assert_eq!(pointers(SHORT, 50_000, 64, (1, 100)), 100, "the setting");
        assert_eq!(pointers(SHORT, 2_560, 64, (1, 100)), 20, "two messages a slot");
        assert_eq!(pointers(SHORT, 128, 64, (1, 100)), 1, "an idle lane's window");
        assert_eq!(pointers(Some(Duration::from_millis(5)), 50_000, 64, (1, 100)), 10, "50 ms of work");
        assert_eq!(pointers(Some(Duration::from_millis(26)), 50_000, 64, (1, 100)), 1);
        assert_eq!(pointers(None, 50_000, 64, (1, 100)), 1, "not measured");
        assert_eq!(pointers(SHORT, 50_000, 64, (1, 1)), 1, "switched off");
        assert_eq!(pointers(None, 1, 64, (8, 8)), 8, "fixed");
    }

    proptest! {
        #[test]
        fn never_less_than_one_never_more_than_the_setting(micros in 0..u64::MAX, queued: i64, slots: i64, most in 1..1000_i32) {
            let k = pointers(Some(Duration::from_micros(micros)), queued, slots, (1, most));
            prop_assert!((1..=most).contains(&k));
            prop_assert!(k == 1 || u128::from(micros.max(1)) * u128::from(k.unsigned_abs()) <= WORK.as_micros());
        }
    }
}
