//! Keys of rows. Each is a database integer behind a type of its own, so that one is never taken for another.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

row_id! {
    /// A row of `cities`.
    CityId
}
row_id! {
    /// A row of `meetings`.
    MeetingId
}
row_id! {
    /// A row of `meeting_revisions`.
    RevisionId
}
row_id! {
    /// A row of `agenda_items`.
    ItemId
}
row_id! {
    /// A row of `document_refs`.
    RefId
}
row_id! {
    /// A row of `summaries`.
    SummaryId
}
row_id! {
    /// A row of `matters`.
    MatterRowId
}
