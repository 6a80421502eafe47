//! Times of spans by one clock of the process.
//!
//! A length is measured by the monotonic clock and a collector wants the calendar's. Read one after the other, with a pause of the
//! thread between them, a call would seem to outlast the work that made it.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

/// How far the two clocks may drift apart before the calendar's is read anew: less is what a busy machine makes of two readings.
const DRIFT: Duration = Duration::from_secs(1);

/// One moment by both clocks.
static MARK: Mutex<Option<(Instant, SystemTime)>> = Mutex::new(None);

/// What the calendar's clock showed then.
pub(super) fn wall(then: Instant) -> SystemTime {
    let mut mark = MARK.lock().unwrap_or_else(PoisonError::into_inner);
    let now = (Instant::now(), SystemTime::now());
    let known = mark.filter(|known| {
        let expected = at(*known, now.0);
        let apart = now.1.duration_since(expected).or_else(|_| expected.duration_since(now.1));
        apart.is_ok_and(|apart| apart < DRIFT)
    });
    at(*mark.insert(known.unwrap_or(now)), then)
}

fn at((mark, wall): (Instant, SystemTime), then: Instant) -> SystemTime {
    let moved = match then.checked_duration_since(mark) {
        Some(later) => wall.checked_add(later),
        None => wall.checked_sub(mark.duration_since(then)),
    };
    moved.unwrap_or(wall)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_within_stays_within_to_the_nanosecond() {
        let begun = Instant::now();
        let outer = wall(begun);
        let inner = wall(begun + Duration::from_nanos(7));
        assert_eq!(inner.duration_since(outer).ok(), Some(Duration::from_nanos(7)));
        let off = SystemTime::now().duration_since(wall(Instant::now())).unwrap_or_default();
        assert!(off < 2 * DRIFT, "{off:?}");
    }

    #[test]
    fn a_moment_before_the_mark_is_earlier_by_as_much() {
        let mark = (Instant::now(), SystemTime::now());
        let later = mark.0 + Duration::from_secs(3);
        assert_eq!(at(mark, later), mark.1 + Duration::from_secs(3));
        assert_eq!(at((later, mark.1), mark.0), mark.1 - Duration::from_secs(3));
    }
}
