//! What an item's line begins with: `3.`, `IV.`, `B)`, `4.A`, `Item 7:`.

/// How a number is written. Only numbers of one kind follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    digits: Digits,
    mark: Mark,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Digits {
    Arabic,
    Upper,
    Lower,
    RomanUpper,
    RomanLower,
}

/// What stands around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Mark {
    /// `3.` or `3:`
    Dot,
    /// `3)`
    Paren,
    /// `(3)`
    Both,
    /// `3` and a wide space
    Bare,
    /// `Item 3`
    Word,
    /// The last part of `4.A`: what the parent is, the prefix says.
    Last,
}

impl Kind {
    /// `(1)`: within sentences far more often than before items.
    pub(super) const fn is_bracketed(self) -> bool {
        matches!(self.mark, Mark::Both)
    }

    /// Whether its numbers are letters.
    pub(super) const fn is_lettered(self) -> bool {
        matches!(self.digits, Digits::Upper | Digits::Lower)
    }

    /// Roman numerals are set flush right as often as left.
    pub(super) const fn is_roman(self) -> bool {
        matches!(self.digits, Digits::RomanUpper | Digits::RomanLower)
    }
}

/// One way to read a number. `C.` is the third letter, or a hundred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) kind: Kind,
    /// `4` in `4.A`; empty for a simple number.
    pub(super) prefix: String,
    /// Its place in its row, from 1.
    pub(super) ordinal: u32,
    /// `a` in `3a.`
    pub(super) suffix: Option<char>,
}

/// The beginning of a line that may be an item's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marker<'a> {
    /// As it is printed, without what stands around it.
    pub(super) number: String,
    pub(super) readings: Vec<Reading>,
    /// The text after it; empty when the title is on the next line.
    pub(super) rest: &'a str,
}

/// Largest number of an item that is believed.
const MAX_ORDINAL: u32 = 300;

/// Reads the beginning of a line. What could be a date, a time, a sum or the number of a statute is none.
pub(super) fn marker(text: &str) -> Option<Marker<'_>> {
    item_word(text).or_else(|| number(text)).filter(|marker| is_title(marker.rest))
}

/// A title begins with a capital, a digit or a sign; or it is on the next line, behind a file number perhaps.
fn is_title(rest: &str) -> bool {
    let first = rest.chars().find(|c| c.is_alphanumeric());
    let letters = rest.chars().filter(|c| c.is_alphabetic()).count();
    let words = first.is_some_and(|c| !c.is_lowercase()) && letters > 2;
    rest.is_empty() || words || is_file(rest)
}

/// `25-1234`, `25-1234-S1`
fn is_file(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut digits = |len: std::ops::RangeInclusive<usize>| {
        parts.next().is_some_and(|part| len.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
    };
    digits(2..=4) && digits(3..=6) && text.len() < 16 && !text.contains(' ')
}

/// `ITEM 7:`, `Agenda Item No. 7 -`. In a sentence no sign follows the number.
fn item_word(text: &str) -> Option<Marker<'_>> {
    let rest = without_word(text, "agenda").unwrap_or(text);
    let rest = without_word(rest, "item")?;
    let rest = ["number", "no.", "#"].iter().find_map(|word| without_word(rest, word)).unwrap_or(rest);
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let (core, after) = rest.split_at(end);
    let title = after.trim_start_matches([':', '.', ')', ' ', '-', '–', '—']);
    if !(after.is_empty() || after.starts_with("  ") || after.trim_start().starts_with([':', '.', ')', '-', '–', '—']))
    {
        return None;
    }
    let readings = simple(core, Mark::Word);
    (!readings.is_empty()).then(|| Marker { number: core.to_owned(), readings, rest: title })
}

fn without_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(word.len())?;
    let ends = word.ends_with(|c: char| !c.is_alphanumeric()) || rest.starts_with(' ');
    (head.eq_ignore_ascii_case(word) && ends).then(|| rest.trim_start())
}

fn number(text: &str) -> Option<Marker<'_>> {
    let end = text.find(' ').unwrap_or(text.len());
    let (token, after) = text.split_at(end);
    let rest = after.trim_start();
    let is_wide = after.starts_with("  ");
    let (core, mark) = match token.strip_prefix('(') {
        Some(inner) => (inner.strip_suffix([')', '.']).map(|core| core.trim_end_matches(')'))?, Mark::Both),
        None => match token.strip_suffix(')') {
            Some(core) => (core.trim_end_matches('.'), Mark::Paren),
            None => match token.strip_suffix(['.', ':']) {
                Some(core) => (core, Mark::Dot),
                None => (token, Mark::Bare),
            },
        },
    };
    if core.is_empty() || core.len() > 14 {
        return None;
    }
    let mut readings = simple(core, mark);
    if mark == Mark::Bare {
        // A number without a sign is one if a wide space follows: elsewhere sentences are full of them.
        readings.retain(|reading| is_wide && !rest.is_empty() && reading.kind.digits == Digits::Arabic);
    }
    readings.extend(compound(core));
    (!readings.is_empty()).then(|| Marker { number: core.to_owned(), readings, rest })
}

