//! A meeting as a source shows it.

use super::{Evidence, Fingerprint, MeetingStatus, SourceMeetingId, WebUrl};
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

/// What a vendor's adapter returns of one meeting. Texts are cleaned: one line, no markup, no invisible characters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParsedMeeting {
    /// The vendor's id.
    pub vendor_id: SourceMeetingId,
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
    /// The agenda.
    pub agenda_url: Option<WebUrl>,
    /// The minutes.
    pub minutes_url: Option<WebUrl>,
    /// The page about the meeting.
    pub page_url: Option<WebUrl>,
    /// The vendor's word for the agenda's state, such as `Final` or `Draft`.
    pub agenda_status: Option<String>,
    /// A remark of the clerk.
    pub comment: Option<String>,
}

impl ParsedMeeting {
    /// Hash of everything above: it changes when what readers see changes, and not when a vendor touches a row.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self)
    }
}
