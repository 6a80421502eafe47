//! Which days are asked for.

use crate::civic::model::{Parsed, ParsedMeeting};
use jiff::civil::Date;

/// Days on the city's calendar, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

impl Window {
    /// A list without the meetings of other days.
    #[must_use]
    pub(super) fn only(self, mut listed: Parsed<ParsedMeeting>) -> Parsed<ParsedMeeting> {
        listed.values.retain(|meeting| (self.from..=self.to).contains(&meeting.local_date));
        listed
    }
}
