//! Dates and times as vendors write them: local, without a zone, times typed by hand.

use jiff::civil::{Date, DateTime, Time};

/// A time, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TypedTime {
    /// Nothing but a time.
    Exact(Time),
    /// A time at the start, and more words after it.
    WithText(Time),
    /// `TBD`, a sentence, or a time that could be morning or evening.
    Unreadable,
}

impl TypedTime {
    /// The time, whatever else was typed beside it.
    pub(super) const fn known(self) -> Option<Time> {
        match self {
            Self::Exact(time) | Self::WithText(time) => Some(time),
            Self::Unreadable => None,
        }
    }
}

/// Reads `2024-01-09T00:00:00`, with or without a time and a zone's letter: what is written is local all the same.
pub(super) fn date(text: &str) -> Option<DateTime> {
    let text = text.trim().trim_end_matches(['Z', 'z']);
    text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(|date| date.at(0, 0, 0, 0))).ok()
}

/// Finds the first day in a text that was typed by hand, and what follows it: `Nov. 10, 2022 - 6:00 PM`, `1/31/2019`,
/// `Jul 24, 13`, `11-7-22`, `2022-11-07`. Only what looks like a whole date is one: "Agenda" is none, and "May 7" neither.
pub(super) fn typed_date(text: &str) -> Option<(Date, &str)> {
    let starts = text.char_indices().scan(' ', |before, (at, c)| {
        let begins = c.is_alphanumeric() && !before.is_alphanumeric();
        *before = c;
        Some((at, begins))
    });
    starts.filter(|(_, begins)| *begins).find_map(|(at, _)| {
        let rest = &text[at..];
        numeric(rest).or_else(|| named(rest))
    })
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Two rows of one meeting tell times so far apart at most: an archive shows when the recording began.
const TOLERANCE_MINUTES: i64 = 60;

/// An unknown time agrees with any.
pub(super) fn starts_agree(one: Option<Time>, other: Option<Time>) -> bool {
    let minutes = |time: Time| i64::from(time.hour()) * 60 + i64::from(time.minute());
    match (one, other) {
        (Some(one), Some(other)) => (minutes(one) - minutes(other)).abs() <= TOLERANCE_MINUTES,
        _ => true,
    }
}

/// The day at the beginning of a text, behind no more than the day of the week: "Friday, July 10, 2026 at noon".
pub(super) fn leading_date(text: &str) -> Option<Date> {
    let (date, rest) = typed_date(text)?;
    let read = text[..text.len() - rest.len()].to_lowercase();
    let mut words = read.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    words.all(|word| is_of_a_calendar(word) || word == "the").then_some(date)
}

/// Whether a text speaks of another day than this, with its year or without.
pub(super) fn names_another_day(text: &str, date: Date) -> bool {
    let lower = text.to_lowercase();
    let words: Vec<&str> = super::text::words(&lower).collect();
    let is_other = |two: &[&str]| {
        let month = MONTHS.iter().position(|month| two[0].len() >= 3 && month.starts_with(two[0]));
        let day = digits(two[1]).0.parse::<i8>().ok();
        month
            .zip(day)
            .is_some_and(|(month, day)| (month + 1, day) != (usize::from(date.month().unsigned_abs()), date.day()))
    };
    typed_date(text).is_some_and(|(day, _)| day != date) || words.windows(2).any(is_other)
}

/// Whether a word of small letters belongs to a day: a month, a day of the week, or what follows a number.
pub(super) fn is_of_a_calendar(word: &str) -> bool {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let begins = |name: &&str| word.len() >= 3 && name.starts_with(word);
    MONTHS.iter().any(begins) || days.iter().any(begins) || ["st", "nd", "rd", "th"].contains(&word)
}

/// `November 10, 2022`, `Nov. 10 2022`, `Sept 8th, 2020`.
fn named(text: &str) -> Option<(Date, &str)> {
    let (word, rest) = text.split_at(text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len()));
    let word = word.to_lowercase();
    let month = MONTHS.iter().position(|month| word.len() >= 3 && month.starts_with(&word))?;
    let (day, rest) = digits(rest.strip_prefix('.').unwrap_or(rest).trim_start());
    let rest = ["st", "nd", "rd", "th"].iter().find_map(|ending| rest.strip_prefix(ending)).unwrap_or(rest);
    let has_comma = rest.trim_start().starts_with(',');
    let (year, rest) = digits(rest.trim_start_matches([',', ' ', '\u{a0}']));
    let is_year = year.len() == 4 || (year.len() == 2 && has_comma && ends_a_date(rest));
    is_year.then(|| Some((day_of(year, &(month + 1).to_string(), day)?, rest)))?
}

