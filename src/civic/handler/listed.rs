//! What a listing says of meetings, written: by a live one and by a re-parse alike.

use super::{changed, next};
use crate::{
    civic::{
        model::{MeetingStatus, ParsedMeeting},
        store::{
            MeetingId, aliases,
            cities::StoredCity,
            meetings::{self, Listed},
        },
    },
    fleet::{
        enqueue::{Notify, enqueue},
        handler::HandlerError,
        job::NewJob,
        ledger::PgTx,
    },
};

/// Writes the meetings, and has the agenda of each read by the job that `fetch` makes for it. Returns their rows.
pub(super) async fn write(
    tx: &mut PgTx,
    city: &StoredCity,
    listed: &[ParsedMeeting],
    fetch: impl Fn(&ParsedMeeting, &Listed) -> Result<NewJob, HandlerError>,
) -> Result<Vec<MeetingId>, HandlerError> {
    if city.city.source.vendor.renumbers() {
        aliases::adopt(tx, city.id, listed).await?;
    }
    let (mut jobs, mut shown) = (Vec::new(), Vec::with_capacity(listed.len()));
    for meeting in listed {
        let row = meetings::upsert(tx, city.id, &city.city.zone, meeting).await?;
        shown.push(row.id);
        changed::listing(tx, city.id, &row).await?;
        // What is cancelled or withdrawn has no agenda worth reading, and may be restored: the listing will say so.
        if !matches!(meeting.status, MeetingStatus::Cancelled | MeetingStatus::Withdrawn) {
            jobs.push(fetch(meeting, &row)?);
        }
    }
    enqueue(tx, &jobs, Notify::Yes).await.map_err(|e| next::refused(&e))?;
    Ok(shown)
}
