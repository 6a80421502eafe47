//! What a listing is worth, by the city's own history. Pure.

use serde::Serialize;

/// How a listing ended. A closed set, stored by these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncOutcome {
    /// As many meetings as the city usually has.
    Success,
    /// None, and that is nothing new here.
    Empty,
    /// Far fewer than its own history promises, or an answer of another shape.
    Suspect,
    /// The site refuses us: 401 or 403.
    Blocked,
    /// The vendor has no such client, or the source lacks something.
    Broken,
    /// No answer this time; the job is tried again.
    Failed,
}

impl SyncOutcome {
    /// Every outcome.
    pub const ALL: &'static [Self] =
        &[Self::Success, Self::Empty, Self::Suspect, Self::Blocked, Self::Broken, Self::Failed];

    /// The outcome of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|outcome| outcome.as_str() == name)
    }

    /// Its name in the database and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Empty => "empty",
            Self::Suspect => "suspect",
            Self::Blocked => "blocked",
            Self::Broken => "broken",
            Self::Failed => "failed",
        }
    }
}

/// Listings that make a history; fewer promise nothing.
const HISTORY: usize = 3;
/// A listing with less than this share of what is usual is suspect: councils rest in summer, but not all boards at once.
const SHARE: f64 = 0.3;
/// A city that usually has fewer meetings in its window than this may well have none.
const FEW: u32 = 4;

/// What the city's last good listings promise: their median; none without a history. Suspect ones are left out, so that a
/// city that went silent stays suspect until someone looks, or it speaks again.
#[must_use]
pub fn expected(history: &[u32]) -> Option<u32> {
    let mut sorted = history.to_vec();
    sorted.sort_unstable();
    (sorted.len() >= HISTORY).then(|| sorted[sorted.len() / 2])
}

/// What a listing with so many meetings is.
#[must_use]
pub fn judge(meetings: u32, expected: Option<u32>) -> SyncOutcome {
    let is_low = expected.is_some_and(|usual| usual >= FEW && f64::from(meetings) < SHARE * f64::from(usual));
    match meetings {
        _ if is_low => SyncOutcome::Suspect,
        0 => SyncOutcome::Empty,
        _ => SyncOutcome::Success,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_listing_is_judged_by_its_own_history() {
        for (history, meetings, want) in [
            (&[][..], 0, SyncOutcome::Empty),
            (&[][..], 7, SyncOutcome::Success),
            (&[20, 20][..], 0, SyncOutcome::Empty),
            (&[20, 22, 18][..], 0, SyncOutcome::Suspect),
            (&[20, 22, 18][..], 5, SyncOutcome::Suspect),
            (&[20, 22, 18][..], 6, SyncOutcome::Success),
            (&[1, 2, 3][..], 0, SyncOutcome::Empty),
            (&[0, 0, 0][..], 0, SyncOutcome::Empty),
        ] {
            assert_eq!(judge(meetings, expected(history)), want, "{history:?} {meetings}");
        }
    }

    proptest! {
        #[test]
        fn more_meetings_are_never_more_suspect(history in proptest::collection::vec(0u32..100, 0..20), n in 0u32..100) {
            let usual = expected(&history);
            if judge(n, usual) != SyncOutcome::Suspect {
                prop_assert_ne!(judge(n + 1, usual), SyncOutcome::Suspect);
            }
        }
    }
}
