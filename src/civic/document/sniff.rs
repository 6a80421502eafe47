//! What bytes are, whatever their name and the server say: sites send Word files named `.pdf`, and a page with status 200 for
//! what is missing.

use super::structure;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Bytes in which marks are looked for that need not stand first.
const HEAD: usize = 1_024;
/// Entries of an archive whose names are read: a Word file has some dozens.
const MAX_ENTRIES: usize = 2_000;
/// And bytes of their list.
const MAX_LIST: usize = 256 << 10;
/// The end of an archive stands in its last bytes, before a comment of 64 KiB at most.
const ARCHIVE_END_WITHIN: usize = 66_000;

/// What a document is, by its bytes. A closed set, stored as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// No bytes.
    Empty,
    /// A PDF.
    Pdf,
    /// A page of the web.
    Html,
    /// A Word file since 2007.
    Docx,
    /// A `PowerPoint` file since 2007.
    Pptx,
    /// An Excel file since 2007.
    Xlsx,
    /// A text of `OpenDocument`.
    Odt,
    /// An archive of anything else.
    Zip,
    /// A Word file until 2003.
    Doc,
    /// An Excel file until 2003.
    Xls,
    /// A `PowerPoint` file until 2003.
    Ppt,
    /// Another file of that format: a mail, an encrypted Word file.
    Ole2,
    /// Rich text.
    Rtf,
    /// An image.
    Png,
    /// An image.
    Jpeg,
    /// An image, often a scan.
    Tiff,
    /// An image.
    Gif,
    /// XML that is no page.
    Xml,
    /// Characters, and nothing else.
    Text,
    /// Anything else.
    #[default]
    Other,
}

impl Kind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Empty,
        Self::Pdf,
        Self::Html,
        Self::Docx,
        Self::Pptx,
        Self::Xlsx,
        Self::Odt,
        Self::Zip,
        Self::Doc,
        Self::Xls,
        Self::Ppt,
        Self::Ole2,
        Self::Rtf,
        Self::Png,
        Self::Jpeg,
        Self::Tiff,
        Self::Gif,
        Self::Xml,
        Self::Text,
        Self::Other,
    ];

    /// Its name in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Pdf => "pdf",
            Self::Html => "html",
            Self::Docx => "docx",
            Self::Pptx => "pptx",
            Self::Xlsx => "xlsx",
            Self::Odt => "odt",
            Self::Zip => "zip",
            Self::Doc => "doc",
            Self::Xls => "xls",
            Self::Ppt => "ppt",
            Self::Ole2 => "ole2",
            Self::Rtf => "rtf",
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Tiff => "tiff",
            Self::Gif => "gif",
            Self::Xml => "xml",
            Self::Text => "text",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Tells what bytes are. Looks at their start, and at the list of an archive's entries.
#[must_use]
pub fn sniff(bytes: &[u8]) -> Kind {
    sniff_pieces(bytes.len(), &mut |at, len| piece(bytes, at, len).to_vec())
}

/// What stands at a place of bytes in memory.
pub(super) fn piece(bytes: &[u8], at: usize, len: usize) -> &[u8] {
    let start = at.min(bytes.len());
    &bytes[start..start.saturating_add(len).min(bytes.len())]
}

