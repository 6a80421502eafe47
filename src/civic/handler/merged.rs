//! Many listings of a city as one: of each meeting what the last one said.

use crate::civic::model::{ParsedMeeting, SourceMeetingId};
use std::collections::HashMap;

/// Meetings by all the ids that they have, in the order in which they were last said something of.
#[derive(Debug, Default)]
pub(super) struct Merged {
    meetings: Vec<Option<ParsedMeeting>>,
    places: HashMap<SourceMeetingId, usize>,
}

impl Merged {
    /// A listing that came after those before.
    pub(super) fn add(&mut self, listing: Vec<ParsedMeeting>) {
        let new_ones = self.meetings.len();
        for meeting in listing {
            let ids: Vec<SourceMeetingId> =
                std::iter::once(&meeting.vendor_id).chain(&meeting.aliases).cloned().collect();
            let place = self.meetings.len();
            for id in ids {
                // Two meetings of one listing are two, whatever they are called.
                if let Some(before) = self.places.insert(id, place)
                    && before < new_ones
                {
                    self.meetings[before] = None;
                }
            }
            self.meetings.push(Some(meeting));
        }
    }

    /// All of them.
    pub(super) fn into_meetings(self) -> Vec<ParsedMeeting> {
        self.meetings.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn meeting(id: &str, aliases: &[&str], title: &str) -> ParsedMeeting {
        let aliases = aliases.iter().map(|alias| SourceMeetingId::from(*alias)).collect();
        ParsedMeeting { aliases, ..ParsedMeeting::new(id.into(), title.into(), date(2026, 1, 1)) }
    }

    fn titles(listings: Vec<Vec<ParsedMeeting>>) -> Vec<String> {
        let mut merged = Merged::default();
        listings.into_iter().for_each(|listing| merged.add(listing));
        merged.into_meetings().into_iter().map(|meeting| meeting.title).collect()
    }

    #[test]
    fn the_last_word_counts_and_what_is_no_longer_listed_stays() {
        let listings = vec![
            vec![meeting("1", &[], "one"), meeting("2", &[], "two")],
            vec![meeting("2", &[], "two, moved"), meeting("3", &[], "three")],
        ];
        assert_eq!(titles(listings), ["one", "two, moved", "three"]);
    }

    #[test]
    fn a_meeting_that_got_another_id_is_the_same() {
        let event = || vec![meeting("event-1", &[], "coming")];
        let clip = || vec![meeting("clip-9", &["event-1"], "held")];
        assert_eq!(titles(vec![event(), clip()]), ["held"]);
        assert_eq!(titles(vec![event(), clip(), vec![meeting("clip-9", &[], "held, renamed")]]), ["held, renamed"]);
    }

    #[test]
    fn two_of_one_listing_are_two() {
        assert_eq!(titles(vec![vec![meeting("1", &["x"], "a"), meeting("2", &["x"], "b")]]), ["a", "b"]);
    }
}
