//! A meeting that a page shows twice: among the upcoming ones by its event, in the archive by its clip.

use crate::civic::{
    model::{ParsedMeeting, SourceMeetingId, Warning},
    vendor::{clock, twice},
};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Each meeting once. By its number; by a number that another row names as its own too; else by its name on its day, where
/// only one event and one clip have it and their times don't differ: where several could be meant, nobody can tell.
pub(super) fn united(meetings: Vec<ParsedMeeting>, warnings: &mut Vec<Warning>) -> Vec<ParsedMeeting> {
    // None: several name the number as theirs, and nobody can tell whose it is.
    let mut owners: BTreeMap<SourceMeetingId, Option<SourceMeetingId>> = BTreeMap::new();
    for meeting in &meetings {
        for alias in &meeting.aliases {
            let owner = owners.entry(alias.clone()).or_insert_with(|| Some(meeting.vendor_id.clone()));
            *owner = owner.take().filter(|owner| *owner == meeting.vendor_id);
        }
    }
    let mut groups: BTreeMap<SourceMeetingId, Vec<ParsedMeeting>> = BTreeMap::new();
    for meeting in meetings {
        let owner = owners.get(&meeting.vendor_id).and_then(Option::as_ref).unwrap_or(&meeting.vendor_id).clone();
        groups.entry(owner).or_default().push(meeting);
    }
    let one = |(id, rows)| Some((id, twice::one(rows, warnings)?));
    let mut kept: BTreeMap<SourceMeetingId, ParsedMeeting> = groups.into_iter().filter_map(one).collect();
    let mut places: BTreeMap<(Date, String), Vec<SourceMeetingId>> = BTreeMap::new();
    for meeting in kept.values() {
        let place = (meeting.local_date, meeting.title.to_lowercase());
        places.entry(place).or_default().push(meeting.vendor_id.clone());
    }
    for same in places.into_values() {
        let [a, b] = &same[..] else { continue };
        let (event, clip) = match (is_clip(a), is_clip(b)) {
            (false, true) => (a, b),
            (true, false) => (b, a),
            _ => continue,
        };
        if !clock::starts_agree(kept[event].local_time, kept[clip].local_time) {
            continue;
        }
        if let Some(archived) = kept.remove(clip)
            && let Some(event) = kept.get_mut(event)
        {
            twice::join(event, archived);
        }
    }
    kept.into_values().collect()
}

fn is_clip(id: &SourceMeetingId) -> bool {
    id.as_str().starts_with("clip-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meeting(id: &str, title: &str, hour: Option<i8>, aliases: &[&str]) -> ParsedMeeting {
        let mut meeting = ParsedMeeting::new(id.into(), title.to_owned(), jiff::civil::date(2031, 5, 7));
        meeting.local_time = hour.map(|hour| jiff::civil::time(hour, 30, 0, 0));
        meeting.aliases = aliases.iter().map(|alias| (*alias).into()).collect();
        meeting
    }

    fn ids(meetings: Vec<ParsedMeeting>) -> Vec<String> {
        let united = united(meetings, &mut Vec::new());
        let text = |m: &ParsedMeeting| {
            std::iter::once(&m.vendor_id).chain(&m.aliases).map(|id| id.as_str().to_owned()).collect::<Vec<_>>()
        };
        united.iter().map(|m| text(m).join("=")).collect()
    }

    #[test]
    fn an_event_and_its_clip_are_one_and_two_events_are_two() {
        let m = meeting;
        for (listed, want) in [
            (vec![m("event-1", "Council", Some(18), &[]), m("clip-9", "COUNCIL", None, &[])], vec!["event-1=clip-9"]),
            (
                vec![m("clip-9", "Council", Some(17), &[]), m("event-1", "Council", Some(18), &[])],
                vec!["event-1=clip-9"],
            ),
            (
                vec![m("event-1", "Council", Some(18), &[]), m("clip-9", "Council", Some(10), &[])],
                vec!["clip-9", "event-1"],
            ),
            (
                vec![m("event-1", "Hearing", Some(9), &[]), m("event-2", "Hearing", Some(9), &[])],
                vec!["event-1", "event-2"],
            ),
            (
                vec![
                    m("event-1", "Hearing", None, &[]),
                    m("event-2", "Hearing", None, &[]),
                    m("clip-3", "Hearing", None, &[]),
                ],
                vec!["clip-3", "event-1", "event-2"],
            ),
            (
                vec![m("event-1", "Council", None, &["clip-9"]), m("clip-9", "Another name", None, &[])],
                vec!["event-1=clip-9"],
            ),
            (vec![m("event-1", "a", None, &[]), m("event-1", "b", None, &[])], vec!["event-1"]),
        ] {
            assert_eq!(ids(listed.clone()), want, "{listed:?}");
            assert_eq!(ids(listed.into_iter().rev().collect()), want);
        }
    }
}
