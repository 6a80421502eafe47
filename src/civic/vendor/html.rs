//! Strangers' pages: bytes to a tree, and what a reader sees of it.

use super::{
    ParseError,
    text::{self, MAX_CHARS, cut},
};
use crate::civic::model::WebUrl;
use ego_tree::iter::Edge;
use scraper::{ElementRef, Html, Node, Selector};
use std::borrow::Cow;

/// Largest page that is read. The largest archive that is known has 6 MB; a tree takes some ten times its page.
const MAX_BYTES: usize = 8 << 20;
/// Levels of elements that are read; browsers stop at 512. The parser looks through all open ones at each tag, so that a
/// page of nothing but `<div>` would take hours.
const MAX_DEPTH: usize = 1_000;

/// A page, and the address that its links are relative to.
pub(super) struct Page {
    tree: Html,
    base: Option<WebUrl>,
}

/// A selector of ours.
///
/// # Panics
/// When it is none: a mistake in the program.
pub(super) fn selector(css: &str) -> Selector {
    Selector::parse(css).expect("a selector of ours")
}

impl Page {
    /// Reads a page. Without a `base` the page may tell it: by `og:url`, a canonical link, or where its form goes.
    ///
    /// # Errors
    /// When there is nothing, too much, or no markup.
    pub(super) fn read(bytes: &[u8], base: Option<&WebUrl>) -> Result<Self, ParseError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
        if bytes.is_empty() {
            return Err(ParseError::Empty);
        }
        if bytes.len() > MAX_BYTES {
            return Err(ParseError::TooLarge { bytes: bytes.len(), max: MAX_BYTES });
        }
        if !bytes.contains(&b'<') || matches!(bytes[0], b'{' | b'[' | b'%') {
            return Err(ParseError::NotHtml);
        }
        let text = decode(bytes);
        if depth(&text) > MAX_DEPTH {
            return Err(ParseError::Shape(format!("elements inside one another, more than {MAX_DEPTH} levels")));
        }
        let tree = Html::parse_document(&text);
        let base = base.cloned().or_else(|| own_address(&tree));
        Ok(Self { tree, base })
    }

    /// What its links are relative to; none: nobody says.
    pub(super) const fn base(&self) -> Option<&WebUrl> {
        self.base.as_ref()
    }

    /// The elements that a selector finds, in the order of the page.
    pub(super) fn all<'a>(&'a self, selector: &'a Selector) -> impl Iterator<Item = ElementRef<'a>> {
        self.tree.select(selector)
    }

    /// The page's title.
    pub(super) fn title(&self) -> String {
        self.all(&selector("title")).next().map(visible).unwrap_or_default()
    }
}

/// Many say UTF-8 and send Latin-1, or the other way round: what is UTF-8 is that, anything else is what browsers take
/// Latin-1 for.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// The most elements that can be open at once; more than [`MAX_DEPTH`] are not counted. Those that end without an end tag, and
/// those that hold nothing, don't count; scripts and comments are text; an end tag ends what is open, and nothing else.
fn depth(page: &str) -> usize {
    let (mut open, mut most): (Vec<&str>, _) = (Vec::new(), 0);
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = after(comment, "--", |rest| rest.starts_with('>') || rest.starts_with("!>"));
            continue;
        }
        let closes = rest.starts_with('/');
        let name = rest.trim_start_matches('/');
        let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())];
        if !closes && (name.eq_ignore_ascii_case("script") || name.eq_ignore_ascii_case("style")) {
            rest = after(rest, "</", |rest| rest.get(..name.len()).is_some_and(|end| end.eq_ignore_ascii_case(name)));
            continue;
        }
        let is = |other: &&str| other.eq_ignore_ascii_case(name);
        if name.is_empty() || UNCOUNTED.iter().any(is) {
            continue;
        }
        if !closes {
            open.push(name);
        } else if let Some(at) = open.iter().rposition(is) {
            open.truncate(at);
        }
        most = most.max(open.len());
        if most > MAX_DEPTH {
            break;
        }
    }
    most
}

/// What follows the first `mark` that is an end; nothing, where none comes. One pass: a page has thousands of scripts.
fn after<'a>(text: &'a str, mark: &str, is_end: impl Fn(&str) -> bool) -> &'a str {
    let mut rest = text;
    while let Some(at) = rest.find(mark) {
        rest = &rest[at + mark.len()..];
        if is_end(rest) {
            return rest;
        }
    }
    ""
}