/// The same, of a file that isn't in memory: `read` tells what stands at a place, or what there is of it.
pub(super) fn sniff_pieces(len: usize, read: &mut dyn FnMut(usize, usize) -> Vec<u8>) -> Kind {
    let start = read(0, 8 * HEAD);
    let head = &start[..start.len().min(HEAD)];
    match head {
        [] => Kind::Empty,
        [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => ole2(head, read),
        [b'P', b'K', 3, 4, ..] => archive(&start, len, read),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Kind::Png,
        [0xff, 0xd8, 0xff, ..] => Kind::Jpeg,
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => Kind::Tiff,
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Kind::Gif,
        _ if structure::header(head).is_some() => Kind::Pdf,
        _ if without_mark(head).starts_with(b"{\\rtf") => Kind::Rtf,
        _ if is_page(head) => Kind::Html,
        _ if without_mark(head).starts_with(b"<?xml") => Kind::Xml,
        _ if is_text(head) => Kind::Text,
        _ => Kind::Other,
    }
}

/// Without white space and the mark of UTF-8 before the first word.
fn without_mark(head: &[u8]) -> &[u8] {
    head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start()
}

/// Markup that only pages have. It must come first, or behind a declaration or a comment: a text may speak of `<html>`.
fn is_page(head: &[u8]) -> bool {
    const TAGS: [&[u8]; 11] = [
        b"<html",
        b"<!doctype html",
        b"<head",
        b"<body",
        b"<title",
        b"<meta",
        b"<script",
        b"<table",
        b"<div",
        b"<p>",
        b"<frameset",
    ];
    let start = without_mark(head);
    let has = |tag: &&[u8]| start.windows(tag.len()).any(|window| window.eq_ignore_ascii_case(tag));
    // Other XML has titles and tables too.
    let tags = if start.starts_with(b"<?xml") { &TAGS[..2] } else { &TAGS };
    start.starts_with(b"<") && tags.iter().any(has)
}

/// No control characters but those of lines. Longer texts are judged by their start.
fn is_text(head: &[u8]) -> bool {
    if let [0xff, 0xfe, rest @ ..] | [0xfe, 0xff, rest @ ..] = head {
        // UTF-16: a text has mostly letters of one alphabet, so that every second byte is the same.
        return rest.len() >= 2 && rest.chunks_exact(2).all(|pair| pair != [0, 0]);
    }
    let control = |byte: &u8| matches!(byte, 0..=8 | 11 | 14..=31 | 127);
    !head.iter().any(control) && !without_mark(head).is_empty()
}

/// Names of parts tell what an archive is: of the entries, or, where their list is lost, those at the start.
fn archive(start: &[u8], len: usize, read: &mut dyn FnMut(usize, usize) -> Vec<u8>) -> Kind {
    let list = list(len, read);
    let names = entries(&list);
    let starts = |text: &[u8]| start.windows(text.len()).any(|window| window == text);
    let has = |part: &[u8]| names.iter().any(|name| name.starts_with(part)) || (names.is_empty() && starts(part));
    if starts(b"mimetypeapplication/vnd.oasis.opendocument.text") {
        Kind::Odt
    } else if has(b"word/") {
        Kind::Docx
    } else if has(b"ppt/") {
        Kind::Pptx
    } else if has(b"xl/") {
        Kind::Xlsx
    } else {
        Kind::Zip
    }
}

/// An archive's central directory; empty where its end doesn't tell of one.
fn list(len: usize, read: &mut dyn FnMut(usize, usize) -> Vec<u8>) -> Vec<u8> {
    let tail = read(len.saturating_sub(ARCHIVE_END_WITHIN), ARCHIVE_END_WITHIN);
    let end = tail.windows(4).rposition(|window| window == b"PK\x05\x06");
    end.and_then(|end| number(&tail, end + 16, 4)).map_or_else(Vec::new, |at| read(at, MAX_LIST))
}

/// Names of an archive's entries, as its central directory lists them.
fn entries(list: &[u8]) -> Vec<&[u8]> {
    let (mut at, mut names) = (0, Vec::new());
    while names.len() < MAX_ENTRIES && list.get(at..at + 4) == Some(b"PK\x01\x02") {
        let sizes = [28, 30, 32].map(|field| number(list, at + field, 2));
        let [Some(name), Some(extra), Some(comment)] = sizes else { break };
        let Some(found) = list.get(at + 46..at + 46 + name) else { break };
        names.push(found);
        at += 46 + name + extra + comment;
    }
    names
}

/// The first sector of the directory names the streams.
fn ole2(head: &[u8], read: &mut dyn FnMut(usize, usize) -> Vec<u8>) -> Kind {
    let (Some(shift), Some(sector)) = (number(head, 30, 2), number(head, 48, 4)) else { return Kind::Ole2 };
    if !(7..=16).contains(&shift) {
        return Kind::Ole2;
    }
    // A sector of 512 bytes has four entries; the next one usually follows it.
    let directory = read(sector.saturating_add(1).saturating_mul(1 << shift), 8 << 10);
    let has = |name: &str| {
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).chain([0, 0]).collect();
        directory.chunks(128).any(|entry| entry.starts_with(&name))
    };
    if has("WordDocument") {
        Kind::Doc
    } else if has("Workbook") || has("Book") {
        Kind::Xls
    } else if has("PowerPoint Document") {
        Kind::Ppt
    } else {
        Kind::Ole2
    }
}

