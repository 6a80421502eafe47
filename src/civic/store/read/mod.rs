//! Reading what was made of meetings, for people: the API and the command line. No job depends on these statements.
//!
//! Lists are paged by key and bounded, and so is what one meeting, item or document shows. Optional filters are parameters
//! that may be null: texts are planned at each call, with the values, so that they cost nothing.

mod changes;
mod cities;
mod cursor;
mod documents;
mod items;
mod meetings;
mod search;

pub use changes::{ChangeFilter, ChangeView, changes};
pub use cities::{CityView, CityWhole, cities, city};
pub use cursor::{Cursor, CursorError};
pub use documents::{DocumentView, ExtractionView, PlaceView, TEXT_CHARS, document};
pub(super) use items::summary;
pub use items::{ItemView, ItemWhole, RefView, SummaryView, item};
pub use meetings::{ITEMS_MAX, MeetingFilter, MeetingView, MeetingWhole, RevisionView, meeting, meetings};

use crate::fleet::ledger::read::{PAGE_MAX, Page};

/// A page of at most `limit` rows, of one row more: the proof that there is another page.
pub(super) fn page<T, K>(mut rows: Vec<T>, limit: i64, key: impl Fn(&T) -> K) -> Page<T, K> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more { rows.last().map(key) } else { None };
    Page { items: rows, next }
}

/// Rows of a page.
pub(super) fn clamp(limit: i64) -> i64 {
    limit.clamp(1, PAGE_MAX)
}
