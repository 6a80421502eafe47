//! How long after a listing a city is listed again: where something happens, soon. Pure.

use super::{CitySlug, Fingerprint, SyncOutcome};
use std::time::Duration;

/// The longest that any city waits, but for its own share of [`spread`].
const QUIET: Duration = Duration::from_hours(24);
/// Cities are spread over this part of their wait.
const SPREAD: u32 = 8;

/// What is known of a city when its next listing is planned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// How its last listing ended; none: it was never listed.
    pub outcome: Option<SyncOutcome>,
    /// Listings since the last good one.
    pub failures: u32,
    /// Days to its next meeting, from 0; none: none is known.
    pub days_to_meeting: Option<u32>,
    /// Days since any of its meetings was new or changed, from 0; none: never, or long ago.
    pub days_since_change: Option<u32>,
}

/// The wait after a city's last listing. `every` is the shortest one.
///
/// It grows by itself with each day to the next meeting, and by twice itself with each day since the last change, whichever
/// is less, up to a day. After a listing that came to nothing it doubles each time, and is never longer than it would have
/// been. Who refuses us, or has no such client, is asked once a day.
#[must_use]
pub fn wait(activity: &Activity, every: Duration) -> Duration {
    let quiet = QUIET.max(every);
    let steps = |steps: u32| every.saturating_mul(steps).min(quiet);
    let near = activity.days_to_meeting.map(|days| steps(days.saturating_add(1)));
    let changed = activity.days_since_change.map(|days| steps(days.saturating_mul(2).saturating_add(1)));
    let usual = near.into_iter().chain(changed).min().unwrap_or(quiet);
    match activity.outcome {
        None => Duration::ZERO,
        Some(SyncOutcome::Success | SyncOutcome::Empty) => usual,
        Some(SyncOutcome::Failed | SyncOutcome::Suspect) => {
            let doubled = steps(2_u32.saturating_pow(activity.failures.clamp(1, 16)));
            doubled.min(usual.max(steps(2)))
        }
        Some(SyncOutcome::Blocked | SyncOutcome::Broken) => quiet,
    }
}

/// The wait of one city: up to an eighth longer, by its name, so that cities that were listed together drift apart.
#[must_use]
pub fn spread(wait: Duration, city: &CitySlug) -> Duration {
    let hash = Fingerprint::of_bytes(city.as_str().as_bytes());
    let part = u32::from_str_radix(&hash.as_str()[..4], 16).unwrap_or(0);
    wait + wait / SPREAD * part / 0x1_0000
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn activity(outcome: SyncOutcome, failures: u32, meeting: Option<u32>, change: Option<u32>) -> Activity {
        Activity { outcome: Some(outcome), failures, days_to_meeting: meeting, days_since_change: change }
    }

    #[test]
    fn what_is_near_or_changes_is_looked_at_each_hour_and_a_quiet_city_each_day() {
        use SyncOutcome::{Blocked, Broken, Empty, Failed, Success, Suspect};
        for (outcome, failures, meeting, change, hours) in [
            (Success, 0, Some(0), None, 1),
            (Success, 0, Some(1), Some(9), 2),
            (Success, 0, Some(7), None, 8),
            (Success, 0, Some(60), Some(0), 1),
            (Success, 0, Some(60), Some(3), 7),
            (Success, 0, None, None, 24),
            (Empty, 0, Some(60), Some(60), 24),
            (Failed, 1, Some(0), Some(0), 2),
            (Failed, 1, None, None, 2),
            (Failed, 3, None, None, 8),
            (Failed, 3, Some(3), None, 4),
            (Suspect, 9, None, None, 24),
            (Blocked, 1, Some(0), Some(0), 24),
            (Broken, 1, Some(0), Some(0), 24),
        ] {
            let told = wait(&activity(outcome, failures, meeting, change), HOUR);
            assert_eq!(told, HOUR * hours, "{outcome:?} {failures} {meeting:?} {change:?}");
        }
        assert_eq!(wait(&Activity::default(), HOUR), Duration::ZERO, "a new city is listed at once");
    }

    fn outcomes() -> impl Strategy<Value = SyncOutcome> {
        use SyncOutcome::{Blocked, Broken, Empty, Failed, Success, Suspect};
        prop_oneof![Just(Success), Just(Empty), Just(Suspect), Just(Failed), Just(Blocked), Just(Broken)]
    }

    proptest! {
        #[test]
        fn it_is_between_the_shortest_wait_and_a_day(
            outcome in outcomes(), failures: u32, meeting: Option<u32>, change: Option<u32>, minutes in 1_u64..3_000, name in "[a-z]{1,9}",
        ) {
            let every = Duration::from_mins(minutes);
            let told = wait(&activity(outcome, failures, meeting, change), every);
            prop_assert!(told >= every && told <= QUIET.max(every), "{told:?}");
            let spread = spread(told, &CitySlug(name));
            prop_assert!(spread >= told && spread <= told + told / SPREAD);
        }

        #[test]
        fn a_nearer_meeting_or_a_later_change_never_waits_longer(
            outcome in outcomes(), failures in 0_u32..20, day: u32, more: u32, other: Option<u32>,
        ) {
            let far = day.saturating_add(more);
            let by = |meeting, change| wait(&activity(outcome, failures, meeting, change), HOUR);
            prop_assert!(by(Some(day), other) <= by(Some(far), other));
            prop_assert!(by(other, Some(day)) <= by(other, Some(far)));
            prop_assert!(by(Some(day), other) <= by(None, other));
        }
    }

    #[test]
    fn a_thousand_cities_do_not_come_in_the_same_minute() {
        let mut minutes = std::collections::BTreeMap::new();
        for n in 0..1_000 {
            let at = spread(QUIET, &CitySlug(format!("city-{n}")));
            *minutes.entry(at.as_secs() / 60).or_insert(0) += 1;
        }
        assert!(minutes.values().all(|count| *count < 25) && minutes.len() > 150, "{minutes:?}");
    }
}
