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

/// Reads `2024-01-09T00:00:00`, with or without a time and a zone's letter: what is written is local all the same.
pub(super) fn date(text: &str) -> Option<DateTime> {
    let text = text.trim().trim_end_matches(['Z', 'z']);
    text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(|date| date.at(0, 0, 0, 0))).ok()
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
    match meridiem(rest) {
        Some((pm, rest)) if (1..=12).contains(&hour) => found(hour % 12 + if pm { 12 } else { 0 }, minute, rest),
        None if minute_digits.len() == 2 && (hour_digits.starts_with('0') || hour > 12 || has_seconds) => {
            found(hour, minute, rest)
        }
        _ => TypedTime::Unreadable,
    }
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

    proptest! {
        #[test]
        fn no_text_breaks_them(text in "(?s).{0,40}") {
            let _ = (date(&text), time(&text));
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