const UNCOUNTED: &[&str] = &[
    "a", "area", "base", "body", "br", "circle", "col", "colgroup", "dd", "dt", "ellipse", "embed", "head", "hr",
    "html", "image", "img", "input", "li", "line", "link", "meta", "optgroup", "option", "p", "param", "path",
    "polygon", "polyline", "rect", "source", "stop", "tbody", "td", "tfoot", "th", "thead", "tr", "use", "wbr",
];

fn own_address(tree: &Html) -> Option<WebUrl> {
    let places = [
        ("base[href]", "href"),
        ("meta[property='og:url']", "content"),
        ("link[rel=canonical]", "href"),
        ("form#aspnetForm", "action"),
    ];
    places.iter().find_map(|(css, attribute)| {
        let element = tree.select(&selector(css)).next()?;
        WebUrl::parse(element.attr(attribute)?).ok()
    })
}

/// The text that a reader sees of an element, on one line: no scripts, no styles, nothing that is hidden. Cut where no
/// field is longer.
pub(super) fn visible(element: ElementRef<'_>) -> String {
    let mut out = String::new();
    // How deep inside something hidden; a depth and not a recursion: pages may be nested without end.
    let mut hidden = 0_usize;
    for edge in element.traverse() {
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Text(text) if hidden == 0 && out.len() < 4 * MAX_CHARS => out.push_str(text),
                Node::Element(_) => {
                    let Some(element) = ElementRef::wrap(node) else { continue };
                    if hidden > 0 || is_hidden(element) {
                        hidden += 1;
                    } else if breaks(element.value().name()) {
                        out.push(' ');
                    }
                }
                _ => {}
            },
            Edge::Close(node) => {
                if let Node::Element(element) = node.value() {
                    if hidden > 0 {
                        hidden -= 1;
                    } else if breaks(element.name()) {
                        out.push(' ');
                    }
                }
            }
        }
    }
    cut(text::tidy(&out), MAX_CHARS).0
}

/// The words of a link: its text, or what stands for its picture, or its title.
pub(super) fn label(link: ElementRef<'_>) -> String {
    let text = visible(link);
    if !text.is_empty() {
        return text;
    }
    let picture = link.descendent_elements().find_map(|element| element.attr("alt"));
    let words = [picture, link.attr("title"), link.attr("aria-label")].into_iter().flatten().map(text::tidy);
    words.map(|words| cut(words, MAX_CHARS).0).find(|words| !words.is_empty()).unwrap_or_default()
}

fn is_hidden(element: ElementRef<'_>) -> bool {
    let style = element.attr("style").unwrap_or_default();
    matches!(element.value().name(), "script" | "style" | "noscript" | "template")
        || style.split(';').any(|rule| rule.replace(' ', "").eq_ignore_ascii_case("display:none"))
}

/// Whether an element begins a new line, or a cell, for who reads it.
fn breaks(name: &str) -> bool {
    matches!(
        name,
        "br" | "p" | "div" | "td" | "th" | "tr" | "li" | "ul" | "ol" | "table" | "h1" | "h2" | "h3" | "h4" | "option"
    )
}

