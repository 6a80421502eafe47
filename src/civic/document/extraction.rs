//! What is known of a document after it was read.

use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// Fewer characters than this are no text: a scan with a page number, a cover without words.
const MIN_TEXT_CHARS: u64 = 50;

/// The text of a document and what was wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extraction {
    /// Pages; 0 when unknown.
    pub pages: u32,
    /// Characters of the text that are not white space. A page break is white space.
    pub chars: u64,
    /// What was wrong, sorted; empty for a sound document.
    pub flags: Vec<Flag>,
    /// The text, laid out as on the page; a form feed ends each page.
    pub text: String,
    /// What read it: another version may find another text.
    #[serde(skip)]
    pub extractor: String,
}

impl Extraction {
    /// A document without text, because of `flag`.
    pub(super) fn flagged(flag: Flag) -> Self {
        Self { flags: vec![flag], ..Self::default() }
    }

    /// Adds a flag once.
    pub(super) fn flag(&mut self, flag: Flag) {
        if let Err(at) = self.flags.binary_search(&flag) {
            self.flags.insert(at, flag);
        }
    }

    /// Takes the text over and counts it.
    pub(super) fn set_text(&mut self, bytes: &[u8]) {
        // PostgreSQL's text holds no NUL.
        self.text = String::from_utf8_lossy(bytes).replace('\0', "");
        self.chars = self.text.chars().filter(|c| !c.is_whitespace()).count() as u64;
        if self.chars < MIN_TEXT_CHARS {
            self.flag(Flag::NoText);
        }
    }
}

/// What can be wrong with a document. A closed set, stored as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// It has no bytes.
    Empty,
    /// It is no PDF, whatever its name says.
    NotPdf,
    /// It needs a password.
    Encrypted,
    /// Its structure is broken; what could be repaired was read.
    Damaged,
    /// Under 50 characters: a scan, usually.
    NoText,
    /// It, or its text, is larger than allowed; the text may be cut.
    TooLarge,
    /// Reading it took longer than allowed.
    Timeout,
}

impl Flag {
    /// Every flag.
    pub const ALL: &'static [Self] =
        &[Self::Empty, Self::NotPdf, Self::Encrypted, Self::Damaged, Self::NoText, Self::TooLarge, Self::Timeout];

    /// Its name in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotPdf => "not_pdf",
            Self::Encrypted => "encrypted",
            Self::Damaged => "damaged",
            Self::NoText => "no_text",
            Self::TooLarge => "too_large",
            Self::Timeout => "timeout",
        }
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How much one document may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest document, in bytes.
    pub max_input: usize,
    /// Largest text, in bytes: it goes into a database row and into memory.
    pub max_text: usize,
    /// Longest run of one child process, on the clock.
    pub time: Duration,
    /// Longest run of one child process, in seconds of a processor.
    pub cpu_seconds: u64,
    /// Largest address space of a child process, in bytes.
    pub memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_input: 50 << 20, max_text: 16 << 20, time: Duration::from_mins(1), cpu_seconds: 60, memory: 1 << 30 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_has_exactly_these_fields() {
        let mut extraction = Extraction::flagged(Flag::Timeout);
        extraction.set_text(b"a b\x0c");
        let json = serde_json::to_string(&extraction).unwrap();
        assert_eq!(json, r#"{"pages":0,"chars":2,"flags":["no_text","timeout"],"text":"a b\f"}"#);
    }

    #[test]
    fn names_in_json_and_database_are_the_same() {
        for flag in Flag::ALL {
            assert_eq!(serde_json::to_value(flag).unwrap(), flag.as_str());
        }
    }

    #[test]
    fn no_nul_reaches_the_database() {
        let mut extraction = Extraction::default();
        extraction.set_text(b"a\0b\xff");
        assert_eq!(extraction.text, "ab\u{fffd}");
    }
}
