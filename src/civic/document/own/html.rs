//! A page's text, and where it leads.
//!
//! It is read by its tokens, without a tree: a page of any size and any depth takes the memory of its text.

use super::{About, Found, MAX_TEXT, chars};
use crate::civic::document::{
    Flag,
    link::{Link, MAX_LINKS, is_document},
};
use html5ever::{
    TokenizerResult,
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states::RawKind,
    },
};
use std::cell::RefCell;

/// The tokenizer is given so many bytes at once.
const CHUNK: usize = 64 << 10;
/// Of scripts so much is searched for where they lead.
const MAX_SCRIPT: usize = 256 << 10;

/// Reads a page.
pub(super) fn read(bytes: &[u8]) -> Found {
    let page = chars::decode(bytes);
    let tokenizer = Tokenizer::new(Reader::default(), TokenizerOpts::default());
    let mut rest = page.as_ref();
    let queue = BufferQueue::default();
    while !rest.is_empty() {
        let (chunk, more) = rest.split_at(boundary(rest, CHUNK));
        queue.push_back(StrTendril::from_slice(chunk));
        // It may stop at a token of its own; what is left in the queue is read on.
        while !matches!(tokenizer.feed(&queue), TokenizerResult::Done) {}
        rest = more;
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner().end()
}

/// The first boundary of characters at or after `at`.
fn boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

#[derive(Default)]
struct Reader(RefCell<State>);

#[derive(Default)]
struct State {
    text: String,
    about: About,
    /// The element whose characters are no markup: a script, a style, a frame.
    raw: Option<String>,
    script: String,
    /// The open link, and where its text begins.
    link: Option<(String, usize)>,
    base: Option<String>,
}

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return state.open(&tag),
            Token::TagToken(tag) => state.close(&tag.name),
            Token::CharacterTokens(text) => state.characters(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl State {
    fn open(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        let attribute = |wanted: &str| {
            tag.attrs.iter().find(|attribute| &*attribute.name.local == wanted).map(|attribute| &*attribute.value)
        };
        self.separate(name);
        match name {
            "a" | "area" => {
                self.end_link();
                self.link = attribute("href").map(|href| (href.to_owned(), self.text.len()));
            }
            "iframe" | "frame" | "embed" => self.embed(attribute("src"), attribute("title")),
            "object" => self.embed(attribute("data"), attribute("title")),
            "base" if self.base.is_none() => self.base = attribute("href").map(ToOwned::to_owned),
            "meta" if attribute("http-equiv").is_some_and(|what| what.eq_ignore_ascii_case("refresh")) => {
                self.embed(attribute("content").and_then(refresh), None);
            }
            _ => {}
        }
        let kind = match name {
            "script" => RawKind::ScriptData,
            "style" | "iframe" | "noembed" | "noframes" | "xmp" => RawKind::Rawtext,
            "title" | "textarea" => RawKind::Rcdata,
            _ => return TokenSinkResult::Continue,
        };
        self.about.leads_on |= name == "script";
        self.raw = Some(name.to_owned());
        TokenSinkResult::RawData(kind)
    }

    fn close(&mut self, name: &str) {
        if self.raw.as_deref() == Some(name) {
            self.raw = None;
        }
        if name == "a" {
            self.end_link();
        }
        self.separate(name);
    }

    fn characters(&mut self, text: &str) {
        match self.raw.as_deref() {
            Some("script") if self.script.len() < MAX_SCRIPT => self.script.push_str(text),
            Some("script" | "style" | "iframe" | "noembed" | "noframes" | "title") => {}
            _ => self.print(text),
        }
    }

    /// White space is one blank, as a reader sees it; what can't be seen is dropped.
    fn print(&mut self, text: &str) {
        for c in text.chars() {
            if self.text.len() >= MAX_TEXT {
                self.about.flags = vec![Flag::TooLarge];
                return;
            }
            match c {
                '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{feff}' | '\0' => {}
                c if c.is_whitespace() && self.text.ends_with([' ', '\n']) => {}
                c if c.is_whitespace() && self.text.is_empty() => {}
                c if c.is_whitespace() => self.text.push(' '),
                c => self.text.push(c),
            }
        }
    }

    /// A line ends where a block does; cells stand apart.
    fn separate(&mut self, name: &str) {
        match name {
            "td" | "th" => self.print(" "),
            "br" | "p" | "div" | "tr" | "li" | "ul" | "ol" | "table" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6"
            | "hr" | "section" | "article" | "header" | "footer" | "dt" | "dd" | "option" | "pre" | "blockquote" => {
                let kept = self.text.trim_end_matches(' ').len();
                self.text.truncate(kept);
                if !self.text.is_empty() && !self.text.ends_with('\n') {
                    self.text.push('\n');
                }
            }
            _ => {}
        }
    }

    fn end_link(&mut self) {
        let Some((href, start)) = self.link.take() else { return };
        if is_document(&href) {
            let label = self.text.get(start..).unwrap_or_default().to_owned();
            self.add(Link::new(&href, &label, false));
        }
    }

    fn embed(&mut self, src: Option<&str>, title: Option<&str>) {
        if let Some(src) = src.filter(|src| !src.trim().is_empty()) {
            self.add(Link::new(src, title.unwrap_or_default(), true));
        }
    }

    /// What is embedded is never crowded out by links.
    fn add(&mut self, link: Link) {
        self.about.leads_on = true;
        let links = &mut self.about.links;
        if links.iter().any(|known| known.href == link.href) {
            return;
        }
        if links.len() >= MAX_LINKS && link.embedded {
            links.pop();
        }
        if links.len() < MAX_LINKS {
            links.insert(if link.embedded { 0 } else { links.len() }, link);
        }
    }

    fn end(mut self) -> Found {
        self.end_link();
        let target = redirect(&self.script).map(ToOwned::to_owned);
        self.embed(target.as_deref(), None);
        if let Some(base) = self.base.filter(|base| base.starts_with("http")) {
            resolve(&mut self.about.links, &base);
        }
        let kept = self.text.trim_end().len();
        self.text.truncate(kept);
        Found { text: self.text, about: self.about }
    }
}

/// Where the page itself says what its links are relative to.
fn resolve(links: &mut [Link], base: &str) {
    let Ok(base) = url::Url::parse(base) else { return };
    for link in links {
        if let Ok(url) = base.join(&link.href) {
            link.href = url.into();
        }
    }
}

/// `5; url=next.html`
fn refresh(content: &str) -> Option<&str> {
    let at = content.to_ascii_lowercase().find("url=")?;
    Some(content[at + "url=".len()..].trim().trim_matches(['\'', '"']))
}

/// Where a script sends its reader: `location = "…"`, `location.href = '…'`, `location.replace("…")`.
fn redirect(script: &str) -> Option<&str> {
    let mut rest = script;
    while let Some(at) = rest.find("location") {
        rest = &rest[at + "location".len()..];
        let after = rest.trim_start_matches(".href").trim_start_matches(".replace").trim_start_matches(".assign");
        let after = after.trim_start();
        let Some(value) = after.strip_prefix('=').or_else(|| after.strip_prefix('(')) else { continue };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let Some(inside) = quote.and_then(|quote| value[1..].split_once(quote)) else { continue };
        return Some(inside.0).filter(|target| !target.is_empty() && target.len() < 2_048);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(html: &str) -> String {
        read(html.as_bytes()).text
    }

    fn links(html: &str) -> Vec<(String, bool)> {
        read(html.as_bytes()).about.links.into_iter().map(|link| (link.href, link.embedded)).collect()
    }

    #[test]
    fn a_reader_sees_text_line_by_line() {
        for (html, want) in [
            (
                "<title>x</title><h1>Agenda</h1><p>1.\n  Lease &amp; <b>budget</b></p><p>2.",
                "Agenda\n1. Lease & budget\n2.",
            ),
            ("<table><tr><td>1<td>Lease<tr><td>2<td>Budget</table>", "1 Lease\n2 Budget"),
            ("a<script>if (a<b) document.write('<p>x')</script>b<style>p{}</style>c", "abc"),
            ("caf&eacute; &#8212; Pe\u{f1}asco\u{200b}", "café — Peñasco"),
            ("<!-- <p>no --><p>yes<br><br>more", "yes\nmore"),
            ("one<div", "one"),
            ("", ""),
        ] {
            assert_eq!(text(html), want, "{html}");
        }
        assert_eq!(read(b"<p>caf\xe9").text, "caf\u{e9}");
    }

    #[test]
    fn a_page_tells_where_it_leads() {
        for (html, href, embedded) in [
            ("<a href='/a.pdf'>Agenda</a>", "/a.pdf", false),
            ("<iframe src='/viewer?x=1'></iframe>", "/viewer?x=1", true),
            ("<embed src=a.pdf>", "a.pdf", true),
            ("<object data='a.pdf' type='application/pdf'>", "a.pdf", true),
            ("<META http-equiv=Refresh content=\"0; URL='/next'\">", "/next", true),
            ("<script>window.location.href = \"/next.pdf\";</script>", "/next.pdf", true),
            ("<script>location.replace('/next')</script>", "/next", true),
            ("<base href='https://city.example/x/'><a href='a.pdf'>A", "https://city.example/x/a.pdf", false),
        ] {
            assert_eq!(links(html), [(href.to_owned(), embedded)], "{html}");
        }
        assert!(links("<a href='/'>Home</a><a href='javascript:x()'>x</a>").is_empty());
    }

    #[test]
    fn a_page_of_any_depth_and_size_is_read() {
        assert_eq!(text(&format!("{}text", "<div>".repeat(1_000_000))), "text");
        assert_eq!(text(&format!("{}text", "<table><tr><td>".repeat(1_000))), "text");
        let many: String = (0..10_000).map(|i| format!("<a href='{i}.pdf'>{i}</a> ")).collect();
        let found = read(format!("{many}<iframe src=/viewer></iframe>").as_bytes());
        assert_eq!(found.about.links.len(), MAX_LINKS);
        assert_eq!(found.about.links[0].href, "/viewer");
    }

    #[test]
    fn a_long_text_is_cut_and_told() {
        let found = read(&b"word ".repeat(MAX_TEXT / 5 + 10));
        assert_eq!((found.text.len() <= MAX_TEXT, found.about.flags), (true, vec![Flag::TooLarge]));
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes);
        }

        #[test]
        fn no_script_breaks_it(script in "(location|\\.href|=| |\"|'|\\(|x|\u{e9}){0,12}") {
            let _ = redirect(&script);
            let _ = refresh(&script);
        }
    }
}
