//! A recorded answer, parsed without a network: for the command line and for tests.

use super::{ParseError, civicclerk, civicplus, granicus, legistar, primegov};
use crate::civic::model::{Fingerprint, Parsed, ParsedItem, ParsedMeeting, Vendor, Warning, WebUrl};
use serde::{Deserialize, Serialize};

/// What a file held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParseReport {
    /// Meetings, by date and time.
    pub meetings: Vec<ParsedMeeting>,
    /// Agenda items, by sequence.
    pub items: Vec<ParsedItem>,
    /// What was left out or repaired.
    pub warnings: Vec<Warning>,
    /// Hash of the meetings and items, the canonical one of the answer: two answers with the same content have the same,
    /// however many bytes of them differ.
    pub content_hash: Fingerprint,
}

impl Default for ParseReport {
    fn default() -> Self {
        Self::new(Vec::new(), Vec::new(), Vec::new())
    }
}

impl ParseReport {
    fn new(meetings: Vec<ParsedMeeting>, items: Vec<ParsedItem>, warnings: Vec<Warning>) -> Self {
        let content_hash = Fingerprint::of(&(&meetings, &items));
        Self { meetings, items, warnings, content_hash }
    }

    fn of_meetings(parsed: Parsed<ParsedMeeting>) -> Self {
        Self::new(parsed.values, Vec::new(), parsed.warnings)
    }

    fn of_items(parsed: Parsed<ParsedItem>) -> Self {
        Self::new(Vec::new(), parsed.values, parsed.warnings)
    }
}

/// Bytes, and what their links are relative to.
type Parse = fn(&[u8], Option<&WebUrl>) -> Result<ParseReport, ParseError>;

/// The kinds of answers of a vendor, and who reads them.
fn kinds(vendor: Vendor) -> &'static [(&'static str, Parse)] {
    match vendor {
        Vendor::Legistar => &[
            ("events", |bytes, base| legistar::parse_events(bytes, base).map(ParseReport::of_meetings)),
            ("event-items", |bytes, base| legistar::parse_event_items_with(bytes, base).map(ParseReport::of_items)),
            ("calendar", |bytes, base| legistar::parse_calendar(bytes, base).map(ParseReport::of_meetings)),
        ],
        Vendor::PrimeGov => {
            &[("meetings", |bytes, base| primegov::parse_meetings(bytes, base).map(ParseReport::of_meetings))]
        }
        Vendor::Granicus => {
            &[("archive", |bytes, base| granicus::parse_archive(bytes, base).map(ParseReport::of_meetings))]
        }
        Vendor::CivicPlus => &[("agenda-center", |bytes, base| {
            civicplus::parse_agenda_center(bytes, base).map(ParseReport::of_meetings)
        })],
        Vendor::CivicClerk => &[
            ("events", |bytes, base| civicclerk::parse_events(bytes, base).map(ParseReport::of_meetings)),
            ("items", |bytes, base| civicclerk::parse_items(bytes, base).map(ParseReport::of_items)),
        ],
    }
}

