//! What each page gave, and whether its text can be one.

use serde::{Deserialize, Serialize};

/// Fewer characters say nothing of what is wrong with a page.
const ENOUGH_CHARS: usize = 40;
/// Fewer words say nothing of a language.
const ENOUGH_WORDS: usize = 40;
/// Letters of a word that is judged by its vowels.
const WORD_LETTERS: usize = 4;

/// How a page's text was read. A closed set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The document's own characters.
    #[default]
    Text,
    /// An image of the page, read by a program.
    Ocr,
    /// Not at all.
    None,
}

/// What a page's text is worth. A closed set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Characters of the document.
    #[default]
    Text,
    /// Characters that were guessed from an image.
    Ocr,
    /// There are none.
    None,
    /// Characters that no reader could use: the font doesn't tell which they are.
    Garbage,
}

/// One page. A document without pages is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageQuality {
    /// Characters that are not white space.
    pub chars: u32,
    /// How they were read.
    pub method: Method,
    /// What they are worth.
    pub quality: Quality,
    /// The page shows far more letters than it gave characters.
    #[serde(default, skip_serializing_if = "is_false")]
    pub lost_text: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl PageQuality {
    /// A page whose text was read by `method`.
    #[must_use]
    pub fn of(text: &str, method: Method) -> Self {
        let chars = text.chars().filter(|c| !c.is_whitespace()).count();
        let quality = match method {
            _ if chars == 0 => Quality::None,
            _ if is_garbage(text) => Quality::Garbage,
            Method::Ocr => Quality::Ocr,
            Method::Text | Method::None => Quality::Text,
        };
        let method = if chars == 0 { Method::None } else { method };
        Self { chars: u32::try_from(chars).unwrap_or(u32::MAX), method, quality, lost_text: false }
    }

    /// One letter, for the database.
    #[must_use]
    pub const fn code(&self) -> char {
        match (self.lost_text, self.method, self.quality) {
            (true, ..) => 'l',
            (_, _, Quality::None) => 'n',
            (_, Method::Ocr, Quality::Garbage) => 'h',
            (_, _, Quality::Garbage) => 'g',
            (_, _, Quality::Ocr) => 'o',
            (_, _, Quality::Text) => 't',
        }
    }

    /// What [`PageQuality::code`] wrote; an unknown letter is no text.
    #[must_use]
    pub const fn from_code(code: char, chars: u32) -> Self {
        let (method, quality, lost_text) = match code {
            't' => (Method::Text, Quality::Text, false),
            'o' => (Method::Ocr, Quality::Ocr, false),
            'g' => (Method::Text, Quality::Garbage, false),
            'h' => (Method::Ocr, Quality::Garbage, false),
            'l' => (if chars == 0 { Method::None } else { Method::Text }, Quality::Garbage, true),
            _ => (Method::None, Quality::None, false),
        };
        Self { chars, method, quality, lost_text }
    }

    /// True when another way of reading may give more.
    #[must_use]
    pub const fn is_poor(&self) -> bool {
        matches!(self.quality, Quality::None | Quality::Garbage)
    }
}

/// The pages of a text in which a form feed ends each.
#[must_use]
pub(super) fn of_pages(text: &str) -> Vec<PageQuality> {
    let text = text.strip_suffix('\x0c').unwrap_or(text);
    text.split('\x0c').map(|page| PageQuality::of(page, Method::Text)).collect()
}

/// True for characters that no reader could use. Conservative: a page of tables, numbers or names of any language is none.
#[must_use]
pub fn is_garbage(text: &str) -> bool {
    let seen: Seen = text.chars().filter(|c| !c.is_whitespace()).collect();
    seen.chars >= ENOUGH_CHARS
        && (seen.meaningless * 5 > seen.chars || seen.marks * 5 > seen.chars * 3 || words_are_noise(text))
}

/// Counts of one page.
#[derive(Default)]
struct Seen {
    chars: usize,
    /// Private use, replacements, control characters: no font of a reader has them.
    meaningless: usize,
    /// Signs of ASCII that lines, tables and forms are not made of.
    marks: usize,
}

impl FromIterator<char> for Seen {
    fn from_iter<I: IntoIterator<Item = char>>(chars: I) -> Self {
        let mut seen = Self::default();
        for c in chars {
            seen.chars += 1;
            seen.meaningless += usize::from(is_meaningless(c));
            seen.marks += usize::from(c.is_ascii_punctuation() && !"._-=*/|$,:;()[]".contains(c));
        }
        seen
    }
}

fn is_meaningless(c: char) -> bool {
    let private = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}');
    // Bullets of Word come as private characters: one a line is normal, and far less than a fifth.
    private || c == '\u{fffd}' || c.is_control()
}