/// Two digits behind a day may be an hour: "Nov 10, 10:30 AM", "Nov 10, 10 - 11 AM". They are a year where nothing follows
/// them, or a time with minutes.
fn ends_a_date(rest: &str) -> bool {
    if rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, ':' | '.')) {
        return false;
    }
    let rest = rest.trim_start_matches([' ', '\u{a0}', '-', '\u{2013}', '\u{2014}', '@']);
    let (hour, minutes) = digits(rest);
    rest.is_empty() || (matches!(hour.len(), 1 | 2) && minutes.starts_with(':'))
}

/// `2022-11-07`, `11/7/2022`, `11-07-22`.
fn numeric(text: &str) -> Option<(Date, &str)> {
    let (a, rest) = digits(text);
    let separator = rest.chars().next().filter(|c| matches!(c, '/' | '-' | '.'))?;
    let (b, rest) = digits(&rest[1..]);
    let (c, rest) = digits(rest.strip_prefix(separator)?);
    let date = if a.len() == 4 { day_of(a, b, c) } else { day_of(c, a, b) };
    Some((date?, rest))
}

/// Two digits of a year are of this century up to 69.
fn day_of(year: &str, month: &str, day: &str) -> Option<Date> {
    let number = |text: &str, most: usize| (1..=most).contains(&text.len()).then(|| text.parse::<i16>().ok()).flatten();
    let year = match year.len() {
        4 => number(year, 4)?,
        2 => number(year, 2).map(|year| if year < 70 { 2000 + year } else { 1900 + year })?,
        _ => return None,
    };
    let small = |text| number(text, 2).and_then(|number| i8::try_from(number).ok());
    Date::new(year, small(month)?, small(day)?).ok()
}

/// True for dates that stand for "none": vendors write 0001-01-01 and 1900-01-01, and no API reaches before 1970.
pub(super) fn is_placeholder(date: Date) -> bool {
    date.year() < 1970 || date.year() > 2100
}

/// Reads `2:30 PM`, `10 a.m.`, `14:30`, `noon` and the like.
///
/// `2:30` alone stays unreadable: a council that meets at half past two at night is rarer than a clerk in a hurry.
pub(super) fn time(text: &str) -> TypedTime {
    let text = text.to_lowercase();
    let text = text.trim();
    for (word, hour) in [("12 noon", 12), ("noon", 12), ("12 midnight", 0), ("midnight", 0)] {
        if let Some(rest) = text.strip_prefix(word) {
            return found(hour, 0, rest);
        }
    }
    let (hour_digits, rest) = digits(text);
    let (minute_digits, rest) = match rest.strip_prefix([':', '.']) {
        Some(after) if after.starts_with(|c: char| c.is_ascii_digit()) => digits(after),
        _ => ("", rest),
    };
    let (Ok(hour), Ok(minute)) = (hour_digits.parse::<i8>(), parse_or_zero(minute_digits)) else {
        return TypedTime::Unreadable;
    };
    let (has_seconds, rest) = skip_seconds(rest);
    if hour == 12
        && let Some(rest) = rest.trim_start().strip_prefix("noon")
    {
        return found(12, minute, rest);
    }
    match meridiem(rest).or_else(|| of_the_end(rest, hour)) {
        Some((pm, rest)) if (1..=12).contains(&hour) => found(hour % 12 + if pm { 12 } else { 0 }, minute, rest),
        None if minute_digits.len() == 2 && (hour_digits.starts_with('0') || hour > 12 || has_seconds) => {
            found(hour, minute, rest)
        }
        _ => TypedTime::Unreadable,
    }
}

