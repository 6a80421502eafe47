//! A meeting as a source shows it.

use super::{Evidence, Fingerprint, MeetingStatus, ParsedDocument, SourceMeetingId, WebUrl};
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

/// What a vendor's adapter returns of one meeting. Texts are cleaned: one line, no markup, no invisible characters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParsedMeeting {
    /// The vendor's id.
    pub vendor_id: SourceMeetingId,
    /// Other ids that the vendor has, had or will have for it: a Granicus event becomes a clip.
    #[serde(default)]
    pub aliases: Vec<SourceMeetingId>,
    /// The body that meets, such as `City Council`; empty when the source doesn't say.
    pub body_name: String,
    /// The meeting's title; the body's name where the vendor has no titles.
    pub title: String,
    /// The day, on the city's calendar.
    pub local_date: Date,
    /// The time, on the city's clocks; none when unknown (`TBD`).
    pub local_time: Option<Time>,
    /// The time as it was typed.
    pub time_text: Option<String>,
    /// Whether it will take place.
    pub status: MeetingStatus,
    /// Why it has a status other than scheduled.
    pub status_evidence: Option<Evidence>,
    /// Where it takes place.
    pub location: Option<String>,
    /// The agenda: of [`documents`](Self::documents) the one that is best read.
    pub agenda_url: Option<WebUrl>,
    /// The minutes.
    pub minutes_url: Option<WebUrl>,
    /// All its documents that are published, in the order of the source.
    #[serde(default)]
    pub documents: Vec<ParsedDocument>,
    /// The page about the meeting.
    pub page_url: Option<WebUrl>,
    /// The vendor's word for the agenda's state, such as `Final` or `Draft`.
    pub agenda_status: Option<String>,
    /// A remark of the clerk.
    pub comment: Option<String>,
}

impl ParsedMeeting {
    /// A meeting of which nothing more is known.
    #[must_use]
    pub const fn new(vendor_id: SourceMeetingId, title: String, local_date: Date) -> Self {
        Self {
            vendor_id,
            aliases: Vec::new(),
            body_name: String::new(),
            title,
            local_date,
            local_time: None,
            time_text: None,
            status: MeetingStatus::Scheduled,
            status_evidence: None,
            location: None,
            agenda_url: None,
            minutes_url: None,
            documents: Vec::new(),
            page_url: None,
            agenda_status: None,
            comment: None,
        }
    }

    /// Hash of everything above: it changes when what readers see changes, and not when a vendor touches a row.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self)
    }
}