/// Parses what a vendor answered.
///
/// `kind` says to which question: Legistar `events`, `event-items`, `calendar`; `PrimeGov`
/// `meetings`; Granicus `archive`; `CivicPlus` `agenda-center`; `CivicClerk` `events`, `items`. Links are relative to `base`,
/// or to what the answer says of itself.
///
/// # Errors
/// When the vendor or the kind is unknown, or the bytes are not what such an answer looks like.
pub fn parse_file(vendor: &str, kind: &str, bytes: &[u8], base: Option<&WebUrl>) -> Result<ParseReport, ParseError> {
    let vendor: Vendor = vendor.parse()?;
    let kinds = kinds(vendor);
    match kinds.iter().find(|(known, _)| *known == kind) {
        Some((_, parse)) => parse(bytes, base),
        None => {
            let known = kinds.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
            Err(ParseError::UnknownKind { vendor, kind: kind.to_owned(), known })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn unknown_names_list_the_known_ones() {
        let vendor = parse_file("granicus2", "events", b"[]", None).unwrap_err().to_string();
        assert!(vendor.contains("legistar, primegov, granicus, civicplus, civicclerk"), "{vendor}");
        let kind = parse_file("legistar", "votes", b"[]", None).unwrap_err().to_string();
        assert!(kind.contains("events, event-items, calendar"), "{kind}");
    }

    #[test]
    fn an_empty_list_is_an_empty_report() {
        for (vendor, kind) in [
            ("legistar", "events"),
            ("legistar", "event-items"),
            ("primegov", "meetings"),
            ("civicclerk", "events"),
            ("civicclerk", "items"),
        ] {
            let report = parse_file(vendor, kind, b"[]", None).unwrap();
            assert_eq!(report, ParseReport::default(), "{vendor} {kind}");
        }
    }

    #[test]
    fn another_page_is_no_empty_list() {
        for (vendor, kind) in [("granicus", "archive"), ("civicplus", "agenda-center"), ("legistar", "calendar")] {
            let error = parse_file(vendor, kind, b"<html><body><h1>Our new site</h1></body></html>", None).unwrap_err();
            assert!(matches!(error, ParseError::Schema(_)), "{vendor} {kind}: {error}");
        }
    }

    #[test]
    fn a_changed_layout_is_no_empty_list() {
        for (vendor, kind, page) in [
            (
                "granicus",
                "archive",
                "<div id='granicus'><div>May 7, 2031 <a href='/AgendaViewer.php?clip_id=7'>Agenda</a></div></div>",
            ),
            (
                "granicus",
                "archive",
                "<table class='listingTable'><tr><td class='listItem'>Council</td><td class='listItem'>soon</td></tr></table>",
            ),
            (
                "civicplus",
                "agenda-center",
                "<ul class='years'></ul><li><a href='/AgendaCenter/ViewFile/Agenda/_05072031-1'>A</a></li>",
            ),
            (
                "civicplus",
                "agenda-center",
                "<table summary='List of Agendas'><tr class='catAgendaRow'><td>Council</td></tr></table>",
            ),
            (
                "legistar",
                "calendar",
                "<div id='gridCalendar'><table class='rgMasterTable'><tr class='row'><td>Council</td></tr></table></div>",
            ),
            (
                "legistar",
                "calendar",
                "<div id='gridCalendar'><table class='rgMasterTable'><tr class='rgRow'><td>Council</td></tr></table></div>",
            ),
            ("civicclerk", "items", "{\"items\": [{\"itemId\": 1, \"title\": \"Roll call\"}]}"),
        ] {
            let result = parse_file(vendor, kind, page.as_bytes(), None);
            assert!(matches!(result, Err(ParseError::Schema(_))), "{vendor} {kind} {page}: {result:?}");
        }
    }

    #[test]
    fn a_list_that_says_that_it_is_empty_is_one() {
        for (vendor, kind, page) in [
            (
                "granicus",
                "archive",
                "<table class='listingTable'><tr><td colspan='6' class='listItem'>Currently there are no archived videos.</td></tr></table>",
            ),
            ("civicplus", "agenda-center", "<table summary='List of Agendas'></table>"),
            (
                "legistar",
                "calendar",
                "<div id='gridCalendar'><table class='rgMasterTable'><tr class='rgNoRecords'><td>No records</td></tr></table></div>",
            ),
            ("civicclerk", "items", "{\"items\": []}"),
        ] {
            assert_eq!(parse_file(vendor, kind, page.as_bytes(), None), Ok(ParseReport::default()), "{vendor} {page}");
        }
    }

    fn every_kind() -> Vec<(Vendor, &'static str)> {
        Vendor::ALL.iter().flat_map(|vendor| kinds(*vendor).iter().map(|(kind, _)| (*vendor, *kind))).collect()
    }

    #[test]
    fn nothing_and_something_else_are_errors_of_every_kind() {
        for (vendor, kind) in every_kind() {
            for bytes in
                [&b""[..], b" \r\n", b"%PDF-1.7", b"\x00\x01\x02", b"42", b"{}", b"<!DOCTYPE html><title>Error</title>"]
            {
                let result = parse_file(vendor.as_str(), kind, bytes, None);
                assert!(result.is_err(), "{vendor} {kind} {bytes:?}: {result:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_break_a_parser(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for (vendor, kind) in every_kind() {
                let _ = parse_file(vendor.as_str(), kind, &bytes, None);
            }
        }
    }
}
