//! What a city, a meeting, an item and a document are: plain types, no SQL and no I/O.
//!
//! A vendor's adapter turns what a site answered into [`Parsed`] lists of [`ParsedMeeting`] and [`ParsedItem`]; what
//! it had to leave out or repair stands beside them as [`Warning`]s, never in silence.

mod cadence;
mod change;
mod city;
mod coverage;
mod document;
mod fingerprint;
mod id;
mod item;
mod matter;
mod meeting;
mod priority;
mod signed;
mod start;
mod status;
mod url;
mod warning;
mod withdrawal;

pub use cadence::{Activity, spread, wait};
pub use change::{Change, ChangeKind, agenda_changes, listing_changes};
pub use city::{City, Source, UnknownVendor, UnknownZone, Vendor, Zone};
pub use coverage::{SyncOutcome, expected, judge};
pub use document::{DocumentRole, ParsedDocument};
pub use fingerprint::{Fingerprint, items_fingerprint};
pub use id::{AttachmentId, CitySlug, MatterId, SourceItemId, SourceMeetingId};
pub use item::{ParsedAttachment, ParsedItem, ParsedMatter};
pub use matter::{
    Finding, FindingKind, Identity, KnownMatter, MatterRule, SeenItem, audit, file_key, identify, same_titles,
    specific_title,
};
pub use meeting::ParsedMeeting;
pub use priority::{matter_priority, meeting_priority};
pub use signed::unsigned;
pub use start::{LocalKind, local_kind, starts_at_utc};
pub use status::{Evidence, EvidenceSource, MeetingStatus, UnknownStatus};
pub use url::{UrlRefused, WebUrl};
pub use warning::{Parsed, Warning, WarningCode};
pub use withdrawal::{Absence, MISSED_MAX, absence};