/// The number behind a name in an address or a script, such as `clip_id=780`.
pub(super) fn number_after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let whole_word = !rest[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        rest = &rest[at + name.len()..];
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        // A number that goes on with letters is none: it may be a GUID.
        let ends = !rest[digits..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
        if whole_word && ends && (1..=18).contains(&digits) {
            return Some(&rest[..digits]);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(html: &str) -> String {
        let page = Page::read(html.as_bytes(), None).unwrap();
        page.all(&selector("body")).next().map(visible).unwrap()
    }

    #[test]
    fn a_reader_sees_text_and_nothing_hidden() {
        for (html, want) in [
            (
                "<td><span style=\"display:none;\">1668132000</span>November&nbsp;10,&nbsp;2022</td>",
                "November 10, 2022",
            ),
            ("<b>R</b>esolution &amp; <i>Bill</i><br>next", "Resolution & Bill next"),
            ("<p>one</p><p>two</p><script>x()</script>", "one two"),
            ("<div style='color:red; DISPLAY : none'>a<b>b</b></div>c", "c"),
            ("<p>&lt;b&gt; is text", "<b> is text"),
        ] {
            assert_eq!(seen(html), want, "{html}");
        }
    }

    #[test]
    fn a_picture_speaks_for_its_link() {
        let page = Page::read(
            b"<a href=1>Agenda</a><a href=2><img src=x alt=' Agenda\nPacket '></a><a href=3 title=Minutes><i></i></a><a href=4></a>",
            None,
        )
        .unwrap();
        let labels: Vec<_> = page.all(&selector("a")).map(label).collect();
        assert_eq!(labels, ["Agenda", "Agenda Packet", "Minutes", ""]);
    }

    #[test]
    fn latin_1_that_says_utf_8_keeps_its_letters() {
        let page = Page::read(b"<meta charset=utf-8><body>Pe\xf1asco \x96 caf\xe9", None).unwrap();
        assert_eq!(page.all(&selector("body")).next().map(visible).unwrap(), "Pe\u{f1}asco \u{2013} caf\u{e9}");
    }

    #[test]
    fn what_is_no_page_has_its_own_error() {
        let error = |bytes: &[u8]| Page::read(bytes, None).err().unwrap();
        assert_eq!(error(b" \r\n"), ParseError::Empty);
        assert_eq!(error(b"{\"error\": \"<b>\"}"), ParseError::NotHtml);
        assert_eq!(error(b"%PDF-1.7 <<"), ParseError::NotHtml);
        assert_eq!(error(b"just words"), ParseError::NotHtml);
        let huge = vec![b'<'; MAX_BYTES + 1];
        assert_eq!(error(&huge), ParseError::TooLarge { bytes: MAX_BYTES + 1, max: MAX_BYTES });
    }

    #[test]
    fn a_page_without_an_end_is_refused_and_a_deep_one_is_read() {
        let deep = |levels| format!("{}text", "<div>".repeat(levels));
        assert_eq!(seen(&deep(900)), "text");
        assert!(matches!(Page::read(deep(1_000_000).as_bytes(), None), Err(ParseError::Shape(_))));
        let long = format!("<table>{}", "<tr><td>a<br><p>b".repeat(5_000));
        assert!(seen(&long).starts_with("a b a b"), "a long page is no deep one");
        let icons = format!("<svg>{}</svg>text", "<path d='M0'/><use href='#a'/>".repeat(5_000));
        assert_eq!(seen(&icons), "text");
        // Neither an end tag of nothing nor a script that ends in capitals hides what is open.
        for hidden in [
            "<div></x>".repeat(5_000),
            format!("<script></SCRIPT>{}", "<div>".repeat(5_000)),
            format!("<!-- x --!>{}", "<div>".repeat(5_000)),
        ] {
            assert!(matches!(Page::read(hidden.as_bytes(), None), Err(ParseError::Shape(_))), "{}", &hidden[..30]);
        }
        let script = format!("<script>{}</script>x<!--{}-->", "if (a<b) '<div>';".repeat(5_000), "<i>".repeat(5_000));
        assert_eq!(seen(&script), "x");
    }

    #[test]
    fn a_page_tells_its_own_address() {
        let page = Page::read(b"<meta property='og:url' content='http://a.example/AgendaCenter'>", None).unwrap();
        assert_eq!(page.base().map(WebUrl::as_str), Some("http://a.example/AgendaCenter"));
        assert!(Page::read(b"<meta property='og:url' content='javascript:x'>", None).unwrap().base().is_none());
    }

    #[test]
    fn a_number_belongs_to_its_name() {
        assert_eq!(number_after("A.php?view_id=3&clip_id=780", "clip_id="), Some("780"));
        assert_eq!(number_after("A.php?xclip_id=1&clip_id=2", "clip_id="), Some("2"));
        assert_eq!(number_after("A.php?clip_id=&x=2", "clip_id="), None);
        assert_eq!(number_after("clip_id=99999999999999999999", "clip_id="), None);
        assert_eq!(number_after("clip_id=7a&clip_id=8", "clip_id="), Some("8"));
        assert_eq!(number_after("event_id=24881234-13ff-11e7-ad57-f04da2064c47", "event_id="), None);
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(page) = Page::read(&bytes, None) {
                let _ = page.all(&selector("*")).map(visible).collect::<Vec<_>>();
            }
        }
    }
}