fn number(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    let field = bytes.get(at..at.checked_add(width)?)?;
    Some(field.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An archive of empty entries with these names.
    fn zip(names: &[&str]) -> Vec<u8> {
        let (mut out, mut list) = (Vec::new(), Vec::new());
        for name in names {
            let size = u16::try_from(name.len()).unwrap().to_le_bytes();
            out.extend([b"PK\x03\x04".as_slice(), &[0; 22], &size, &[0; 2], name.as_bytes()].concat());
            list.extend([b"PK\x01\x02".as_slice(), &[0; 24], &size, &[0; 16], name.as_bytes()].concat());
        }
        let at = u32::try_from(out.len()).unwrap().to_le_bytes();
        [out, list, b"PK\x05\x06".to_vec(), vec![0; 12], at.to_vec(), vec![0; 2]].concat()
    }

    fn ole2_with(stream: &str) -> Vec<u8> {
        let mut file = vec![0; 1_024];
        file[..8].copy_from_slice(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
        file[30] = 9;
        file[48] = 0;
        let name: Vec<u8> = stream.encode_utf16().flat_map(u16::to_le_bytes).collect();
        file[640..640 + name.len()].copy_from_slice(&name);
        file
    }

    #[test]
    fn bytes_tell_what_they_are() {
        let table: Vec<(Vec<u8>, Kind)> = vec![
            (vec![], Kind::Empty),
            (b"\r\n%PDF-1.7".to_vec(), Kind::Pdf),
            (b"\xef\xbb\xbf <!DOCTYPE HTML><title>Error</title>".to_vec(), Kind::Html),
            (b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC ''><html>".to_vec(), Kind::Html),
            (b"<!-- made by hand --><body>".to_vec(), Kind::Html),
            (b"<script>location='x'</script>".to_vec(), Kind::Html),
            (b"<?xml version='1.0'?><rss><title>News</title></rss>".to_vec(), Kind::Xml),
            (b"<p>Agenda</p>".to_vec(), Kind::Html),
            (b"The tag <html> begins a page".to_vec(), Kind::Text),
            (zip(&["[Content_Types].xml", "word/document.xml"]), Kind::Docx),
            (zip(&["[Content_Types].xml", "ppt/presentation.xml"]), Kind::Pptx),
            (zip(&["[Content_Types].xml", "xl/workbook.xml"]), Kind::Xlsx),
            (zip(&["mimetypeapplication/vnd.oasis.opendocument.text"]), Kind::Odt),
            (zip(&["letter.txt", "sword/x"]), Kind::Zip),
            (b"PK\x03\x04 word/document.xml, and the rest is lost".to_vec(), Kind::Docx),
            (ole2_with("WordDocument"), Kind::Doc),
            (ole2_with("Workbook"), Kind::Xls),
            (ole2_with("PowerPoint Document"), Kind::Ppt),
            (ole2_with("EncryptedPackage"), Kind::Ole2),
            (b"{\\rtf1\\ansi".to_vec(), Kind::Rtf),
            (b"\x89PNG\r\n\x1a\n..".to_vec(), Kind::Png),
            (b"\xff\xd8\xff\xe0".to_vec(), Kind::Jpeg),
            (b"II*\0".to_vec(), Kind::Tiff),
            (b"MM\0*".to_vec(), Kind::Tiff),
            (b"GIF89a".to_vec(), Kind::Gif),
            (b"AGENDA\r\n1. Call to order".to_vec(), Kind::Text),
            ("Orden del d\u{ed}a".into(), Kind::Text),
            (b"\xff\xfeA\0G\0".to_vec(), Kind::Text),
            (b"\xff\xfe".to_vec(), Kind::Other),
            (vec![0; 4_096], Kind::Other),
            (vec![b' '; 2_000], Kind::Other),
        ];
        for (bytes, kind) in table {
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
            assert_eq!(sniff(&bytes), kind, "{shown:?}");
        }
    }

    #[test]
    fn names_in_json_and_database_are_the_same() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn an_archive_of_nothing_but_a_list_is_bounded_work() {
        let mut bytes = zip(&["x"]);
        let list = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        let entry = bytes[list..bytes.len() - 22].to_vec();
        let end = bytes.split_off(list + entry.len());
        bytes.extend(entry.repeat(100_000));
        bytes.extend(end);
        assert_eq!(sniff(&bytes), Kind::Zip);
        assert_eq!(entries(&bytes[list..]).len(), MAX_ENTRIES);
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(
            start in proptest::sample::select(vec![&b""[..], b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xff\xfe"]),
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            end in proptest::sample::select(vec![&b""[..], b"PK\x05\x06"]),
        ) {
            let _ = sniff(&[start, &bytes, end, &bytes].concat());
        }

        #[test]
        fn words_are_text(text in "[A-Za-z][A-Za-z0-9 .,;\n\u{e9}]{0,200}") {
            prop_assert_eq!(sniff(text.as_bytes()), Kind::Text);
        }
    }
}
