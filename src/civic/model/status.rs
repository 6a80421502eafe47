//! Whether a meeting will take place, and how we know.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What the source says of a meeting. A closed set, stored as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeetingStatus {
    /// Nothing speaks against it.
    #[default]
    Scheduled,
    /// It will not take place.
    Cancelled,
    /// It will take place later, without a date.
    Postponed,
    /// It was moved to another date.
    Rescheduled,
    /// It was interrupted, to go on later.
    Recessed,
    /// It took place: there is a recording, or there are minutes.
    Held,
    /// The source no longer lists it. No single answer says so: only a complete listing that lacks it.
    Withdrawn,
}

/// A status that is none of [`MeetingStatus::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown meeting status {0:?}")]
pub struct UnknownStatus(pub String);

impl MeetingStatus {
    /// Every status.
    pub const ALL: &'static [Self] = &[
        Self::Scheduled,
        Self::Cancelled,
        Self::Postponed,
        Self::Rescheduled,
        Self::Recessed,
        Self::Held,
        Self::Withdrawn,
    ];

    /// Its name in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Cancelled => "cancelled",
            Self::Postponed => "postponed",
            Self::Rescheduled => "rescheduled",
            Self::Recessed => "recessed",
            Self::Held => "held",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl fmt::Display for MeetingStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for MeetingStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|status| status.as_str() == text).ok_or_else(|| UnknownStatus(text.to_owned()))
    }
}

/// Why a meeting has a status other than scheduled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where it was read.
    pub source: EvidenceSource,
    /// The words, cleaned and cut short.
    pub text: String,
    /// The day to which it was moved, where the words name a whole one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
}

/// The place in an answer where a status was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceSource {
    /// A field meant for it.
    StatusField,
    /// The meeting's title or its body's name.
    Title,
    /// The place of the meeting.
    Location,
    /// The time of the meeting.
    Time,
    /// A comment.
    Comment,
    /// The name of a document.
    Document,
    /// A recording.
    Recording,
    /// What the source lists, and what it lists no longer.
    Listing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_json_and_database_are_the_same() {
        for status in MeetingStatus::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
            assert_eq!(status.as_str().parse(), Ok(*status));
        }
    }
}
