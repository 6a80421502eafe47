//! When a meeting counts as withdrawn by its source. Pure.

use super::{Evidence, EvidenceSource, MeetingStatus};
use jiff::civil::Date;

/// Complete listings in a row that must lack a meeting: one may be half a page, two an hour's trouble.
pub const MISSED_MAX: i32 = 3;

/// What a listing that lacks a meeting says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// Nothing: the listing could not have shown it, or it has ended in a way that lists may forget.
    Nothing,
    /// So many in a row by now.
    Missed(i32),
    /// The source has withdrawn it.
    Withdrawn(Evidence),
}

/// Judges a known meeting that a complete, unsuspicious listing of the days `from` to `to` lacks. `missed` listings before
/// this one lacked it too.
///
/// A meeting of the past is left alone: lists forget them, and some show them again under another id. So is a cancelled
/// or held one: its status says more than that it is gone.
#[must_use]
pub fn absence(status: MeetingStatus, date: Date, (from, to): (Date, Date), today: Date, missed: i32) -> Absence {
    let open = !matches!(status, MeetingStatus::Cancelled | MeetingStatus::Held | MeetingStatus::Withdrawn);
    if !open || date < today || date < from || date > to {
        return Absence::Nothing;
    }
    let missed = missed.saturating_add(1);
    if missed < MISSED_MAX {
        return Absence::Missed(missed);
    }
    let text = format!("absent from {missed} complete listings in a row");
    Absence::Withdrawn(Evidence { source: EvidenceSource::Listing, text, to: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{ToSpan, civil::date};
    use proptest::prelude::*;

    const TODAY: Date = date(2026, 3, 8);
    const WINDOW: (Date, Date) = (date(2026, 3, 1), date(2026, 4, 8));

    fn judge(status: MeetingStatus, day: Date, missed: i32) -> Absence {
        absence(status, day, WINDOW, TODAY, missed)
    }

    #[test]
    fn the_third_listing_that_lacks_a_meeting_withdraws_it() {
        use MeetingStatus::{Cancelled, Held, Postponed, Scheduled, Withdrawn};
        let day = date(2026, 3, 20);
        assert_eq!(judge(Scheduled, day, 0), Absence::Missed(1));
        assert_eq!(judge(Scheduled, day, 1), Absence::Missed(2));
        assert!(matches!(judge(Scheduled, day, 2), Absence::Withdrawn(evidence) if evidence.text.contains('3')));
        assert!(matches!(judge(Postponed, TODAY, 9), Absence::Withdrawn(_)));
        for told in [Cancelled, Held, Withdrawn] {
            assert_eq!(judge(told, day, 2), Absence::Nothing, "{told}");
        }
    }

    proptest! {
        #[test]
        fn outside_the_window_and_in_the_past_nothing_is_said(days in -400_i64..400, missed in 0_i32..1_000) {
            let day = TODAY.saturating_add(days.days());
            let said = judge(MeetingStatus::Scheduled, day, missed);
            let inside = day >= TODAY && day <= WINDOW.1;
            prop_assert_eq!(said == Absence::Nothing, !inside);
        }
    }
}
