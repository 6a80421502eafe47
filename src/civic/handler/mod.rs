//! The kinds of jobs of the domain, one file each, in the order of the work:
//!
//! ```text
//! sync_city ─► fetch_meeting ─┬─► track_matter
//!                             └─► summarise_meeting ◄── summarise_item ◄── fetch_document ─► extract_document
//!                                       waits for            waits for
//! ```
//!
//! Where the site tells of no items, `summarise_meeting` waits for `fetch_document ─► extract_document ─► segment_agenda` of
//! the agenda itself, and then for the `summarise_item` of each item that was found in it.
//!
//! A new revision of a meeting gets one `summarise_meeting`, which waits for a `summarise_item` for each item; each of
//! those waits for the item's documents. A step hands its place among the children on to the next step in the
//! transaction that completes it, so that nobody ever sees a parent without open children too early. A document that
//! can't be had ends its own job only: the item is summarised from what is there, and once more if an operator gives
//! the job back and it succeeds. A page, and a cover sheet, lead to further documents, one step far, for which the item
//! waits too. Documents of near meetings are asked for again: other bytes are extracted, and summarised anew.
//!
//! `reparse_city` begins the same work from the record of what sites answered, and hands on until when (`as_of`): such jobs
//! ask nobody.

mod absent;
mod changed;
mod extract_document;
mod fetch_document;
mod fetch_meeting;
mod input;
mod late;
mod listed;
mod long_text;
mod merged;
mod model_call;
mod neighbours;
mod next;
mod paid_call;
mod question;
mod recheck;
mod reparse_city;
mod reservation;
mod resolve;
mod revision;
mod segment_agenda;
mod summarise_item;
mod summarise_meeting;
mod sync;
mod sync_city;
mod track_matter;

pub use extract_document::{ExtractDocument, ExtractDocumentArgs};
pub use fetch_document::{FetchDocument, FetchDocumentArgs};
pub use fetch_meeting::{FetchMeeting, FetchMeetingArgs};
pub use reparse_city::{ReparseCity, ReparseCityArgs};
pub use segment_agenda::{SegmentAgenda, SegmentAgendaArgs};
pub use summarise_item::{SummariseItem, SummariseItemArgs};
pub use summarise_meeting::{SummariseMeeting, SummariseMeetingArgs};
pub use sync::{SyncError, enqueue_reparse, enqueue_sync, enqueue_sync_after};
pub use sync_city::{SyncCity, SyncCityArgs};
pub use track_matter::{TrackMatter, TrackMatterArgs};

use super::Services;
use crate::fleet::{handler::Registry, ledger::PgTx};
use std::sync::Arc;

/// Every kind of the domain: the one way by which it reaches the fleet.
#[must_use]
pub fn handlers(services: Arc<Services>) -> Registry<PgTx> {
    Registry::new()
        .with_effects(SyncCity(services.clone()))
        .with_effects(ReparseCity(services.clone()))
        .with_effects(FetchMeeting(services.clone()))
        .with_effects(FetchDocument(services.clone()))
        .with_effects(ExtractDocument(services.clone()))
        .with_effects(SegmentAgenda(services.clone()))
        .with_effects(SummariseItem(services.clone()))
        .with_effects(SummariseMeeting(services.clone()))
        .with_effects(TrackMatter(services))
}
