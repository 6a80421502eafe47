//! A document of a meeting as a source shows it.

use super::WebUrl;
use serde::{Deserialize, Serialize};

/// A document that a meeting's row links to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParsedDocument {
    /// What it is to the meeting.
    pub role: DocumentRole,
    /// Its name, as the source has it.
    pub name: String,
    /// The link as it stands in the answer, which may be relative. Never a signed one that expires.
    pub href: String,
    /// Its address; none when the answer doesn't tell which site the link is relative to.
    pub url: Option<WebUrl>,
}

impl ParsedDocument {
    /// A document whose link is absolute.
    #[must_use]
    pub fn at(role: DocumentRole, name: &str, url: WebUrl) -> Self {
        Self { role, name: name.to_owned(), href: url.as_str().to_owned(), url: Some(url) }
    }
}

/// What a document is to its meeting. A closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentRole {
    /// The agenda.
    Agenda,
    /// The agenda with all that is attached to it.
    Packet,
    /// The minutes.
    Minutes,
    /// A notice that the meeting is cancelled or moved.
    Notice,
    /// Anything else.
    Other,
}

impl DocumentRole {
    /// What a document is, by the name that a clerk gave it. "Agenda packet" is a packet, "notice of cancellation" a
    /// notice.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        let lower = name.to_lowercase();
        let has = |word: &str| lower.contains(word);
        if has("cancel") || has("postpone") || has("reschedul") {
            Self::Notice
        } else if has("packet") {
            Self::Packet
        } else if has("minutes") || has("official proceedings") || has("statement of proceedings") {
            Self::Minutes
        } else if has("agenda") {
            Self::Agenda
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_clerks_tell_the_role() {
        for (name, role) in [
            ("Agenda", DocumentRole::Agenda),
            ("HTML Agenda", DocumentRole::Agenda),
            ("Agenda & Reports", DocumentRole::Agenda),
            ("HTM Agenda", DocumentRole::Agenda),
            ("Agenda Packet", DocumentRole::Packet),
            ("Notice of Cancellation", DocumentRole::Notice),
            ("Agenda - CANCELLED", DocumentRole::Notice),
            ("Approved Minutes", DocumentRole::Minutes),
            ("Official Proceedings", DocumentRole::Minutes),
            ("Condemnation Proceedings", DocumentRole::Other),
            ("Summary", DocumentRole::Other),
            ("", DocumentRole::Other),
        ] {
            assert_eq!(DocumentRole::of_name(name), role, "{name}");
        }
    }
}