fn simple(core: &str, mark: Mark) -> Vec<Reading> {
    let reading =
        |digits, ordinal, suffix| Reading { kind: Kind { digits, mark }, prefix: String::new(), ordinal, suffix };
    let mut readings = Vec::new();
    if core.starts_with(|c: char| c.is_ascii_digit()) {
        let end = core.find(|c: char| !c.is_ascii_digit()).unwrap_or(core.len());
        let (digits, suffix) = core.split_at(end);
        let suffix = (suffix.len() < 2).then(|| suffix.chars().next());
        if let (Some(ordinal), Some(suffix)) = (arabic(digits), suffix)
            && suffix.is_none_or(|c| c.is_ascii_alphabetic())
        {
            readings.push(reading(Digits::Arabic, ordinal, suffix));
        }
        return readings;
    }
    let is_upper = core.chars().all(|c| c.is_ascii_uppercase());
    if !is_upper && !core.chars().all(|c| c.is_ascii_lowercase()) {
        return readings;
    }
    let (letters, numerals) =
        if is_upper { (Digits::Upper, Digits::RomanUpper) } else { (Digits::Lower, Digits::RomanLower) };
    readings.extend(letter(core).map(|ordinal| reading(letters, ordinal, None)));
    readings.extend(roman(core).map(|ordinal| reading(numerals, ordinal, None)));
    readings
}

/// `4.A`, `4.A.1`, `A-1`, `C1`, `11/09/22-2`.
fn compound(core: &str) -> Option<Reading> {
    let split = match core.rfind(['.', '-']) {
        Some(at) => (&core[..at], &core[at + 1..]),
        None => {
            let at = core.find(|c: char| c.is_ascii_digit()).filter(|at| (1..=2).contains(at))?;
            core.split_at(at)
        }
    };
    let (prefix, last) = split;
    let parts: Vec<&str> = prefix.split(['.', '-', '/']).collect();
    let plain = |part: &&str| {
        let (digits, letters) =
            (part.chars().all(|c| c.is_ascii_digit()), part.chars().all(|c| c.is_ascii_alphabetic()));
        !part.is_empty() && ((digits && part.len() < 4) || (letters && part.len() < 6))
    };
    if parts.len() > 3 || !parts.iter().all(plain) {
        return None;
    }
    let (digits, ordinal) = match last.chars().next()? {
        c if c.is_ascii_digit() => (Digits::Arabic, arabic(last)?),
        c if c.is_ascii_uppercase() => (Digits::Upper, letter(last)?),
        c if c.is_ascii_lowercase() => (Digits::Lower, letter(last)?),
        _ => return None,
    };
    let prefix = parts.join(".").to_uppercase();
    Some(Reading { kind: Kind { digits, mark: Mark::Last }, prefix, ordinal, suffix: None })
}

/// Three digits at most, and no zero before them: years, statutes and file numbers are longer.
fn arabic(text: &str) -> Option<u32> {
    let is_short = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let value: u32 = is_short.then(|| text.parse().ok())??;
    ((1..=MAX_ORDINAL).contains(&value) && (!text.starts_with('0') || text.len() == 2)).then_some(value)
}

/// `A` is 1, `Z` 26, `AA` 27, `BB` 28.
fn letter(text: &str) -> Option<u32> {
    let first = text.chars().next()?.to_ascii_uppercase();
    let is_letter =
        first.is_ascii_uppercase() && text.len() < 3 && text.chars().all(|c| c.to_ascii_uppercase() == first);
    let place = u32::from(first) - u32::from('A') + 1;
    is_letter.then(|| place + if text.len() == 2 { 26 } else { 0 })
}

/// Roman numerals below fifty, as they are written.
fn roman(text: &str) -> Option<u32> {
    const ONES: [&str; 10] = ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"];
    const TENS: [&str; 5] = ["", "X", "XX", "XXX", "XL"];
    let upper = text.to_ascii_uppercase();
    (1..50_u32).find(|n| {
        let (tens, ones) = (TENS[*n as usize / 10], ONES[*n as usize % 10]);
        upper.strip_prefix(tens).is_some_and(|rest| rest == ones)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, Vec<u32>, String)> {
        marker(text).map(|m| (m.number, m.readings.iter().map(|r| r.ordinal).collect(), m.rest.to_owned()))
    }

    #[test]
    fn numbers_of_items_are_read() {
        for (text, number, ordinals) in [
            ("3. Lease", "3", &[3][..]),
            ("12) Lease", "12", &[12]),
            ("(2)  Lease", "2", &[2]),
            ("7   Lease", "7", &[7]),
            ("A. Lease", "A", &[1]),
            ("I. Lease", "I", &[9, 1]),
            ("XIV. Lease", "XIV", &[14]),
            ("b) Lease", "b", &[2]),
            ("4.A Lease", "4.A", &[1]),
            ("4.2. Lease", "4.2", &[2]),
            ("A-1 Lease", "A-1", &[1]),
            ("C3. Lease", "C3", &[3]),
            ("3a. Lease", "3a", &[3]),
            ("11/09/22-2.   Lease", "11/09/22-2", &[2]),
            ("ITEM 7: *3903 HAINES STREET", "7", &[7]),
            ("Agenda Item No. 4 - Lease", "4", &[4]),
            ("5.", "5", &[5]),
            ("AA. Lease", "AA", &[27]),
            ("(1)   25-1234", "1", &[1]),
        ] {
            let (found, read, rest) = read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.as_str(), read.as_slice()), (number, ordinals), "{text}");
            let known = ["ease", "HAINES", "25-1234"];
            assert!(rest.is_empty() || known.iter().any(|words| rest.contains(words)), "{text}: {rest}");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_is_none() {
        for text in [
            "7:00 P.M. Regular meeting",
            "2022. The council",
            "$14,429.00 in total",
            "(310) 217-9524",
            "310.377.1577 is the telephone",
            "54956.9(d)(1) of the Government Code",
            "15303. Continued from May",
            "14, Chapter 3",
            "90275 Rancho Palos Verdes",
            "December 6, 2022",
            "22 - Waive the reading",
            "3 of the items",
            "5. the wrapped end of a sentence",
            "No. 5",
            "item 3 of the agenda",
            "Item",
            "4.5.6.7.8 Deep",
            "301. Far",
            "- 3 -",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
