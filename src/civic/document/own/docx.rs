//! A Word file's text: its main part, then its notes.
//!
//! The parts are inflated and read as a stream, up to a limit: what an archive claims of its sizes is never believed. Entities
//! that a part declares are not expanded.

use super::{Found, MAX_TEXT};
use crate::civic::document::Flag;
use quick_xml::{Reader, escape::resolve_predefined_entity, events::Event};
use std::io::{BufRead, BufReader, Cursor, Read};
use zip::{ZipArchive, result::ZipError};

/// Most bytes of one part, inflated: a thousand pages have some 20 MiB.
const MAX_PART: u64 = 64 << 20;

/// Reads a Word file.
pub(super) fn read(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let Ok(mut archive) = ZipArchive::new(Cursor::new(bytes)) else {
        found.about.flags.push(Flag::Damaged);
        return found;
    };
    let names: Vec<String> = archive.file_names().flatten().map(|name| name.into_owned()).collect();
    let is_main = |name: &&String| name.starts_with("word/document") && name.ends_with(".xml");
    let main = names.iter().filter(is_main).min();
    if main.is_none() {
        found.about.flags.push(Flag::Damaged);
    }
    let notes = names.iter().filter(|name| matches!(name.as_str(), "word/footnotes.xml" | "word/endnotes.xml"));
    for name in main.into_iter().chain(notes) {
        let flag = match archive.by_name(name) {
            Ok(part) => print(BufReader::new(part.take(MAX_PART + 1)), &mut found.text).err(),
            Err(ZipError::InvalidPassword | ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) => {
                Some(Flag::Encrypted)
            }
            Err(_) => Some(Flag::Damaged),
        };
        if let Some(flag) = flag.filter(|flag| !found.about.flags.contains(flag)) {
            found.about.flags.push(flag);
        }
    }
    found
}

/// Prints a part's text. The text that was read before a fault stays.
fn print(part: impl BufRead, text: &mut String) -> Result<(), Flag> {
    let mut reader = Reader::from_reader(Counted { part, read: 0 });
    reader.config_mut().allow_unmatched_ends = true;
    let mut buffer = Vec::new();
    // How deep inside what is shown only by old programs, which is there twice.
    let (mut shown, mut fallback) = (false, 0_usize);
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).map_err(|_| Flag::Damaged)?;
        match event {
            Event::Eof => break,
            Event::Start(tag) => match tag.local_name().into_inner() {
                "Fallback" => fallback += 1,
                "t" => shown = fallback == 0,
                _ => {}
            },
            Event::Empty(tag) if fallback == 0 => match tag.local_name().into_inner() {
                "tab" => text.push('\t'),
                "br" | "cr" | "p" => end_line(text),
                "noBreakHyphen" => text.push('-'),
                _ => {}
            },
            Event::End(tag) => match tag.local_name().into_inner() {
                "Fallback" => fallback = fallback.saturating_sub(1),
                "t" => shown = false,
                "p" if fallback == 0 => end_line(text),
                "tc" => end_cell(text),
                _ => {}
            },
            Event::Text(words) if shown => text.push_str(&words),
            Event::GeneralRef(reference) if shown => {
                let number = reference.resolve_char_ref().ok().flatten();
                match number {
                    Some(c) => text.push(c),
                    None => text.push_str(resolve_predefined_entity(&reference).unwrap_or_default()),
                }
            }
            _ => {}
        }
        if text.len() > MAX_TEXT || reader.get_ref().read > MAX_PART {
            return Err(Flag::TooLarge);
        }
    }
    Ok(())
}

fn end_line(text: &mut String) {
    text.push('\n');
}

/// A paragraph ends each cell; a row is one line.
fn end_cell(text: &mut String) {
    if text.ends_with('\n') {
        text.pop();
        text.push('\t');
    }
}

/// Counts what was read, so that a part of exactly the limit isn't taken for a whole one.
struct Counted<R> {
    part: R,
    read: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.part.read(into)?;
        self.read += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.part.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.read += amount as u64;
        self.part.consume(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write as _;
    use zip::{ZipWriter, write::SimpleFileOptions};

    fn docx(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in parts {
            archive.start_file(*name, SimpleFileOptions::default()).unwrap();
            archive.write_all(content.as_bytes()).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    fn document(body: &str) -> Found {
        read(&docx(&[("word/document.xml", &format!("<?xml version='1.0'?><w:document><w:body>{body}"))]))
    }

    #[test]
    fn paragraphs_are_lines_and_rows_too() {
        let run = |text: &str| format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>");
        let cell = |text: &str| format!("<w:tc>{}</w:tc>", run(text));
        let table = format!("<w:tbl><w:tr>{}{}</w:tr></w:tbl>", cell("1"), cell("Lease"));
        let found = document(&[run("Agenda &amp; &#233;"), table, run("End")].concat());
        assert_eq!(found.text, "Agenda & é\n1\tLease\tEnd\n");
        assert_eq!(found.about.flags, []);
    }

    #[test]
    fn what_was_struck_out_or_is_there_twice_is_not_read() {
        let found = document(
            "<w:p><w:del><w:r><w:delText>old</w:delText></w:r></w:del><w:r><w:t>new</w:t><w:tab/><w:t>x</w:t></w:r>\
             <mc:AlternateContent><mc:Choice><w:t>box</w:t></mc:Choice><mc:Fallback><w:t>box</w:t></mc:Fallback>\
             </mc:AlternateContent></w:p>",
        );
        assert_eq!(found.text, "new\txbox\n");
    }

    #[test]
    fn notes_follow_the_text_and_the_main_part_may_have_a_number() {
        let part = |text: &str| format!("<w:p><w:t>{text}</w:t></w:p>");
        let found = read(&docx(&[("word/footnotes.xml", &part("note")), ("word/document2.xml", &part("text"))]));
        assert_eq!(found.text, "text\nnote\n");
    }

    #[test]
    fn bombs_and_ruins_are_flags() {
        assert_eq!(read(b"PK\x03\x04 word/").about.flags, [Flag::Damaged]);
        assert_eq!(read(&docx(&[("word/styles.xml", "<x/>")])).about.flags, [Flag::Damaged]);
        let laughs = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'>]><w:t>&b;word</w:t>";
        assert_eq!(read(&docx(&[("word/document.xml", laughs)])).text, "word");
        let nested = document(&format!("{}<w:p><w:t>deep</w:t></w:p>", "<w:tbl><w:tr><w:tc>".repeat(1_000)));
        assert_eq!(nested.text, "deep\n");
        let long = document(&format!("<w:t>{}</w:t>", "word ".repeat(14 << 20)));
        assert!(long.about.flags == [Flag::TooLarge] && long.text.len() <= 5 * (14 << 20), "{:?}", long.about.flags);
        let broken = document("<w:p><w:t>kept</w:t></w:p><w:p <<<");
        assert!(broken.text.starts_with("kept"), "{broken:?}");
    }

    proptest! {
        #[test]
        fn no_part_breaks_it(body in "(<w:t>|</w:t>|<w:p>|</w:p>|&|;|#|x|<|>|\"|<!\\[CDATA\\[|\u{e9}){0,40}") {
            let _ = document(&body);
        }
    }
}
