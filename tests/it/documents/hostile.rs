//! Documents made to do harm: they end with a flag, within their limits, and leave no process.

use super::{
    made::{page_objects, pages, pdf, stream},
    ordinary::LINE,
};
use docket::civic::document::{Extraction, Flag, Limits, extract, extract_file};
use futures_util::future::join_all;
use std::time::Duration;

async fn read(bytes: Vec<u8>, limits: &Limits) -> Extraction {
    extract(bytes, limits).await.unwrap()
}

/// Forms that call each other ten times each, nine deep: 10⁹ lines from 2 kB.
fn laughs() -> Vec<u8> {
    let mut objects = page_objects(&["x"]);
    objects[3] = objects[3].replace("/Resources<<", "/Resources<</XObject<</X 6 0 R>>");
    objects[4] = stream("", "/X Do");
    for depth in 0..9 {
        let (number, last) = (7 + depth, depth == 8);
        let inner = if last { String::new() } else { format!("/XObject<</X {number} 0 R>>") };
        let entries = format!("/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</Font<</F 3 0 R>>{inner}>>");
        let content = if last { format!("BT /F 8 Tf 20 700 Td ({LINE}) Tj ET") } else { "/X Do ".repeat(10) };
        objects.push(stream(&entries, &content));
    }
    pdf(&objects)
}

#[tokio::test]
async fn one_that_never_ends_is_killed_by_the_clock() {
    let limits = Limits { time: Duration::from_millis(500), ..Limits::default() };
    let found = read(laughs(), &limits).await;
    assert!(found.flags.contains(&Flag::Timeout), "{:?}", found.flags);
    assert_eq!(found.pages, 1);
}

#[tokio::test]
async fn one_that_only_computes_is_stopped_by_its_processor_time_or_memory() {
    let limits = Limits { cpu_seconds: 1, ..Limits::default() };
    let found = read(laughs(), &limits).await;
    let stopped = [Flag::Timeout, Flag::TooLarge].iter().any(|flag| found.flags.contains(flag));
    assert!(stopped, "{:?}", found.flags);
}

#[tokio::test]
async fn a_bomb_of_text_is_cut() {
    let lines = vec![LINE; 1_000];
    let limits = Limits { max_text: 50_000, ..Limits::default() };
    let found = read(pages(&lines), &limits).await;
    assert_eq!((found.pages, found.flags.as_slice()), (1_000, [Flag::TooLarge].as_slice()));
    assert!(!found.text.is_empty() && found.text.len() <= 50_000, "{}", found.text.len());
}

#[tokio::test]
async fn a_document_over_the_limit_is_not_even_opened() {
    let limits = Limits { max_input: 100, ..Limits::default() };
    let whole = pages(&[LINE]);
    assert_eq!(read(whole.clone(), &limits).await.flags, [Flag::TooLarge]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), whole).unwrap();
    let found = extract_file(file.path(), &limits).await.unwrap();
    assert_eq!((found.flags.as_slice(), found.pages), ([Flag::TooLarge].as_slice(), 0));
}

#[tokio::test]
async fn a_huge_image_costs_nothing() {
    let mut objects = page_objects(&[LINE]);
    objects[3] = objects[3].replace("/Resources<<", "/Resources<</XObject<</I 6 0 R>>");
    objects[4] = stream("", &format!("/I Do BT /F 8 Tf 20 700 Td ({LINE}) Tj ET"));
    let huge =
        "/Type/XObject/Subtype/Image/Width 2000000000/Height 2000000000/BitsPerComponent 16/ColorSpace/DeviceRGB";
    objects.push(stream(huge, "x"));
    let found = read(pdf(&objects), &Limits::default()).await;
    assert!(found.text.contains(LINE), "{found:?}");
}

#[tokio::test]
async fn a_page_tree_of_any_depth_ends() {
    let depth = 20_000;
    let mut objects = vec!["<</Type/Catalog/Pages 2 0 R>>".to_owned()];
    for i in 0..depth {
        objects.push(format!("<</Type/Pages/Count 1/Kids[{} 0 R]/MediaBox[0 0 9 9]>>", i + 3));
    }
    objects.push("<</Type/Page>>".to_owned());
    let found = read(pdf(&objects), &Limits::default()).await;
    assert!(!found.flags.is_empty(), "{found:?}");
}

#[tokio::test]
async fn a_page_tree_in_a_circle_ends() {
    let tree = "<</Type/Pages/Count 5/Kids[2 0 R 2 0 R]/MediaBox[0 0 9 9]>>".to_owned();
    let found = read(pdf(&["<</Type/Catalog/Pages 2 0 R>>".to_owned(), tree]), &Limits::default()).await;
    assert!(!found.flags.is_empty(), "{found:?}");
}

#[tokio::test]
async fn a_lie_about_pages_is_not_believed_for_long() {
    let mut objects = page_objects(&[LINE]);
    objects[1] = objects[1].replace("/Count 1", "/Count 2000000000");
    let limits = Limits { time: Duration::from_secs(5), ..Limits::default() };
    let found = read(pdf(&objects), &limits).await;
    assert!(!found.flags.is_empty() && found.pages < 2_000_000_000, "{} pages, {:?}", found.pages, found.flags);
}

#[tokio::test]
async fn too_little_memory_is_a_flag_of_the_document() {
    // Enough to start the program, not enough for a stream of 64 MiB that is kept whole.
    let limits = Limits { memory: 48 << 20, ..Limits::default() };
    let line = LINE.repeat(100);
    let found = read(pages(&vec![line.as_str(); 9_000]), &limits).await;
    assert!(!found.flags.is_empty(), "{} pages, {} chars", found.pages, found.chars);
}

#[tokio::test]
async fn many_at_once_do_not_mix() {
    let texts: Vec<String> = (0..24).map(|i| format!("{LINE}, number {i:03}")).collect();
    let found = join_all(texts.iter().map(|text| read(pages(&[text.as_str()]), &LIMITS))).await;
    for (text, found) in texts.iter().zip(found) {
        assert!(found.text.contains(text.as_str()) && found.flags.is_empty(), "{text}: {found:?}");
    }
}

const LIMITS: Limits = Limits {
    max_input: 1 << 20,
    max_text: 1 << 20,
    time: Duration::from_secs(60),
    cpu_seconds: 60,
    memory: 1 << 30,
    max_file: 0,
};
