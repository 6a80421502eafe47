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

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};

    #[test]
    fn a_day_is_asked_for_whatever_the_hour() {
        let window = Window { from: date(2031, 5, 7), to: date(2031, 5, 9) };
        let meeting = |day: i8, hour: Option<i8>| {
            let mut meeting = ParsedMeeting::new("1".into(), String::new(), date(2031, 5, day));
            meeting.local_time = hour.map(|hour| time(hour, 59, 59, 0));
            meeting
        };
        let asked = [meeting(7, None), meeting(7, Some(0)), meeting(9, None), meeting(9, Some(23))];
        let values = asked.iter().cloned().chain([meeting(6, Some(23)), meeting(10, Some(0))]).collect();
        assert_eq!(window.only(Parsed { values, warnings: Vec::new() }).values, asked);
    }
}
