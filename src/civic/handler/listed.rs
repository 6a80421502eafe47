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
use jiff::civil::Date;
use std::borrow::Cow;

/// What is still to come was not held, whatever link to a recording or name of a file a site shows.
fn as_of(meeting: &ParsedMeeting, today: Date) -> Cow<'_, ParsedMeeting> {
    if meeting.status != MeetingStatus::Held || meeting.local_date <= today {
        return Cow::Borrowed(meeting);
    }
    Cow::Owned(ParsedMeeting { status: MeetingStatus::Scheduled, status_evidence: None, ..meeting.clone() })
}

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
    let today = city.today();
    for meeting in listed {
        let meeting = &*as_of(meeting, today);
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

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn what_is_still_to_come_was_not_held() {
        let mut meeting = ParsedMeeting::new("1".into(), String::new(), date(2031, 5, 7));
        meeting.status = MeetingStatus::Held;
        assert_eq!(as_of(&meeting, date(2031, 5, 6)).status, MeetingStatus::Scheduled);
        assert_eq!(as_of(&meeting, date(2031, 5, 7)).status, MeetingStatus::Held);
        meeting.status = MeetingStatus::Cancelled;
        assert_eq!(as_of(&meeting, date(2031, 5, 6)).status, MeetingStatus::Cancelled);
    }
}
