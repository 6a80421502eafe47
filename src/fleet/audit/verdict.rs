//! What an audit found.

use serde::{Deserialize, Serialize};

/// Ways in which a job can be elsewhere than the ledger says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Queued, and its queue no longer holds its message.
    Missing,
    /// A message that no row of the ledger stands for.
    Ghost,
    /// In two messages at once, or processing under two names.
    Double,
    /// Held by a worker that is gone, or whose heartbeat stands still.
    StaleLease,
    /// Due and runnable, passed over while slots were free.
    Forgotten,
    /// Its band has no queue that takes it.
    Unrouted,
    /// Dead in the ledger and not in docket.dead, or the other way round.
    DeadLetterDrift,
    /// A parent that waits for children that there are not, or counts them wrongly.
    Orphaned,
}

impl Class {
    /// All classes, in the order of a job's way.
    pub const ALL: [Self; 8] = [
        Self::Missing,
        Self::Ghost,
        Self::Double,
        Self::StaleLease,
        Self::Forgotten,
        Self::Unrouted,
        Self::DeadLetterDrift,
        Self::Orphaned,
    ];

    /// The metric label, and the name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Ghost => "ghost",
            Self::Double => "double",
            Self::StaleLease => "stale_lease",
            Self::Forgotten => "forgotten",
            Self::Unrouted => "unrouted",
            Self::DeadLetterDrift => "dead_letter_drift",
            Self::Orphaned => "orphaned",
        }
    }

    /// What it is, for people.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Missing => "queued, and their messages are not in their queue",
            Self::Ghost => "messages that no row stands for",
            Self::Double => "in two messages, or processing under two names",
            Self::StaleLease => "held by a worker that is gone",
            Self::Forgotten => "due, runnable and passed over while slots are free",
            Self::Unrouted => "no queue takes their band's messages",
            Self::DeadLetterDrift => "docket.dead differs from the ledger",
            Self::Orphaned => "parents that wait for children that there are not",
        }
    }

    /// What puts it right: which sweep does, or what a person has to do.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Missing => "nothing to do: R1, R2 or R3 gives them back within 75 s while a worker of the lane lives",
            Self::Ghost => "nothing to do: a worker drops each one that it gets; start one if the lane has none",
            Self::Double => "nothing to do: the fence lets one through; R1 or R3 deletes the other message",
            Self::StaleLease => {
                "nothing to do: R4 gives them back within a lease and a sweep; start a scheduler if none runs"
            }
            Self::Forgotten => {
                "see who holds their rows (select * from pg_locks join pg_stat_activity using (pid)), and the scheduler's log"
            }
            Self::Unrouted => {
                "docket topology apply, or configure the lane (DOCKET_LANES); workers lease directly meanwhile"
            }
            Self::DeadLetterDrift => {
                "nothing to do: R5 publishes what lacks and removes what is too much; is docket.dead full?"
            }
            Self::Orphaned => {
                "nothing to do: the audit counts their children again, and the next sweep lets them go on"
            }
        }
    }
}

/// Whether every job is accounted for, and how many of each class are not. A job may be in two classes.
///
/// Bounded counts: beyond 1,000 a band (missing), a lane (forgotten, unrouted) or in all (orphaned) they stand for "at
/// least".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Nothing is counted below, and everything could be judged.
    pub accounted: bool,
    /// [`Class::Missing`].
    pub missing: u64,
    /// [`Class::Ghost`].
    pub ghost: u64,
    /// [`Class::Double`].
    pub double: u64,
    /// [`Class::StaleLease`].
    pub stale_lease: u64,
    /// [`Class::Forgotten`].
    pub forgotten: u64,
    /// [`Class::Unrouted`].
    pub unrouted: u64,
    /// [`Class::DeadLetterDrift`].
    pub dead_letter_drift: u64,
    /// [`Class::Orphaned`].
    pub orphaned: u64,
    /// Jobs that wait, are held, in flight or dead: all that can be out of place.
    pub checked_jobs: u64,
    /// Age of the last look.
    pub checked_seconds_ago: u64,
    /// Classes that could not be judged, because the broker gave no answer.
    #[serde(default)]
    pub unjudged: Vec<String>,
}

impl Verdict {
    /// The count of a class.
    #[must_use]
    pub const fn count(&self, class: Class) -> u64 {
        match class {
            Class::Missing => self.missing,
            Class::Ghost => self.ghost,
            Class::Double => self.double,
            Class::StaleLease => self.stale_lease,
            Class::Forgotten => self.forgotten,
            Class::Unrouted => self.unrouted,
            Class::DeadLetterDrift => self.dead_letter_drift,
            Class::Orphaned => self.orphaned,
        }
    }

    /// All classes together.
    #[must_use]
    pub fn unaccounted(&self) -> u64 {
        Class::ALL.iter().map(|class| self.count(*class)).sum()
    }

    /// With `accounted` as its counts say.
    #[must_use]
    pub(super) fn concluded(mut self) -> Self {
        self.accounted = self.unaccounted() == 0 && self.unjudged.is_empty();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_a_field_under_its_own_name() {
        let verdict = Verdict {
            missing: 1,
            ghost: 2,
            double: 3,
            stale_lease: 4,
            forgotten: 5,
            unrouted: 6,
            dead_letter_drift: 7,
            orphaned: 8,
            ..Verdict::default()
        };
        let json = serde_json::to_value(&verdict).expect("plain data");
        for (class, count) in Class::ALL.into_iter().zip(1_u64..) {
            assert_eq!((verdict.count(class), json[class.as_str()].as_u64()), (count, Some(count)), "{class:?}");
        }
        assert_eq!(verdict.unaccounted(), 36);
        assert!(!verdict.concluded().accounted);
        assert!(Verdict::default().concluded().accounted);
        let blind = Verdict { unjudged: vec!["missing".into()], ..Verdict::default() };
        assert!(!blind.concluded().accounted, "what could not be judged is not accounted for");
    }
}
