//! Titles as they are compared: the same matter comes up as "An ordinance …", "… (second reading)" and "… continued from
//! March 4".

use std::collections::BTreeSet;

/// Characters of a title that are looked at; an honest one has fewer.
const LOOK_CHARS: usize = 2_000;
/// A shorter title, or one of fewer words, may stand for many matters: "Budget amendment".
const MIN_CHARS: usize = 30;
const MIN_WORDS: usize = 5;
/// Different words that tell something.
const MIN_TELLING: usize = 4;
const TELLING_CHARS: usize = 4;

const FILLERS: &[&str] = &["a", "an", "the", "of", "for", "and", "proposed"];
const KINDS: &[&str] = &["resolution", "ordinance", "bill", "motion", "order"];
const ORDINALS: &[&str] = &["first", "second", "third", "final", "1st", "2nd", "3rd"];
const MOVED: &[&str] = &["continued", "postponed", "deferred", "tabled", "held", "carried", "over", "moved"];
const MEETING: &[&str] =
    &["the", "of", "at", "meeting", "agenda", "regular", "special", "council", "city", "board", "commission"];
const MONTHS: &[&str] = &[
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
    "jan",
    "feb",
    "mar",
    "apr",
    "jun",
    "jul",
    "aug",
    "sep",
    "sept",
    "oct",
    "nov",
    "dec",
];
const DAYS: &[&str] = &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// After these a date says what the matter is about: "the payments through June 30, 2025".
const BINDING: &[&str] = &[
    "ending",
    "ended",
    "ends",
    "through",
    "thru",
    "dated",
    "for",
    "by",
    "on",
    "until",
    "of",
    "from",
    "to",
    "effective",
    "and",
    "between",
    "before",
    "after",
    "beginning",
    "starting",
    "since",
    "in",
    "expiring",
    "expires",
];

/// A title that begins so is procedure, or comes up at each meeting about something else.
const PROCEDURE: &[&str] = &[
    "adjourn",
    "announcement",
    "call to order",
    "city manager",
    "closing",
    "comments",
    "communications",
    "consent",
    "correspondence",
    "council comments",
    "introduction",
    "invocation",
    "land acknowledg",
    "moment of silence",
    "new business",
    "old business",
    "oral communications",
    "pledge",
    "presentation",
    "proclamation",
    "public comment",
    "public hearing items",
    "public participation",
    "recess",
    "recognition",
    "report from",
    "reports",
    "roll call",
    "staff report",
    "study session",
    "unfinished business",
    "work session",
];
/// The same, wherever it stands.
const PROCEDURE_INSIDE: &[&str] = &[
    "accounts payable",
    "approval of agenda",
    "approval of the agenda",
    "approve the agenda",
    "closed session",
    "conference with",
    "consent agenda",
    "consent calendar",
    "executive session",
    "financial report",
    "minutes",
    "monthly report",
    "payroll",
    "public comment",
    "treasurers report",
    "waive reading",
    "warrant register",
    "warrants",
];

/// A title without its case, punctuation, prefix, reading marker and the date of a meeting; none: it is too general to be a
/// matter by its title alone.
#[must_use]
pub fn specific_title(title: &str) -> Option<String> {
    let mut words = words(title);
    // Each round only takes words away, so this ends.
    loop {
        let before = words.len();
        drop_readings(&mut words);
        drop_moved(&mut words);
        drop_tail(&mut words);
        drop_head(&mut words);
        if words.len() == before {
            break;
        }
    }
    let title = words.join(" ");
    let procedure = PROCEDURE.iter().any(|start| title.starts_with(start))
        || PROCEDURE_INSIDE.iter().any(|phrase| title.contains(phrase));
    let telling: BTreeSet<&String> = words.iter().filter(|word| word.chars().count() >= TELLING_CHARS).collect();
    let specific =
        title.chars().count() >= MIN_CHARS && words.len() >= MIN_WORDS && telling.len() >= MIN_TELLING && !procedure;
    specific.then_some(title)
}

/// Runs of letters and digits, in lower case. A comma within a number is no border.
fn words(title: &str) -> Vec<String> {
    let chars: Vec<char> = title.chars().take(LOOK_CHARS).collect();
    let digit = |i: Option<usize>| i.and_then(|i| chars.get(i)).is_some_and(char::is_ascii_digit);
    let kept = chars.iter().enumerate().filter(|(i, c)| {
        **c != '\'' && **c != '\u{2019}' && !(**c == ',' && digit(i.checked_sub(1)) && digit(i.checked_add(1)))
    });
    let text: String = kept.map(|(_, c)| *c).collect::<String>().to_lowercase();
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn is(words: &[String], at: usize, set: &[&str]) -> bool {
    words.get(at).is_some_and(|word| set.contains(&word.as_str()))
}

fn is_number(words: &[String], at: usize) -> bool {
    words.get(at).is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()))
}

