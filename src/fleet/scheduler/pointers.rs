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
/// `run` is how long a job of the kind runs on average, `queue` the lane's, `bounds` the settings: at least so many
/// whatever the rest says, and at most.
pub(super) fn pointers(run: Option<Duration>, queue: &Queue, bounds: (i32, i32)) -> i32 {
    let (least, most) = bounds;
    let wanted = run.map_or(1, |run| wanted(run, queue));
    i32::try_from(wanted).unwrap_or(i32::MAX).max(least).min(most)
}

/// A lane's queue as a pick finds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queue {
    /// Jobs that will be queued with this pick.
    pub(super) jobs: i64,
    /// Slots of the lane's live workers.
    pub(super) slots: i64,
    /// The last pick took all that it asked for, and the window had room for a whole one: the next one follows at once, and
    /// however few messages this one makes, no slot waits for long.
    pub(super) is_deep: bool,
}

fn wanted(run: Duration, queue: &Queue) -> i64 {
    let by_work = i64::try_from(WORK.as_micros() / run.as_micros().max(1)).unwrap_or(i64::MAX);
    let by_queue = if queue.is_deep { i64::MAX } else { queue.jobs / queue.slots.saturating_mul(TURNS).max(1) };
    by_work.min(by_queue).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHORT: Option<Duration> = Some(Duration::from_micros(20));

    fn queue(jobs: i64) -> Queue {
        Queue { jobs, slots: 64, is_deep: false }
    }

    #[test]
    fn short_jobs_of_a_long_queue_travel_together() {
        let deep = Queue { is_deep: true, ..queue(1_000) };
        assert_eq!(pointers(SHORT, &queue(50_000), (1, 100)), 100, "the setting");
        assert_eq!(pointers(SHORT, &queue(2_560), (1, 100)), 20, "two messages a slot");
        assert_eq!(pointers(SHORT, &deep, (1, 100)), 100, "more comes at once");
        assert_eq!(pointers(SHORT, &queue(128), (1, 100)), 1, "an idle lane's window");
        assert_eq!(pointers(Some(Duration::from_millis(5)), &deep, (1, 100)), 10, "50 ms of work");
        assert_eq!(pointers(Some(Duration::from_millis(26)), &deep, (1, 100)), 1);
        assert_eq!(pointers(None, &deep, (1, 100)), 1, "not measured");
        assert_eq!(pointers(SHORT, &deep, (1, 1)), 1, "switched off");
        assert_eq!(pointers(None, &queue(1), (8, 8)), 8, "fixed");
    }

    proptest! {
        #[test]
        fn never_less_than_one_never_more_than_the_setting(micros in 0..u64::MAX, jobs: i64, slots: i64, is_deep: bool, most in 1..1000_i32) {
            let k = pointers(Some(Duration::from_micros(micros)), &Queue { jobs, slots, is_deep }, (1, most));
            prop_assert!((1..=most).contains(&k));
            prop_assert!(k == 1 || u128::from(micros.max(1)) * u128::from(k.unsigned_abs()) <= WORK.as_micros());
        }
    }
}
