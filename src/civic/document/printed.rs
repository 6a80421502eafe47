//! The lines of a PDF in the order of reading, with the links that stand in them.

use super::{
    Limits, Link, Reader,
    child::{self, End},
};
use quick_xml::{
    XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};
use std::{io, path::Path};

/// Pages that are read: agendas have fewer, and what follows is the packet.
const MAX_PAGES: &str = "100";
/// Largest output of the program that lists them.
const MAX_XML: usize = 8 << 20;
/// Lines that are kept.
const MAX_LINES: usize = 20_000;
/// Texts whose tops differ by so much stand in one line. Poppler counts about 1.5 to a point.
const SAME_LINE: i64 = 5;

/// A line as it is printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrintedLine {
    /// Its page, from 1.
    pub page: u32,
    /// Its words.
    pub text: String,
    /// The links that stand in it.
    pub links: Vec<Link>,
}

impl Reader {
    /// The lines of a PDF. What can't be read has none: its text is what counts.
    ///
    /// # Errors
    /// When no child can be had.
    pub async fn printed(&self, file: &Path) -> io::Result<Vec<PrintedLine>> {
        let bounded = Limits { max_text: MAX_XML, time: self.limits.time / 4, ..self.limits };
        let args = ["-xml", "-i", "-q", "-l", MAX_PAGES, "-stdout"];
        let listed = child::run("pdftohtml", &args, &std::path::absolute(file)?, &[], &bounded).await?;
        if listed.end != End::Exited(0) {
            return Ok(Vec::new());
        }
        let xml = String::from_utf8_lossy(&listed.stdout).into_owned();
        tokio::task::spawn_blocking(move || lines(&xml)).await.map_err(io::Error::other)
    }
}

/// A text and its place.
#[derive(Default)]
struct Piece {
    top: i64,
    left: i64,
    text: String,
    links: Vec<Link>,
}

/// Reads as far as it is well formed.
fn lines(xml: &str) -> Vec<PrintedLine> {
    let mut reader = quick_xml::Reader::from_str(xml);
    reader.config_mut().check_end_names = false;
    let (mut all, mut page, mut pieces) = (Vec::new(), 0, Vec::new());
    let (mut piece, mut link): (Option<Piece>, Option<(String, String)>) = (None, None);
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Eof => break,
            Event::Start(tag) => match tag.local_name().into_inner() {
                "page" => page = number(&tag, "number").and_then(|n| u32::try_from(n).ok()).unwrap_or(page + 1),
                "text" => {
                    let place = |name| number(&tag, name).unwrap_or_default();
                    piece = Some(Piece { top: place("top"), left: place("left"), ..Piece::default() });
                }
                "a" => link = attribute(&tag, "href").map(|href| (href, String::new())),
                _ => {}
            },
            Event::Text(words) => say(&words, &mut piece, &mut link),
            Event::GeneralRef(reference) => {
                let c = reference.resolve_char_ref().ok().flatten().map(String::from);
                let words = c.or_else(|| resolve_predefined_entity(&reference).map(str::to_owned));
                say(&words.unwrap_or_default(), &mut piece, &mut link);
            }
            Event::End(tag) => match tag.local_name().into_inner() {
                "a" => {
                    if let (Some((href, label)), Some(piece)) = (link.take(), &mut piece) {
                        piece.links.push(Link::new(&href, &label, false));
                    }
                }
                "text" => pieces.extend(piece.take()),
                "page" => join(page, &mut pieces, &mut all),
                _ => {}
            },
            _ => {}
        }
        if all.len() >= MAX_LINES {
            break;
        }
    }
    all.truncate(MAX_LINES);
    all
}

fn say(words: &str, piece: &mut Option<Piece>, link: &mut Option<(String, String)>) {
    if let Some(piece) = piece {
        piece.text.push_str(words);
    }
    if let Some((_, label)) = link {
        label.push_str(words);
    }
}

/// The pieces of a page, from the top, those of one line from the left.
fn join(page: u32, pieces: &mut Vec<Piece>, all: &mut Vec<PrintedLine>) {
    pieces.sort_by_key(|piece| piece.top);
    let mut rest = pieces.drain(..).peekable();
    while let Some(first) = rest.next() {
        let top = first.top;
        let mut row = vec![first];
        while let Some(piece) = rest.next_if(|piece| piece.top - top <= SAME_LINE) {
            row.push(piece);
        }
        row.sort_by_key(|piece| piece.left);
        let words: Vec<&str> = row.iter().flat_map(|piece| piece.text.split_whitespace()).collect();
        let text = words.join(" ");
        let links: Vec<Link> = row.into_iter().flat_map(|piece| piece.links).collect();
        if !text.is_empty() || !links.is_empty() {
            all.push(PrintedLine { page, text, links });
        }
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = tag.try_get_attribute(name).ok()??;
    attribute.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
}

fn number(tag: &BytesStart<'_>, name: &str) -> Option<i64> {
    attribute(tag, name)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_of_one_line_are_put_together_and_links_stay_where_they_are() {
        let xml = r#"<?xml version="1.0"?><pdf2xml><page number="2" height="9" width="9">
            <text top="120" left="300" width="1" height="1" font="0"><b>Lease of the &amp; mill</b></text>
            <text top="118" left="100" width="1" height="1" font="0">4.A</text>
            <text top="150" left="100" width="1" height="1" font="0"><a href="https://city.example/a.pdf?x=1&amp;y=2">Staff <b>Report</b></a></text>
            </page><page number="3"><text top="1" left="1">next</text></page></pdf2xml>"#;
        let read = lines(xml);
        let texts: Vec<(u32, &str)> = read.iter().map(|line| (line.page, line.text.as_str())).collect();
        assert_eq!(texts, [(2, "4.A Lease of the & mill"), (2, "Staff Report"), (3, "next")]);
        assert_eq!(read[1].links, [Link::new("https://city.example/a.pdf?x=1&y=2", "Staff Report", false)]);
    }

    proptest! {
        #[test]
        fn nothing_breaks_it(xml in "(<(page|text|a)( (top|left|number|href)=\"[^\"<]{0,6}\")?>|</(page|text|a)>|[ -~]{0,8}){0,30}") {
            prop_assert!(lines(&xml).len() <= MAX_LINES);
        }
    }
}
