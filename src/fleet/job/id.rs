//! Identifiers. Each is a database integer behind a type of its own, so that one is never taken for another.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The fence: +1 at every change of status, carried by the message and required by every write.
pub type Epoch = i32;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A row of `jobs`.
    JobId
}
id! {
    /// A row of `job_messages`: one broker message, or one direct lease.
    MessageId
}
id! {
    /// A row of `workers`, new at each process start: a restarted worker is another worker.
    WorkerId
}
