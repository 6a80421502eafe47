//! A recorded answer, parsed without a network: for the command line and for tests.

use super::{ParseError, legistar};
use crate::civic::model::{ParsedItem, ParsedMeeting, Vendor, Warning};
use serde::{Deserialize, Serialize};

/// What a file held.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ParseReport {
    /// Meetings, by date and time.
    pub meetings: Vec<ParsedMeeting>,
    /// Agenda items, by sequence.
    pub items: Vec<ParsedItem>,
    /// What was left out or repaired.
    pub warnings: Vec<Warning>,
}

/// Parses what a vendor answered; `kind` says to which question (Legistar: `events`, `event-items`).
///
/// # Errors
/// When the vendor or the kind is unknown, or the bytes are not what such an answer looks like.
pub fn parse_file(vendor: &str, kind: &str, bytes: &[u8]) -> Result<ParseReport, ParseError> {
    match (vendor.parse::<Vendor>()?, kind) {
        (Vendor::Legistar, "events") => {
            let parsed = legistar::parse_events(bytes)?;
            Ok(ParseReport { meetings: parsed.values, warnings: parsed.warnings, ..ParseReport::default() })
        }
        (Vendor::Legistar, "event-items") => {
            let parsed = legistar::parse_event_items(bytes)?;
            Ok(ParseReport { items: parsed.values, warnings: parsed.warnings, ..ParseReport::default() })
        }
        (vendor, _) => Err(ParseError::UnknownKind { vendor, kind: kind.to_owned(), known: kinds(vendor) }),
    }
}

const fn kinds(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Legistar => "events, event-items",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_list_the_known_ones() {
        let vendor = parse_file("granicus2", "events", b"[]").unwrap_err().to_string();
        assert!(vendor.contains("legistar"), "{vendor}");
        let kind = parse_file("legistar", "votes", b"[]").unwrap_err().to_string();
        assert!(kind.contains("events, event-items"), "{kind}");
    }

    #[test]
    fn an_empty_list_is_an_empty_report() {
        for kind in ["events", "event-items"] {
            assert_eq!(parse_file("legistar", kind, b"[]").unwrap(), ParseReport::default());
        }
    }
}
