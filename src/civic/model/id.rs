//! Names that a vendor or an operator gave. Each is text behind a type of its own, so that one is never taken for
//! another: an agenda item's id and its matter's id look alike and mean different things.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

text_id! {
    /// Short name of a city in URLs, metrics and job keys, such as `seattle-wa`.
    CitySlug
}
text_id! {
    /// The vendor's id of a meeting, unique within one city's source.
    SourceMeetingId
}
text_id! {
    /// The vendor's id of an agenda item, unique within one city's source.
    SourceItemId
}
text_id! {
    /// The vendor's id of a matter. Some vendors make a new one each time a matter appears: its file number goes first.
    MatterId
}
text_id! {
    /// The vendor's id of an attachment.
    AttachmentId
}
