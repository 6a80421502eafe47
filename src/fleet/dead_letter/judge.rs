//! What becomes of a message of docket.dead. Pure.

use crate::fleet::job::{Envelope, Pointer};
use std::collections::HashSet;

/// One message's fate in a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The one copy of a job that is dead at this epoch.
    Keep(Pointer),
    /// A duplicate, no longer dead, or pointers that a lane's own dead-letter policy put here: the ledger has their jobs.
    Remove,
    /// Nothing that Docket wrote.
    Quarantine,
}

/// `pointer`: what the message says it is a copy of; `still`: which of these the ledger has as dead; `kept`: those that this
/// pass has kept already.
pub(super) fn judge(pointer: Option<Pointer>, body: &[u8], still: &HashSet<Pointer>, kept: &HashSet<Pointer>) -> Fate {
    match pointer {
        Some(pointer) if still.contains(&pointer) && !kept.contains(&pointer) => Fate::Keep(pointer),
        Some(_) => Fate::Remove,
        None if Envelope::decode(body).is_ok() => Fate::Remove,
        None => Fate::Quarantine,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::job::{JobId, MessageId};

    #[test]
    fn one_copy_of_what_is_dead_stays() {
        let (dead, gone) = (Pointer(JobId(1), 9), Pointer(JobId(1), 7));
        let still = HashSet::from([dead]);
        let none = HashSet::new();
        assert_eq!(judge(Some(dead), b"", &still, &none), Fate::Keep(dead));
        assert_eq!(judge(Some(dead), b"", &still, &still), Fate::Remove, "a duplicate");
        assert_eq!(judge(Some(gone), b"", &still, &none), Fate::Remove, "dead at another epoch");
        let pointers = Envelope::new(MessageId(5), vec![dead]).encode();
        assert_eq!(judge(None, &pointers, &still, &none), Fate::Remove, "put there by a lane's policy");
        assert_eq!(judge(None, b"hello", &still, &none), Fate::Quarantine);
    }
}
