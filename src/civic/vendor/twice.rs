//! Rows of one page that have one id: one meeting, whatever their order.

use super::{
    links::{MAX_DOCUMENTS, publish},
    rows::warn,
};
use crate::civic::model::{MeetingStatus, ParsedMeeting, Warning, WarningCode};
use std::cmp::Reverse;

/// What the rows of one meeting tell together: the fullest one, what the others know besides, and the strongest status.
/// Where they contradict each other, a warning tells it. None: there are no rows.
pub(super) fn one(mut rows: Vec<ParsedMeeting>, warnings: &mut Vec<Warning>) -> Option<ParsedMeeting> {
    if rows.len() > 1 {
        rows.sort_by_cached_key(|row| {
            let known = (row.aliases.len(), row.documents.len(), row.local_time.is_some(), row.location.is_some());
            (Reverse(known), serde_json::to_string(row).unwrap_or_default())
        });
    }
    let mut rows = rows.into_iter();
    let mut meeting = rows.next()?;
    let mut differ = false;
    for row in rows {
        let times = [meeting.local_time, row.local_time];
        differ |= meeting.local_date != row.local_date
            || !meeting.title.eq_ignore_ascii_case(&row.title)
            || matches!(times, [Some(one), Some(other)] if one != other);
        join(&mut meeting, row);
    }
    if differ {
        let id = Some(meeting.vendor_id.as_str());
        warn(warnings, WarningCode::DuplicateId, "the id occurs twice: its rows are taken for one meeting", id);
    }
    Some(meeting)
}

/// What another row knows of a meeting.
pub(super) fn join(meeting: &mut ParsedMeeting, other: ParsedMeeting) {
    for id in std::iter::once(other.vendor_id).chain(other.aliases) {
        if id != meeting.vendor_id && !meeting.aliases.contains(&id) {
            meeting.aliases.push(id);
        }
    }
    if meeting.local_time.is_none() {
        (meeting.local_time, meeting.time_text) = (other.local_time, other.time_text);
    }
    meeting.location = meeting.location.take().or(other.location);
    meeting.comment = meeting.comment.take().or(other.comment);
    meeting.page_url = meeting.page_url.take().or(other.page_url);
    if strength(other.status) > strength(meeting.status) {
        (meeting.status, meeting.status_evidence) = (other.status, other.status_evidence);
    }
    let mut documents = std::mem::take(&mut meeting.documents);
    for document in other.documents {
        if documents.len() < MAX_DOCUMENTS && documents.iter().all(|known| known.href != document.href) {
            documents.push(document);
        }
    }
    publish(meeting, documents);
}

/// A meeting that was called off may have minutes, which say so.
const fn strength(status: MeetingStatus) -> u8 {
    match status {
        MeetingStatus::Scheduled | MeetingStatus::Withdrawn => 0,
        MeetingStatus::Held => 1,
        MeetingStatus::Recessed => 2,
        MeetingStatus::Postponed => 3,
        MeetingStatus::Rescheduled => 4,
        MeetingStatus::Cancelled => 5,
    }
}
