//! What each page's text is worth, and text that a page shows and doesn't give.

use super::{
    made::{page_objects, pages, pdf, stream},
    ordinary::LINE,
};
use docket::civic::document::{Extraction, Flag, Limits, Method, Ocr, OcrState, Quality, Reader, extract, ocr_state};
use std::process::Command;

async fn read(bytes: Vec<u8>) -> Extraction {
    extract(bytes, &Limits::default()).await.unwrap()
}

/// Pages whose letters mean what `meaning` says, by a table in the font.
fn mapped(lines: &[&str], meaning: impl Fn(u8) -> u16) -> Vec<u8> {
    let mut objects = page_objects(lines);
    let list: String = (0x20..=0x7e).map(|code| format!("<{:04X}> ", meaning(code))).collect();
    objects[2] = format!("<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode {} 0 R>>", objects.len() + 1);
    objects.push(stream(
        "",
        &format!(
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n\
             1 begincodespacerange <00> <FF> endcodespacerange\n1 beginbfrange <20> <7E> [{list}] endbfrange\n\
             endcmap end end"
        ),
    ));
    pdf(&objects)
}

fn qualities(found: &Extraction) -> Vec<(Method, Quality, bool)> {
    found.pages_quality.iter().map(|page| (page.method, page.quality, page.lost_text)).collect()
}

#[tokio::test]
async fn each_page_tells_what_it_gave() {
    let found = read(pages(&[LINE, "", "Page 3"])).await;
    assert_eq!((found.pages, found.flags.as_slice()), (3, [].as_slice()));
    let want = [
        (Method::Text, Quality::Text, false),
        (Method::None, Quality::None, false),
        (Method::Text, Quality::Text, false),
    ];
    assert_eq!(qualities(&found), want);
    let chars: u64 = found.pages_quality.iter().map(|page| u64::from(page.chars)).sum();
    assert_eq!(chars, found.chars);
}

#[tokio::test]
async fn letters_that_mean_nothing_are_lost_text_and_told() {
    let found = read(mapped(&[LINE, LINE], |_| 0x20)).await;
    assert_eq!(found.flags, [Flag::NoText, Flag::LostText], "{:?}", found.text);
    assert_eq!(qualities(&found), [(Method::None, Quality::Garbage, true); 2]);
    let found = read(pages(&["Page 1"])).await;
    assert_eq!(found.flags, [Flag::NoText], "a page that shows little has lost nothing");
}

#[tokio::test]
async fn letters_of_private_use_are_garbage() {
    let found = read(mapped(&[LINE, LINE], |code| 0xe000 + u16::from(code))).await;
    assert_eq!(found.flags, [Flag::Garbage], "{:?}", found.text);
    assert_eq!(qualities(&found), [(Method::Text, Quality::Garbage, false); 2]);
}

#[tokio::test]
async fn a_cover_sheet_tells_where_it_leads_and_a_report_does_not() {
    let linked = |lines: &[&str]| {
        let mut objects = page_objects(lines);
        let link = "/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(https://city.example/contract.pdf)>>>>\
                    <</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(https://city.example/)>>>>]";
        objects[3] = objects[3].replace("/Parent", &format!("{link}/Parent"));
        pdf(&objects)
    };
    let hrefs = |found: &Extraction| found.links.iter().map(|link| link.href.clone()).collect::<Vec<_>>();
    assert_eq!(hrefs(&read(linked(&[LINE])).await), ["https://city.example/contract.pdf"]);
    assert!(read(linked(&[LINE; 4])).await.links.is_empty());
}

/// An image of a page, as a scanner makes it: poppler's picture of the text, inside another PDF.
fn scan(line: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (text, image) = (folder.path().join("text.pdf"), folder.path().join("page"));
    let mut objects = page_objects(&["x"]);
    objects[4] = stream("", &format!("BT /F 14 Tf 40 600 Td ({line}) Tj ET"));
    std::fs::write(&text, pdf(&objects)).unwrap();
    let done =
        Command::new("pdftoppm").args(["-r", "200", "-jpeg", "-singlefile"]).args([&text, &image]).status().unwrap();
    assert!(done.success());
    let jpeg = std::fs::read(image.with_extension("jpg")).unwrap();
    // As hexadecimal digits: the writer of these files knows text only.
    let hex: String = jpeg.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + ">";
    let mut objects = page_objects(&["x"]);
    objects[3] = objects[3].replace("/Resources<<", "/Resources<</XObject<</I 6 0 R>>");
    objects[4] = stream("", "q 612 0 0 792 0 0 cm /I Do Q");
    objects.push(stream(
        "/Type/XObject/Subtype/Image/Width 1700/Height 2200/BitsPerComponent 8/ColorSpace/DeviceRGB/Filter[/ASCIIHexDecode/DCTDecode]",
        &hex,
    ));
    pdf(&objects)
}

#[tokio::test]
async fn a_scan_is_read_where_it_may_be_and_kept_apart_from_what_was_not() {
    let scan = scan(LINE);
    let plain = read(scan.clone()).await;
    assert_eq!((plain.flags.as_slice(), plain.pages), ([Flag::NoText].as_slice(), 1));
    assert_eq!(qualities(&plain), [(Method::None, Quality::None, false)]);
    let OcrState::Usable(tesseract) = ocr_state("eng").await else {
        eprintln!("SKIPPED: tesseract is not installed with its English, so no image is read");
        return;
    };
    let reader = Reader { ocr: Some(Ocr { language: "eng".into(), max_pages: 5 }), ..Reader::default() };
    let found = reader.read(scan).await.unwrap();
    assert!(found.text.contains("accept the report on the water main"), "{:?}", found.text);
    assert_eq!((found.flags.as_slice(), found.pages), ([].as_slice(), 1));
    assert_eq!(qualities(&found), [(Method::Ocr, Quality::Ocr, false)]);
    assert_eq!(found.extractor, format!("{}+{tesseract}/eng", plain.extractor));

    // A font without meaning is read from its image too; pages over the limit are not.
    let lost = reader.read(mapped(&[LINE; 7], |_| 0x20)).await.unwrap();
    assert_eq!(lost.pages_quality.iter().filter(|page| page.method == Method::Ocr).count(), 5);
    assert_eq!(lost.flags, [Flag::LostText], "two pages are still lost");

    // Without the language it is as if it were off.
    let elsewhere = Reader { ocr: Some(Ocr { language: "tlh".into(), max_pages: 5 }), ..Reader::default() };
    assert_eq!(elsewhere.version().await.unwrap(), plain.extractor);
    assert_eq!(ocr_state("eng+tlh").await, OcrState::NoLanguage("tlh".into()));
}
