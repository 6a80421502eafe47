//! Rows of one page that have one id: one meeting, whatever their order.

use super::{
    clock,
    links::{MAX_DOCUMENTS, publish},
    rows::warn,
    status,
    text::words,
};
use crate::civic::model::{MeetingStatus, ParsedMeeting, Warning, WarningCode};
use std::cmp::Reverse;

/// What the rows of one meeting tell together: the fullest one, what the others know besides, and the strongest status. A row
/// of another day, hour or name is not taken for it: a vendor's viewer may show one recording at two meetings. None: there
/// are no rows.
pub(super) fn one(mut rows: Vec<ParsedMeeting>, warnings: &mut Vec<Warning>) -> Option<ParsedMeeting> {
    if rows.len() > 1 {
        rows.sort_by_cached_key(|row| {
            let known = (row.aliases.len(), row.documents.len(), row.local_time.is_some(), row.location.is_some());
            (Reverse(known), serde_json::to_string(row).unwrap_or_default())
        });
    }
    let mut rows = rows.into_iter();
    let mut meeting = rows.next()?;
    let mut left_out = false;
    for row in rows {
        if is_same(&meeting, &row) {
            join(&mut meeting, row);
        } else {
            left_out = true;
        }
    }
    if left_out {
        let id = Some(meeting.vendor_id.as_str());
        warn(warnings, WarningCode::DuplicateId, "the id occurs twice, with other words: the fullest row is kept", id);
    }
    Some(meeting)
}

/// Of one day, of one hour so far as it is known, and of one name but for what became of it.
fn is_same(one: &ParsedMeeting, other: &ParsedMeeting) -> bool {
    let name = |meeting: &ParsedMeeting| {
        let lower = meeting.title.to_lowercase();
        words(&lower).filter(|word| !status::is_word(word)).collect::<Vec<_>>().join(" ")
    };
    let [one_name, other_name] = [name(one), name(other)];
    one.local_date == other.local_date
        && clock::starts_agree(one.local_time, other.local_time)
        && (one_name == other_name || one.title.is_empty() || other.title.is_empty())
}

/// What another row knows of a meeting.
pub(super) fn join(meeting: &mut ParsedMeeting, other: ParsedMeeting) {
    for id in std::iter::once(other.vendor_id).chain(other.aliases) {
        if id != meeting.vendor_id && !meeting.aliases.contains(&id) {
            meeting.aliases.push(id);
        }
    }
    if meeting.title.is_empty() {
        meeting.title = other.title;
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
