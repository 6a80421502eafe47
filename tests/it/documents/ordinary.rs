//! What every document can be: read well, locked, broken, empty, or no PDF at all.

use super::made::{page_objects, pages, pdf, stream};
use crate::fixtures::made;
use docket::civic::document::{ExtractError, Extraction, Flag, Limits, extract, extract_file, extractor_version};
use std::{collections::BTreeSet, path::Path, process::Command};

pub(super) const LINE: &str = "Resolution 7: to accept the report on the water main in Elm Street";

async fn read(bytes: Vec<u8>) -> Extraction {
    extract(bytes, &Limits::default()).await.unwrap()
}

#[tokio::test]
async fn pages_characters_and_text() {
    let found = read(pages(&[LINE, "two\\) pages"])).await;
    assert_eq!((found.pages, found.flags.as_slice()), (2, [].as_slice()));
    assert!(found.text.contains(LINE) && found.text.contains("two) pages"), "{:?}", found.text);
    assert_eq!(found.text.matches('\x0c').count(), 2, "each page ends with a form feed");
    let letters = format!("{LINE}two) pages").replace(' ', "").len();
    assert_eq!(found.chars, letters as u64);
    assert_eq!(found.extractor, extractor_version().await.unwrap());
}

#[tokio::test]
async fn few_words_are_no_text_and_kept() {
    let found = read(pages(&["Page 1"])).await;
    assert_eq!((found.pages, found.chars, found.flags.as_slice()), (1, 5, [Flag::NoText].as_slice()));
    assert_eq!(found.text.trim(), "Page 1");
}

#[tokio::test]
async fn what_nobody_reads_is_told_whatever_its_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, flag) in [
        ("empty.pdf", b"".as_slice(), Flag::Empty),
        ("archive.pdf", b"PK\x03\x04 letter.txt", Flag::Unsupported),
        ("scan.pdf", b"II*\0 an image", Flag::Unsupported),
        ("notes.docx", b"{\\rtf1 notes}", Flag::Unsupported),
        ("zeros.pdf", &[0; 4_096], Flag::Unsupported),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let found = extract_file(&path, &Limits::default()).await.unwrap();
        assert_eq!((found.flags.as_slice(), found.pages, found.text.as_str()), ([flag].as_slice(), 0, ""), "{name}");
    }
}

#[tokio::test]
async fn a_header_alone_is_damaged() {
    let found = read(b"%PDF-1.7\n".to_vec()).await;
    assert_eq!(found.flags, [Flag::Damaged, Flag::NoText]);
}

#[tokio::test]
async fn a_damaged_file_is_read_as_far_as_it_can_be() {
    let whole = pages(&[LINE]);
    let start = whole.windows(5).rposition(|w| w == b"xref\n").unwrap();
    let without_table = read(whole[..start].to_vec()).await;
    assert_eq!((without_table.pages, without_table.flags.as_slice()), (1, [Flag::Damaged].as_slice()));
    assert!(without_table.text.contains(LINE));
    let mut shifted = whole.clone();
    shifted.splice(9..9, b"% a line that a mail program put in\n".iter().copied());
    let shifted = read(shifted).await;
    assert!(shifted.flags.contains(&Flag::Damaged) && shifted.text.contains(LINE), "{shifted:?}");
    let half = read(whole[..whole.len() / 3].to_vec()).await;
    assert!(half.flags.contains(&Flag::Damaged), "{half:?}");
}

#[tokio::test]
async fn bytes_before_the_header_and_after_the_end_are_no_damage() {
    let around = [b"\r\n".as_slice(), &pages(&[LINE]), b"\r\n\0\0"].concat();
    let found = read(around).await;
    assert_eq!((found.pages, found.flags.as_slice()), (1, [].as_slice()), "{:?}", found.text);
}

#[tokio::test]
async fn a_locked_document_is_flagged_and_its_pages_counted_where_they_can_be() {
    for (name, pages) in [("locked_plain_tree", 3), ("locked_hidden_tree", 0)] {
        let found = read(made(&format!("pdf/{name}.pdf"))).await;
        assert_eq!((found.pages, found.flags.as_slice()), (pages, [Flag::Encrypted].as_slice()), "{name}");
        assert_eq!((found.chars, found.text.as_str()), (0, ""), "{name}");
    }
    let found = read(made("pdf/owner_password_only.pdf")).await;
    assert_eq!((found.pages, found.flags.as_slice()), (3, [].as_slice()), "anyone may read it");
    assert!(found.text.contains("The words of a locked agenda"));
}

/// A font that is not embedded: its codes become characters by the tables of poppler-data only.
#[tokio::test]
async fn chinese_needs_the_tables_of_poppler_data() {
    let mut objects = page_objects(&["x"]);
    objects[2] = "<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/GBK-EUC-H/DescendantFonts[6 0 R]>>".into();
    // 会议议程 in GBK, 15 times.
    objects[4] = stream("", &format!("BT /F 8 Tf 20 700 Td <{}> Tj ET", "BBE1D2E9D2E9B3CC".repeat(15)));
    objects.push(
        "<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light\
         /CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 2>>\
         /FontDescriptor<</Type/FontDescriptor/FontName/STSong-Light/Flags 4>>>>"
            .into(),
    );
    let found = read(pdf(&objects)).await;
    assert_eq!((found.chars, found.flags.as_slice()), (60, [].as_slice()), "{:?}", found.text);
    assert!(found.text.contains("会议议程"));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.pdf");
    for (path, why) in [(missing.as_path(), "No such file"), (folder.path(), "not a regular file")] {
        let error = extract_file(path, &Limits::default()).await.unwrap_err().to_string();
        assert!(error.contains(why) && error.contains(&path.display().to_string()), "{error}");
    }
    // A device never ends.
    assert!(extract_file(Path::new("/dev/zero"), &Limits::default()).await.is_err());
}

#[tokio::test]
async fn what_is_printed_has_these_fields_only() {
    let json = serde_json::to_value(read(pages(&[LINE])).await).unwrap();
    let names: BTreeSet<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(["kind", "pages", "chars", "flags", "pages_quality", "links", "text"]));
    assert!(json["pages"].is_u64() && json["chars"].is_u64() && json["flags"].is_array() && json["text"].is_string());
}

/// The programs are looked for in `PATH`, which a process can't change safely while its threads run: another has none.
#[test]
fn a_missing_program_is_named_with_its_package() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "documents::ordinary::without_poppler", "--ignored", "--nocapture"])
        .env("PATH", folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("install the package poppler-utils"), "{text}");
}

#[tokio::test]
#[ignore = "run by another test, without poppler in PATH"]
async fn without_poppler() {
    let error = extract(pages(&[LINE]), &Limits::default()).await.unwrap_err();
    println!("{error}");
    assert!(matches!(error, ExtractError::Missing { program: "pdfinfo", .. }), "{error}");
}
