//! A PDF: poppler's text, then what it says of the pages.

use super::{
    ExtractError, Extraction, Flag, Limits, Link, Method, Ocr, PageQuality, TEXT_ARGS,
    child::{self, End, Outcome},
    extract::Pieces,
    glyphs,
    link::MAX_LINKS,
    ocr, structure,
};
use std::{fs::File, io, path::Path};

/// A document of so many pages may be a cover sheet: the documents are behind its links.
const COVER_PAGES: u32 = 3;
/// Pages that are judged each for itself when the text is shorter than the page tree says.
const MAX_PAGES: usize = 10_000;

/// Reads a PDF of `len` bytes.
pub(super) async fn read(
    file: &Path,
    len: usize,
    limits: &Limits,
    ocr: Option<&Ocr>,
) -> Result<Extraction, ExtractError> {
    let open = file.to_owned();
    let looked = tokio::task::spawn_blocking(move || {
        let mut pieces = Pieces(File::open(open)?);
        Ok::<_, io::Error>(structure::look(len, &mut |at, len| pieces.read(at, len)))
    });
    let skeleton = looked.await.map_err(io::Error::other)??;
    let counted = skeleton.pages;
    let mut extraction = Extraction::default();
    if !skeleton.is_sound {
        extraction.flag(Flag::Damaged);
    }
    let mut text = child::run("pdftotext", &TEXT_ARGS, file, &["-"], limits).await?;
    if lacks_tables(&text.stderr) {
        return Err(ExtractError::MissingTables);
    }
    extraction.pages = counted.unwrap_or(0);
    if text.stderr.contains("Incorrect password") {
        extraction.flag(Flag::Encrypted);
        return Ok(extraction);
    }
    judge(&text, &mut extraction);
    let read = pages_read(&text).filter(|read| counted.is_none_or(|counted| counted == *read));
    extraction.set_text(std::mem::take(&mut text.stdout));
    match read {
        Some(read) => extraction.pages = read,
        None => count(file, &text, limits, &mut extraction).await?,
    }
    pad(&mut extraction);
    // What used up its time or its memory is not given more.
    if text.end == End::Exited(0) {
        glyphs::look(file, &mut extraction.pages_quality, limits).await?;
        extraction.settle();
        if let Some(ocr) = ocr {
            ocr::read(file, &mut extraction, ocr, limits).await?;
        }
        if (1..=COVER_PAGES).contains(&extraction.pages) {
            extraction.links = links(file, limits).await?;
        }
    }
    Ok(extraction)
}

/// Pages that the text does not tell of have none.
fn pad(extraction: &mut Extraction) {
    let pages = usize::try_from(extraction.pages).unwrap_or(usize::MAX).min(MAX_PAGES);
    if extraction.pages_quality.len() < pages {
        extraction.pages_quality.resize(pages, PageQuality::of("", Method::None));
    }
}

/// Pages that were written: each ends with a form feed, at the beginning of a line. None: they may not be all, or not pages.
fn pages_read(text: &Outcome) -> Option<u32> {
    let is_whole = text.end == End::Exited(0) && !tells_damage(&text.stderr);
    let feeds = || text.stdout.iter().enumerate().filter(|(_, byte)| **byte == FORM_FEED).map(|(at, _)| at);
    let is_end = |at: usize| at.checked_sub(1).is_none_or(|before| matches!(text.stdout[before], b'\n' | FORM_FEED));
    let pages = u32::try_from(feeds().count()).unwrap_or(u32::MAX);
    (is_whole && pages > 0 && feeds().all(is_end)).then_some(pages)
}

const FORM_FEED: u8 = 0x0c;

/// Asks `pdfinfo` for the pages of a document whose text tells them badly. One that used its whole time is not given as much
/// once more.
async fn count(file: &Path, text: &Outcome, limits: &Limits, extraction: &mut Extraction) -> io::Result<()> {
    let is_slow = text.end == End::TimedOut;
    let shorter = Limits { time: limits.time / 4, cpu_seconds: (limits.cpu_seconds / 4).max(1), ..*limits };
    let info = child::run("pdfinfo", &["-enc", "UTF-8"], file, &[], if is_slow { &shorter } else { limits }).await?;
    if let Some(pages) = pages(&info.stdout) {
        extraction.pages = pages;
    }
    if !is_slow {
        judge(&info, extraction);
    }
    Ok(())
}

/// Flags what a run's end and its messages tell.
fn judge(outcome: &Outcome, extraction: &mut Extraction) {
    match outcome.end {
        End::TimedOut => extraction.flag(Flag::Timeout),
        End::TooMuchOutput => extraction.flag(Flag::TooLarge),
        // Poppler's exit code for a document that forbids copying.
        End::Exited(3) => extraction.flag(Flag::Encrypted),
        End::Exited(0) if !tells_damage(&outcome.stderr) => {}
        End::Exited(_) | End::Crashed if out_of_memory(&outcome.stderr) => extraction.flag(Flag::TooLarge),
        End::Exited(_) | End::Crashed => extraction.flag(Flag::Damaged),
    }
}

/// Messages about the document's skeleton. Others (a font, an image) are common in documents that read well.
fn tells_damage(stderr: &str) -> bool {
    let words =
        ["xref", "trailer", "Catalog", "catalog", "page tree", "Page count", "Pages tree", "Kid object", "create page"];
    words.iter().any(|word| stderr.contains(word))
}

/// True for the character sets of poppler-data only: a document may name any other, which is then its own fault.
fn lacks_tables(stderr: &str) -> bool {
    ["GB1", "CNS1", "Japan1", "Korea1"]
        .iter()
        .any(|set| stderr.contains(&format!("Missing language pack for 'Adobe-{set}' mapping")))
}

fn out_of_memory(stderr: &str) -> bool {
    ["Out of memory", "bad_alloc", "Bogus memory allocation"].iter().any(|words| stderr.contains(words))
}

/// The last line counts: a title printed before it may hold a line of the same look.
fn pages(stdout: &[u8]) -> Option<u32> {
    let text = String::from_utf8_lossy(stdout);
    text.lines().rev().find_map(|line| line.strip_prefix("Pages:")?.trim().parse().ok())
}

/// Where the annotations of its pages lead. A document whose links can't be listed has none.
async fn links(file: &Path, limits: &Limits) -> io::Result<Vec<Link>> {
    let bounded = Limits { max_text: 1 << 20, time: limits.time / 4, ..*limits };
    let info = child::run("pdfinfo", &["-url"], file, &[], &bounded).await?;
    let text = String::from_utf8_lossy(&info.stdout);
    let mut links: Vec<Link> = Vec::new();
    for href in text.lines().filter_map(annotation) {
        if links.len() < MAX_LINKS && super::is_document(href) && links.iter().all(|link| link.href != href) {
            links.push(Link::new(href, "", false));
        }
    }
    Ok(links)
}

/// `   1  Annotation    https://…`
fn annotation(line: &str) -> Option<&str> {
    line.trim_start()
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .trim_start()
        .strip_prefix("Annotation")
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_annotations_holds_an_address() {
        assert_eq!(annotation("   1  Annotation    https://city.example/a.pdf"), Some("https://city.example/a.pdf"));
        assert_eq!(annotation("Page  Type          URL"), None);
        assert_eq!(annotation(""), None);
    }
}
