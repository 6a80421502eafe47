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

use crate::{civic::model::CitySlug, fleet::ledger::read::PAGE_MAX};
use tokio_postgres::{Error, GenericClient};

/// Rows of a page.
pub(super) fn clamp(limit: i64) -> i64 {
    limit.clamp(1, PAGE_MAX)
}

/// The row of the city that is asked for; `Some(None)`: all are. None: there is no such city.
pub(super) async fn city_id<C: GenericClient + Sync>(
    client: &C,
    slug: Option<&CitySlug>,
) -> Result<Option<Option<i64>>, Error> {
    let Some(slug) = slug else { return Ok(Some(None)) };
    let row = client.query_opt("select id from cities where slug = $1", &[&slug.as_str()]).await?;
    Ok(row.map(|row| Some(row.get(0))))
}