/// "first and final reading", "for second reading".
fn drop_readings(words: &mut Vec<String>) {
    while let Some(at) = (1..words.len()).find(|&at| words[at] == "reading" && is(words, at - 1, ORDINALS)) {
        let mut from = at - 1;
        while from >= 2 && is(words, from - 1, &["and"]) && is(words, from - 2, ORDINALS) {
            from -= 2;
        }
        if from >= 1 && is(words, from - 1, &["for"]) {
            from -= 1;
        }
        words.drain(from..=at);
    }
}

/// "continued from the regular meeting of March 4, 2025", and "continued" alone at the end.
fn drop_moved(words: &mut Vec<String>) {
    let date = |words: &[String], at| is(words, at, MONTHS) || is(words, at, DAYS) || is_date_number(words, at);
    let start = (0..words.len()).find(|&at| {
        is(words, at, MOVED)
            && is(words, at + 1, &["from", "to"])
            && (date(words, at + 2) || is(words, at + 2, MEETING))
    });
    if let Some(at) = start {
        let first = (0..=at).rev().take_while(|&at| is(words, at, MOVED)).last().unwrap_or(at);
        let end = (at + 2..words.len()).find(|&at| !date(words, at) && !is(words, at, MEETING)).unwrap_or(words.len());
        words.drain(first..end);
    }
    if words.last().is_some_and(|word| word == "continued") {
        words.pop();
    }
}

/// Of one to four digits, as days and years have; "4th" too.
fn is_date_number(words: &[String], at: usize) -> bool {
    let Some(word) = words.get(at) else { return false };
    let digits = word.trim_end_matches(|c: char| c.is_ascii_lowercase());
    (1..=4).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && ["", "st", "nd", "rd", "th"].contains(&&word[digits.len()..])
}

/// The date or the number of a meeting at the end, unless a word before it says that it is the matter's own.
fn drop_tail(words: &mut Vec<String>) {
    let len = words.len();
    if len >= 3
        && is_number(words, len - 1)
        && is(words, len - 2, &["no", "number"])
        && is(words, len - 3, &["meeting", "item"])
    {
        words.truncate(len - 3);
    } else if len >= 2 && is_number(words, len - 1) && is(words, len - 2, &["meeting", "item"]) {
        words.truncate(len - 2);
    }
    let Some(mut from) = date_at_end(words) else { return };
    if from >= 1 && is(words, from - 1, DAYS) {
        from -= 1;
    }
    if from >= 2 && is(words, from - 1, &["of", "on"]) && is(words, from - 2, &["meeting"]) {
        from -= 2;
        while from >= 1 && is(words, from - 1, &["the", "for", "at", "from", "regular", "special", "city", "council"]) {
            from -= 1;
        }
    } else if from == 0 || is(words, from - 1, BINDING) {
        return;
    }
    words.truncate(from);
}

/// Where a date with its year begins that ends the title: "March 4 2025", "3 4 2025", "2025 03 04".
fn date_at_end(words: &[String]) -> Option<usize> {
    let at = words.len().checked_sub(3)?;
    let year = |at| {
        is_number(words, at) && words[at].len() == 4 && (words[at].starts_with("19") || words[at].starts_with("20"))
    };
    let small = |at| is_date_number(words, at) && words[at].len() <= 4 && !year(at);
    let date = (is(words, at, MONTHS) && small(at + 1) && year(at + 2))
        || (small(at) && small(at + 1) && year(at + 2))
        || (year(at) && small(at + 1) && small(at + 2));
    date.then_some(at)
}

/// "Item 5", "an ordinance", "the proposed resolution"; a kind with a number is a name and stays: "Ordinance 1234".
fn drop_head(words: &mut Vec<String>) {
    let item = is(words, 0, &["item"]) && is_number(words, 1);
    let numbered = is_number(words, 1) || is(words, 1, &["no", "number"]);
    if item {
        words.drain(..2);
    } else if is(words, 0, FILLERS) || (is(words, 0, KINDS) && !numbered) {
        words.remove(0);
    }
}

#[cfg(test)]
mod tests;
