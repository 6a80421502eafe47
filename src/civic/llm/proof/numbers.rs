//! Numbers, sums, shares, ordinals, times of day and file numbers.

use super::{Fault, Reason, Source, pattern, take};
use regex::{Captures, Regex};
use std::sync::LazyLock;

/// A number in millionths: 1,240 and 1240.00 are the same, and no digit is lost to a floating point.
pub(super) type Millionths = i128;

const ONE: Millionths = 1_000_000;

/// `1,240`, `$1.2 million`, `12%`, `3rd`.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?(?:st\b|nd\b|rd\b|th\b)?(?:[\s-]*(hundred|thousand|million|billion|bn\b|k\b|m\b))?",
    )
});
/// `two`, `twelve thousand`, `third`, `twenty-five`.
static WORD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b((?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[\s-]+(?:one|two|three|four|five|six|seven|eight|nine)\b)?|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth)\b(?:[\s-]+(hundred|thousand|million|billion)\b)?",
    )
});
const WORDS: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const ORDINALS: [&str; 13] = [
    "", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth",
];
/// `6:30 PM`.
static TIME: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(\d{1,2}):(\d{2})\b"));
/// `CB 120,334` is a name and a number; `CF 24-118`, `2024-0117`, `RES-2024/17` are file numbers.
static FILE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\b(?:[A-Z]{1,6}[ -]?)?\d{1,6}(?:[-\u{2010}-\u{2015}/]\d{1,6})+[A-Z]?\b|\b[A-Z]{1,6}-\d{1,6}\b")
});
/// `10-15`: a range, unless it has letters or more digits.
static RANGE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\d{1,2}[-\u{2010}-\u{2015}/]\d{1,2}$"));

/// Calls `found` with every number of a text. With the word of its size it is that sum, and not the digits before it: five
/// million dollars are no five.
pub(super) fn all(text: &str, mut found: impl FnMut(Millionths)) {
    for c in NUMBER.captures_iter(text) {
        plain(&c).and_then(|plain| plain.checked_mul(scale(&c, 3).unwrap_or(1))).into_iter().for_each(&mut found);
    }
    for c in WORD.captures_iter(text) {
        (named(&c[1]) * ONE).checked_mul(scale(&c, 2).unwrap_or(1)).into_iter().for_each(&mut found);
    }
    // What is written with dashes or slashes is also one number each: 2024-0117.
    for c in TIME.captures_iter(text) {
        minutes(&c).into_iter().for_each(&mut found);
    }
}

pub(super) fn judge(rest: &mut String, source: &Source, faults: &mut Vec<Fault>) {
    take(rest, &TIME, |c| {
        if !minutes(c).is_some_and(|minutes| source.times.contains(&minutes)) {
            faults.push(Fault::new(Reason::Number, &c[0]));
        }
        true
    });
    take(rest, &FILE, |c| {
        let text = &c[0];
        let parts = || text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        let is_range = RANGE.is_match(text) && parts().all(|part| source.has_number(part));
        if !is_range && !source.has_file(text) {
            faults.push(Fault::new(Reason::FileNumber, text));
        }
        true
    });
    take(rest, &NUMBER, |c| {
        let value = plain(c).and_then(|plain| plain.checked_mul(scale(c, 3).unwrap_or(1)));
        // What is too large for a number must stand there as it is.
        let is_there = value.map_or_else(|| source.has_file(&c[0]), |value| source.numbers.contains(&value));
        if !is_there {
            faults.push(Fault::new(Reason::Number, &c[0]));
        }
        true
    });
    take(rest, &WORD, |c| {
        let scale = scale(c, 2);
        // `one of them`, `at first`, `a second reading`: these say no number.
        let is_idle =
            scale.is_none() && ["zero", "one", "first", "second"].iter().any(|idle| c[1].eq_ignore_ascii_case(idle));
        let value = named(&c[1]) * ONE * scale.unwrap_or(1);
        if !is_idle && !source.numbers.contains(&value) {
            faults.push(Fault::new(Reason::Number, &c[0]));
        }
        true
    });
}

/// A number written in digits.
pub(super) fn of_digits(digits: &str) -> Option<Millionths> {
    digits.parse::<Millionths>().ok()?.checked_mul(ONE)
}

fn plain(c: &Captures<'_>) -> Option<Millionths> {
    let whole = of_digits(&c[1].replace(',', ""))?;
    // Beyond six places nobody counts: a further digit is cut off, on both sides alike.
    let fraction = c.get(2).map_or(0, |digits| {
        digits
            .as_str()
            .chars()
            .chain("000000".chars())
            .take(6)
            .filter_map(|c| c.to_digit(10))
            .fold(0, |n, d| n * 10 + Millionths::from(d))
    });
    whole.checked_add(fraction)
}

fn scale(c: &Captures<'_>, group: usize) -> Option<Millionths> {
    Some(match c.get(group)?.as_str().to_lowercase().as_str() {
        "hundred" => 100,
        "thousand" | "k" => 1_000,
        "million" | "m" => 1_000_000,
        _ => 1_000_000_000,
    })
}

fn named(word: &str) -> Millionths {
    let at = |words: &[&str], word: &str| words.iter().position(|known| known.eq_ignore_ascii_case(word));
    let mut parts = word.split(|c: char| c == '-' || c.is_whitespace()).filter(|part| !part.is_empty());
    let (first, unit) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let value = match at(&TENS, first).filter(|_| !first.is_empty()) {
        Some(tens) => Some(10 * tens + at(&WORDS, unit).unwrap_or(0)),
        None => at(&WORDS, first).or_else(|| at(&ORDINALS, first)),
    };
    value.and_then(|n| n.try_into().ok()).unwrap_or(0)
}

/// A time of day on a clock with twelve hours, in minutes: 18:30 and 6:30 are the same to it.
pub(super) fn minutes(c: &Captures<'_>) -> Option<Millionths> {
    let (hour, minute): (Millionths, Millionths) = (c[1].parse().ok()?, c[2].parse().ok()?);
    (hour < 25 && minute < 60).then(|| hour % 12 * 60 + minute)
}

/// The times of day of a text.
pub(super) fn times(text: &str) -> impl Iterator<Item = Millionths> {
    TIME.captures_iter(text).filter_map(|c| minutes(&c))
}