/// Of a span, "9:00 - 11:00 AM", the half of the day that stands at its end; "11:00 - 1:00 PM" begins in the other one.
fn of_the_end(rest: &str, begin: i8) -> Option<(bool, &str)> {
    let span = rest.trim_start();
    let end = ["-", "\u{2013}", "\u{2014}", "to "].iter().find_map(|word| span.strip_prefix(word))?.trim_start();
    let (hour, after) = digits(end);
    let (_, after) = digits(after.strip_prefix(':').unwrap_or(after));
    let (pm, _) = meridiem(after)?;
    let end = hour.parse::<i8>().ok().filter(|hour| (1..=12).contains(hour))?;
    Some((pm != (end % 12 < begin % 12), rest))
}

/// The first time of day within a text, such as the title "City Commission Meeting 5:30 pm (PDF)". Only one with minutes and
/// a half of the day: titles hold other numbers.
pub(super) fn time_within(text: &str) -> Option<Time> {
    let lower = text.to_lowercase();
    let starts = lower.char_indices().scan(' ', |before, (at, c)| {
        let begins = c.is_ascii_digit() && !before.is_alphanumeric() && !matches!(before, ':' | '.' | '/' | '-');
        *before = c;
        Some((at, begins))
    });
    starts.filter(|(_, begins)| *begins).find_map(|(at, _)| {
        let (_, rest) = digits(&lower[at..]);
        let (minutes, rest) = digits(rest.strip_prefix(':')?);
        self::time(&lower[at..]).known().filter(|_| minutes.len() == 2 && meridiem(rest).is_some())
    })
}

