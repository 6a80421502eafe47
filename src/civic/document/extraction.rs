//! What is known of a document after it was read.

use super::{Kind, Link, PageQuality, Quality};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// Fewer characters than this are no text: a scan with a page number, a cover without words.
pub(super) const MIN_TEXT_CHARS: u64 = 50;

/// The text of a document and what was wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extraction {
    /// What its bytes are, whatever its name says.
    pub kind: Kind,
    /// Pages; 0 when unknown, and for what has none.
    pub pages: u32,
    /// Characters of the text that are not white space. A page break is white space.
    pub chars: u64,
    /// What was wrong, sorted; empty for a sound document.
    pub flags: Vec<Flag>,
    /// What each page gave. A document without pages is one.
    #[serde(default)]
    pub pages_quality: Vec<PageQuality>,
    /// Where a page of the web, or a PDF of few pages, leads: see [`targets`](super::targets).
    #[serde(default)]
    pub links: Vec<Link>,
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

    /// Takes the text over, counts it, and judges its pages.
    pub(super) fn set_text(&mut self, bytes: Vec<u8>) {
        // Without a copy, where it is UTF-8: a text may have 16 MiB.
        let text = String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
        // PostgreSQL's text holds no NUL.
        self.text = if text.contains('\0') { text.replace('\0', "") } else { text };
        self.pages_quality = super::quality::of_pages(&self.text);
        self.settle();
    }

    /// Counts, and flags what the pages tell together.
    pub(super) fn settle(&mut self) {
        self.chars = self.pages_quality.iter().map(|page| u64::from(page.chars)).sum();
        self.flags.retain(|flag| !matches!(flag, Flag::NoText | Flag::Garbage | Flag::LostText));
        let garbage = |page: &&PageQuality| page.quality == Quality::Garbage;
        let unusable: u64 = self.pages_quality.iter().filter(garbage).map(|page| u64::from(page.chars)).sum();
        if self.chars < MIN_TEXT_CHARS {
            self.flag(Flag::NoText);
        }
        if unusable * 2 > self.chars {
            self.flag(Flag::Garbage);
        }
        if self.pages_quality.iter().any(|page| page.lost_text) {
            self.flag(Flag::LostText);
        }
    }
}

/// What can be wrong with a document. A closed set, stored as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// It has no bytes.
    Empty,
    /// Nothing here reads its kind.
    Unsupported,
    /// It needs a password.
    Encrypted,
    /// Its structure is broken; what could be repaired was read.
    Damaged,
    /// Under 50 characters: a scan, usually.
    NoText,
    /// Most of its characters are none that a reader could use: its fonts don't tell which they are.
    Garbage,
    /// Pages show far more letters than they gave characters.
    LostText,
    /// A page that only leads to the document.
    Shell,
    /// It, or its text, is larger than allowed; the text may be cut.
    TooLarge,
    /// Reading it took longer than allowed.
    Timeout,
}

impl Flag {
    /// Every flag.
    pub const ALL: &'static [Self] = &[
        Self::Empty,
        Self::Unsupported,
        Self::Encrypted,
        Self::Damaged,
        Self::NoText,
        Self::Garbage,
        Self::LostText,
        Self::Shell,
        Self::TooLarge,
        Self::Timeout,
    ];

    /// Its name in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Unsupported => "unsupported",
            Self::Encrypted => "encrypted",
            Self::Damaged => "damaged",
            Self::NoText => "no_text",
            Self::Garbage => "garbage",
            Self::LostText => "lost_text",
            Self::Shell => "shell",
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
    /// Largest file that a child process may write, in bytes. Most write none.
    pub max_file: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_input: 50 << 20,
            max_text: 16 << 20,
            time: Duration::from_mins(1),
            cpu_seconds: 60,
            memory: 1 << 30,
            max_file: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_has_exactly_these_fields() {
        let mut extraction = Extraction { kind: Kind::Pdf, ..Extraction::flagged(Flag::Timeout) };
        extraction.set_text(b"a b\x0c".to_vec());
        let json = serde_json::to_string(&extraction).unwrap();
        let page = r#"{"chars":2,"method":"text","quality":"text"}"#;
        let want = format!(
            r#"{{"kind":"pdf","pages":0,"chars":2,"flags":["no_text","timeout"],"pages_quality":[{page}],"links":[],"text":"a b\f"}}"#
        );
        assert_eq!(json, want);
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
        extraction.set_text(b"a\0b\xff".to_vec());
        assert_eq!(extraction.text, "ab\u{fffd}");
    }
}
