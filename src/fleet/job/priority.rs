//! Priority: the number in the ledger, and the band (queue) that it falls into.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Lowest priority; a lower one is clamped to it.
pub const MIN_PRIORITY: i16 = -1000;
/// Highest priority; a higher one is clamped to it.
pub const MAX_PRIORITY: i16 = 1000;
/// Priority of a job that names none.
pub const DEFAULT_PRIORITY: i16 = 100;
/// A failure lowers the priority by this much, times the number of the failure.
const STEP: i32 = 20;

/// The queue of a lane that a priority travels in. Bands, because a quorum queue has no priorities of its own on the
/// oldest RabbitMQ that Docket runs on, and two or 32 of them on newer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Priority 0 and below.
    Low,
    /// Priority 1 to 100: the default.
    Normal,
    /// Priority above 100.
    High,
}

impl Band {
    /// All bands, the most urgent first.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    /// The last part of the queue's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }

    /// Its place in [`Band::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::High => 0,
            Self::Normal => 1,
            Self::Low => 2,
        }
    }

    /// The number in `job_messages.band`.
    #[must_use]
    pub const fn as_number(self) -> i16 {
        match self {
            Self::High => 2,
            Self::Normal => 1,
            Self::Low => 0,
        }
    }

    /// The band with this number in `job_messages.band`; anything unknown is low.
    #[must_use]
    pub const fn from_number(number: i16) -> Self {
        match number {
            2 => Self::High,
            1 => Self::Normal,
            _ => Self::Low,
        }
    }
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The band of a priority. The statement `pick` says the same in SQL; a test holds them equal.
#[must_use]
pub const fn band_of(priority: i16) -> Band {
    match priority {
        101.. => Band::High,
        1..=100 => Band::Normal,
        _ => Band::Low,
    }
}

/// Any number as a priority within its limits.
#[must_use]
pub fn clamp(priority: i32) -> i16 {
    // The clamp makes the value fit, so the conversion cannot fail.
    i16::try_from(priority.clamp(MIN_PRIORITY.into(), MAX_PRIORITY.into())).unwrap_or(MIN_PRIORITY)
}

/// The priority after one more failure of a job that has failed `failures_before` times:
/// lowered by 20 × (`failures_before` + 1), so 100 → 80 → 40 → −20.
#[must_use]
pub fn lowered_after_failure(priority: i16, failures_before: i16) -> i16 {
    clamp(i32::from(priority) - STEP * (i32::from(failures_before) + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_failures_lower_100_to_80_to_40_to_minus_20() {
        let mut priority = DEFAULT_PRIORITY;
        let steps: Vec<i16> = (0..3)
            .map(|failures| {
                priority = lowered_after_failure(priority, failures);
                priority
            })
            .collect();
        assert_eq!(steps, [80, 40, -20]);
    }

    #[test]
    fn bands_at_their_borders() {
        let table = [
            (1000, Band::High),
            (101, Band::High),
            (100, Band::Normal),
            (1, Band::Normal),
            (0, Band::Low),
            (-1000, Band::Low),
        ];
        for (priority, band) in table {
            assert_eq!(band_of(priority), band, "priority {priority}");
            assert_eq!(Band::from_number(band.as_number()), band);
        }
    }

    proptest! {
        #[test]
        fn a_failure_lowers_or_stays_at_the_floor(priority in MIN_PRIORITY..=MAX_PRIORITY, failures in 0..i16::MAX) {
            let after = lowered_after_failure(priority, failures);
            prop_assert!(after < priority || after == MIN_PRIORITY);
            prop_assert!((MIN_PRIORITY..=MAX_PRIORITY).contains(&after));
        }
    }
}