fn found(hour: i8, minute: i8, rest: &str) -> TypedTime {
    let rest_is_empty = rest.trim_matches(|c: char| c.is_whitespace() || c == '.').is_empty();
    match Time::new(hour, minute, 0, 0) {
        Ok(time) if rest_is_empty => TypedTime::Exact(time),
        Ok(time) => TypedTime::WithText(time),
        Err(_) => TypedTime::Unreadable,
    }
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn parse_or_zero(digits: &str) -> Result<i8, std::num::ParseIntError> {
    if digits.is_empty() { Ok(0) } else { digits.parse() }
}

fn skip_seconds(text: &str) -> (bool, &str) {
    match text.strip_prefix(':').map(digits) {
        Some((seconds, rest)) if seconds.len() == 2 => (true, rest),
        _ => (false, text),
    }
}

/// `am`, `a.m.`, `p`, `P. M.`; true is the afternoon.
fn meridiem(text: &str) -> Option<(bool, &str)> {
    let text = text.trim_start();
    let pm = match text.as_bytes().first()? {
        b'a' => false,
        b'p' => true,
        _ => return None,
    };
    let rest = text[1..].trim_start_matches(['.', ' ']);
    let rest = rest.strip_prefix('m').unwrap_or(rest);
    // "2 parks" starts with a p and is no time.
    if rest.starts_with(|c: char| c.is_alphanumeric()) { None } else { Some((pm, rest)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::time as at;
    use proptest::prelude::*;

    #[test]
    fn typed_times() {
        use TypedTime::{Exact, Unreadable, WithText};
        for (text, want) in [
            ("2:30 PM", Exact(at(14, 30, 0, 0))),
            ("2:30PM", Exact(at(14, 30, 0, 0))),
            (" 10 a.m. ", Exact(at(10, 0, 0, 0))),
            ("6.30 P. M.", Exact(at(18, 30, 0, 0))),
            ("12:00 AM", Exact(at(0, 0, 0, 0))),
            ("12:15 pm", Exact(at(12, 15, 0, 0))),
            ("14:30", Exact(at(14, 30, 0, 0))),
            ("09:00:00", Exact(at(9, 0, 0, 0))),
            ("Noon", Exact(at(12, 0, 0, 0))),
            ("1:30 PM or after the committee", WithText(at(13, 30, 0, 0))),
            ("1:30 PM - 3:30 PM", WithText(at(13, 30, 0, 0))),
            ("2:30", Unreadable),
            ("TBD", Unreadable),
            ("", Unreadable),
            ("25:00", Unreadable),
            ("13:00 PM", Unreadable),
            ("2:75 PM", Unreadable),
            ("2 parks", Unreadable),
            ("999999999999 PM", Unreadable),
        ] {
            assert_eq!(time(text), want, "{text:?}");
        }
    }

    #[test]
    fn a_time_within_a_title() {
        for (text, want) in [
            ("POSTPONED- City Commission Meeting 5:30 pm (PDF)", Some(at(17, 30, 0, 0))),
            ("Regular Meeting @ 6:30 P.M.", Some(at(18, 30, 0, 0))),
            ("Agenda 12:75 pm", None),
            ("Resolution 5:30", None),
            ("Section 2 p. 3", None),
            ("", None),
        ] {
            assert_eq!(time_within(text), want, "{text}");
        }
    }

    #[test]
    fn dates_are_local_whatever_letter_follows() {
        let want = "2024-01-09".parse::<Date>().unwrap();
        for text in ["2024-01-09T00:00:00", "2024-01-09", "2024-01-09T00:00:00Z", " 2024-01-09T00:00:00.123 "] {
            assert_eq!(date(text).map(DateTime::date), Some(want), "{text}");
        }
        assert_eq!(date("2024-02-30"), None);
        assert_eq!(date("soon"), None);
        assert!(is_placeholder(date("0001-01-01T00:00:00").unwrap().date()));
        assert!(is_placeholder(date("1900-01-01").unwrap().date()));
    }

    #[test]
    fn days_that_were_typed() {
        let day = |text| typed_date(text).map(|(date, rest)| (date.to_string(), rest.trim().to_owned()));
        let is = |date: &str, rest: &str| Some((date.to_owned(), rest.to_owned()));
        assert_eq!(day("November 10, 2022 - 06:00 PM"), is("2022-11-10", "- 06:00 PM"));
        assert_eq!(day("Dec  8, 2022"), is("2022-12-08", ""));
        assert_eq!(day("Thursday, Sept. 8th 2020"), is("2020-09-08", ""));
        assert_eq!(day("City Council 12-12-22"), is("2022-12-12", ""));
        assert_eq!(day("1/31/2019"), is("2019-01-31", ""));
        assert_eq!(day("Jul\u{a0}24,\u{a0}13"), is("2013-07-24", ""));
        assert_eq!(day("May 08, 13 - 06:30 PM"), is("2013-05-08", "- 06:30 PM"));
        assert_eq!(day("2022-11-07T19:00"), is("2022-11-07", "T19:00"));
        for none in [
            "Agenda",
            "May 7",
            "Market 5, 2022",
            "13/31/2019",
            "02/30/2022",
            "1/2/345",
            "555-1212",
            "",
            "mar",
            "Nov 10, 10:30 AM",
            "March 5, 12 noon",
            "Nov 10, 10 AM",
            "Nov 10, 10 - 11 AM",
            "Nov 10, 10.30 AM",
            "May 7, 13 members",
            "May 7 13",
            "Ordinance 22-1-1234",
        ] {
            assert_eq!(day(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_them(text in "(?s).{0,40}") {
            let _ = (date(&text), time(&text), typed_date(&text), time_within(&text));
        }

        #[test]
        fn every_day_is_read_back(day in 0i32..60_000) {
            let want = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
            for text in [want.strftime("%B %-d, %Y"), want.strftime("%b %d, %Y"), want.strftime("%-m/%-d/%Y"), want.strftime("%Y-%m-%d")] {
                let text = text.to_string();
                prop_assert_eq!(typed_date(&text).map(|(date, _)| date), Some(want), "{}", text);
            }
        }

        #[test]
        fn every_minute_of_the_day_is_read_back(minute in 0i8..60, hour in 0i8..24) {
            let want = at(hour, minute, 0, 0);
            let (half, clock) = (if hour < 12 { "AM" } else { "PM" }, if hour % 12 == 0 { 12 } else { hour % 12 });
            prop_assert_eq!(time(&format!("{clock}:{minute:02} {half}")), TypedTime::Exact(want));
            prop_assert_eq!(time(&format!("{hour:02}:{minute:02}:00")), TypedTime::Exact(want));
        }
    }
}