/// Words without vowels, of letters of several scripts, or without an end.
fn words_are_noise(text: &str) -> bool {
    let (mut words, mut dumb, mut mixed, mut letters, mut endless) = (0, 0, 0, 0, 0);
    for token in text.split_whitespace() {
        letters += token.len();
        let is_line = token.bytes().filter(|byte| b"._-=*".contains(byte)).count() * 2 > token.len();
        // Three lines of print without a blank, in a script that has blanks; addresses of the web are shorter.
        endless += if token.is_ascii() && token.len() > 250 && !is_line { token.len() } else { 0 };
        for word in token.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() >= WORD_LETTERS) {
            words += 1;
            dumb += usize::from(word.is_ascii() && !word.bytes().any(|byte| b"aeiouyAEIOUY".contains(&byte)));
            mixed += usize::from(scripts(word) > 1);
        }
    }
    let noisy = words >= ENOUGH_WORDS && (dumb * 5 > words * 3 || mixed * 5 > words * 2);
    noisy || (letters > 500 && endless * 10 > letters * 9)
}

/// How many of the scripts that are never mixed within a word a word has.
fn scripts(word: &str) -> usize {
    let has = |script: fn(char) -> bool| usize::from(word.chars().any(script));
    has(|c| c.is_ascii_alphabetic())
        + has(|c| matches!(c, '\u{370}'..='\u{3ff}'))
        + has(|c| matches!(c, '\u{400}'..='\u{52f}'))
        + has(|c| matches!(c, '\u{530}'..='\u{10ff}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PROSE: &str = "Resolution 7: to accept the report on the water main in Elm Street, and to pay for it. ";

    fn mapped(map: impl Fn(char) -> char) -> String {
        PROSE.repeat(20).chars().map(|c| if c.is_alphabetic() { map(c) } else { c }).collect()
    }

    #[test]
    fn what_no_reader_can_use_is_garbage() {
        let private = mapped(|c| char::from_u32(0xe000 + c as u32).unwrap());
        let consonants = mapped(|c| b"bcdfghjklmnpqrstvwxz"[c as usize % 20] as char);
        let scripts = mapped(|c| if (c as u32).is_multiple_of(2) { c } else { '\u{434}' });
        for text in [
            private,
            consonants,
            scripts,
            mapped(|_| '\u{fffd}'),
            mapped(|_| '\u{1}'),
            mapped(|_| '#'),
            PROSE.repeat(20).replace(' ', "!"),
        ] {
            assert!(is_garbage(&text), "{}", &text[..60]);
        }
    }

    #[test]
    fn what_is_odd_but_readable_is_not() {
        for text in [
            PROSE.repeat(3),
            "CITY COUNCIL RGLR MTG AGND NTC PBLC HRNG ".repeat(4),
            "会议议程 市議会 의회 ".repeat(40),
            "Заседание городского совета по вопросам бюджета ".repeat(20),
            "Item 1 .......................... 12\n".repeat(30),
            "________________________________\n".repeat(30),
            "$1,234.00 (5.2%) 12/31/2025 #44 ".repeat(40),
            "\u{f0b7} Approve the minutes of the last meeting\n".repeat(30),
            "https://city.example/files/agenda.pdf\n".repeat(20),
            "| 12 | 4 | 77 |\n".repeat(60),
            "## \u{fffd}\u{fffd}".to_owned(),
            String::new(),
        ] {
            assert!(!is_garbage(&text), "{text}");
        }
    }

    #[test]
    fn each_page_has_its_own_quality() {
        let text = format!("{PROSE}\x0c\x0c{}\x0c", "\u{e001}".repeat(90));
        let pages: Vec<_> = of_pages(&text).iter().map(|page| (page.chars > 0, page.method, page.quality)).collect();
        let want = [
            (true, Method::Text, Quality::Text),
            (false, Method::None, Quality::None),
            (true, Method::Text, Quality::Garbage),
        ];
        assert_eq!(pages, want);
        assert_eq!(PageQuality::of(PROSE, Method::Ocr).quality, Quality::Ocr);
    }

    proptest! {
        #[test]
        fn a_letter_keeps_a_page(text in ".{0,80}", ocr: bool, lost: bool) {
            let method = if ocr { Method::Ocr } else { Method::Text };
            let mut page = PageQuality::of(&text, method);
            if lost && !ocr {
                page = PageQuality { quality: Quality::Garbage, lost_text: true, ..page };
            }
            prop_assert_eq!(PageQuality::from_code(page.code(), page.chars), page);
        }
    }
}
