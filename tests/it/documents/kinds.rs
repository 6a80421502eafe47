//! What is no PDF: pages, Word files and texts are read; bombs and ruins end with a flag.

use super::ordinary::LINE;
use docket::civic::document::{Extraction, Flag, Kind, Limits, extract};
use std::io::{Cursor, Write as _};
use zip::{ZipWriter, write::SimpleFileOptions};

async fn read(bytes: impl Into<Vec<u8>>) -> Extraction {
    extract(bytes.into(), &Limits::default()).await.unwrap()
}

/// A Word file of these parts.
pub(crate) fn docx(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn word(body: &str) -> Vec<u8> {
    let document = format!("<?xml version='1.0'?><w:document><w:body>{body}</w:body></w:document>");
    docx(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", document.as_bytes())])
}

#[tokio::test]
async fn a_word_file_is_read() {
    let found = read(word(&format!("<w:p><w:r><w:t>{LINE}</w:t></w:r></w:p><w:p><w:t>Second</w:t></w:p>"))).await;
    assert_eq!((found.kind, found.flags.as_slice()), (Kind::Docx, [].as_slice()));
    assert_eq!(found.text, format!("{LINE}\nSecond\n"));
    assert_eq!((found.pages, found.pages_quality.len()), (0, 1), "it has no pages, and is judged as one");
}

#[tokio::test]
async fn a_page_is_read_and_tells_where_it_leads() {
    let page = format!("<!doctype html><title>x</title><p>{LINE}, {LINE}<p><a href='/report.pdf'>Report</a>").repeat(4);
    let found = read(page).await;
    assert_eq!((found.kind, found.flags.as_slice()), (Kind::Html, [].as_slice()));
    assert!(found.text.starts_with(&format!("{LINE}, {LINE}\nReport\n")), "{:?}", found.text);
    assert_eq!(found.links.iter().map(|link| link.href.as_str()).collect::<Vec<_>>(), ["/report.pdf"]);
}

#[tokio::test]
async fn a_page_that_only_leads_on_is_a_shell() {
    for page in [
        format!("<html><title>Viewer</title><p>{LINE}<iframe src='/a.pdf'></iframe>"),
        format!("<html><meta http-equiv='refresh' content='0;url=/a.pdf'><p>{LINE}"),
        format!("<html><p>{LINE}<script>boot()</script>"),
        format!("<html><p>{LINE} <a href='/a.pdf'>Agenda</a>"),
    ] {
        assert_eq!(read(page.clone()).await.flags, [Flag::Shell], "{page}");
    }
    assert_eq!(read(format!("<html><p>{LINE}</p>")).await.flags, [], "a short page that leads nowhere is what it is");
}

#[tokio::test]
async fn a_text_is_read_whatever_its_encoding() {
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(LINE.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for bytes in [LINE.as_bytes().to_vec(), utf16, format!("{LINE} caf\u{e9}").into_bytes()] {
        let found = read(bytes).await;
        assert_eq!((found.kind, found.flags.as_slice()), (Kind::Text, [].as_slice()));
        assert!(found.text.starts_with(LINE), "{:?}", found.text);
    }
}

#[tokio::test]
async fn ruins_and_bombs_of_word_end_with_a_flag() {
    let bomb =
        docx(&[("word/document.xml", &b"<w:t>".iter().copied().chain(vec![b' '; 300 << 20]).collect::<Vec<_>>())]);
    assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
    let cases = [
        (bomb, Flag::TooLarge),
        (docx(&[("word/styles.xml", b"<x/>")]), Flag::Damaged),
        (word("<w:p><w:t>x")[..200].to_vec(), Flag::Damaged),
        (word("<w:p <<<"), Flag::Damaged),
        (b"PK\x03\x04 word/document.xml".to_vec(), Flag::Damaged),
    ];
    for (bytes, flag) in cases {
        let found = read(bytes).await;
        assert!(found.kind == Kind::Docx && found.flags.contains(&flag), "{flag}: {:?} {:?}", found.kind, found.flags);
    }
    let laugh = |n: u32| format!("<!ENTITY a{n} '{}'>", format!("&a{};", n - 1).repeat(10));
    let laughs: String = (1..30).map(laugh).collect();
    let laughs = format!("<!DOCTYPE x [<!ENTITY a0 'ha'>{laughs}");
    let laughs = docx(&[("word/document.xml", format!("{laughs}]><w:p><w:t>&a29;{LINE}</w:t></w:p>").as_bytes())]);
    assert_eq!(read(laughs).await.text.trim(), LINE, "entities are not expanded");
    let tables = word(&format!("{}<w:p><w:t>{LINE}</w:t></w:p>", "<w:tbl><w:tr><w:tc>".repeat(1_000)));
    assert_eq!(read(tables).await.text.trim(), LINE);
}

#[tokio::test]
async fn huge_and_deep_pages_are_read_within_their_limits() {
    let deep = format!("<html>{}{LINE}", "<div>".repeat(1_000_000));
    assert_eq!(read(deep).await.text, LINE);
    let huge = format!("<html>{}", format!("<p>{LINE}</p>").repeat(600_000)).into_bytes();
    assert!(huge.len() > 40 << 20);
    let found = read(huge).await;
    assert_eq!(found.flags, [Flag::TooLarge]);
    assert!(found.text.len() <= 16 << 20 && found.text.starts_with(LINE));
    let links: String = (0..10_000).map(|i| format!("<a href='{i}.pdf'>{i}</a>")).collect();
    assert_eq!(read(format!("<html>{links}")).await.links.len(), 100);
}

#[tokio::test]
async fn a_child_that_takes_too_long_is_a_flag() {
    let limits = Limits { time: std::time::Duration::from_millis(1), ..Limits::default() };
    let found = extract(format!("<html>{}", "<p>x".repeat(5_000_000)).into_bytes(), &limits).await.unwrap();
    assert_eq!(found.flags, [Flag::NoText, Flag::Timeout]);
}
