//! From a city's clocks to UTC.

use super::Zone;
use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::AmbiguousOffset,
};

/// How often a local time happens on its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalKind {
    /// Once.
    Once,
    /// Never: clocks were put forward over it.
    Gap,
    /// Twice: clocks were put back over it.
    Fold,
}

/// The instant at which a meeting starts; none without a time.
///
/// A time in a gap is moved forward by the gap's length, of two instants in a fold the earlier one is taken, as RFC
/// 5545 says. None also for dates at the very ends of the calendar, which have no instant in UTC.
#[must_use]
pub fn starts_at_utc(date: Date, time: Option<Time>, zone: &Zone) -> Option<Timestamp> {
    zone.rules().to_ambiguous_timestamp(date.to_datetime(time?)).compatible().ok()
}

/// Whether a local time exists once, never or twice.
#[must_use]
pub fn local_kind(date: Date, time: Time, zone: &Zone) -> LocalKind {
    match zone.rules().to_ambiguous_timestamp(date.to_datetime(time)).offset() {
        AmbiguousOffset::Unambiguous { .. } => LocalKind::Once,
        AmbiguousOffset::Gap { .. } => LocalKind::Gap,
        AmbiguousOffset::Fold { .. } => LocalKind::Fold,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};

    fn utc(day: Date, at: Time) -> String {
        starts_at_utc(day, Some(at), &Zone::new("America/Los_Angeles").unwrap()).unwrap().to_string()
    }

    #[test]
    fn winter_and_summer_differ() {
        assert_eq!(utc(date(2024, 1, 9), time(14, 0, 0, 0)), "2024-01-09T22:00:00Z");
        assert_eq!(utc(date(2024, 7, 9), time(14, 0, 0, 0)), "2024-07-09T21:00:00Z");
    }

    #[test]
    fn a_gap_moves_forward_and_a_fold_takes_the_first() {
        let zone = Zone::new("America/Los_Angeles").unwrap();
        let (gap, fold) = (date(2024, 3, 10), date(2024, 11, 3));
        assert_eq!(local_kind(gap, time(2, 30, 0, 0), &zone), LocalKind::Gap);
        assert_eq!(utc(gap, time(2, 30, 0, 0)), "2024-03-10T10:30:00Z");
        assert_eq!(local_kind(fold, time(1, 30, 0, 0), &zone), LocalKind::Fold);
        assert_eq!(utc(fold, time(1, 30, 0, 0)), "2024-11-03T08:30:00Z");
        assert_eq!(local_kind(fold, time(12, 0, 0, 0), &zone), LocalKind::Once);
    }

    #[test]
    fn no_time_is_no_instant() {
        let zone = Zone::new("America/Chicago").unwrap();
        assert_eq!(starts_at_utc(date(2024, 1, 9), None, &zone), None);
        assert_eq!(starts_at_utc(Date::MAX, Some(time(23, 59, 59, 0)), &zone), None);
    }
}
