//! Text that a page shows and doesn't give: a font may draw letters whose codes mean nothing.

use super::{
    Limits, Method, PageQuality, Quality,
    child::{self, End},
    extraction::MIN_TEXT_CHARS,
};
use std::{
    fs::File,
    io::{self, BufReader},
    path::Path,
    time::Duration,
};
use tokio::time::Instant;

/// Pages of one document that are drawn: a document that loses its text does so from the first page on.
const MAX_PAGES: usize = 10;
/// Largest drawing of a page, in bytes; an image in it counts too.
const MAX_DRAWING: u64 = 32 << 20;
/// Time for all of them together.
const TIME: Duration = Duration::from_secs(30);
/// Fewer letters are a page number, or a signature.
const MIN_GLYPHS: u32 = 50;

/// Marks pages that show far more letters than they gave characters.
pub(super) async fn look(file: &Path, pages: &mut [PageQuality], limits: &Limits) -> io::Result<()> {
    let few = |page: &PageQuality| u64::from(page.chars) < MIN_TEXT_CHARS;
    let suspects: Vec<usize> = (0..pages.len()).filter(|at| few(&pages[*at])).take(MAX_PAGES).collect();
    if suspects.is_empty() || !has_fonts(file, limits).await? {
        return Ok(());
    }
    let started = Instant::now();
    for at in suspects {
        let Some(left) = TIME.min(limits.time).checked_sub(started.elapsed()) else { return Ok(()) };
        let glyphs = drawn(file, at + 1, &Limits { time: left, max_file: MAX_DRAWING, ..*limits }).await?;
        let page = &mut pages[at];
        if glyphs >= MIN_GLYPHS && page.chars.saturating_mul(4) < glyphs {
            page.lost_text = true;
            page.quality = Quality::Garbage;
            page.method = if page.chars == 0 { Method::None } else { Method::Text };
        }
    }
    Ok(())
}

/// A scan has no fonts, and takes longest to draw.
async fn has_fonts(file: &Path, limits: &Limits) -> io::Result<bool> {
    let bounded = Limits { max_text: 64 << 10, time: limits.time / 4, ..*limits };
    let fonts = child::run("pdffonts", &[], file, &[], &bounded).await?;
    // Two lines head the list. A list that is too long has some.
    Ok(String::from_utf8_lossy(&fonts.stdout).lines().count() > 2)
}

/// Letters that a page draws, at least: as a drawing in which each is the use of a shape.
async fn drawn(file: &Path, page: usize, limits: &Limits) -> io::Result<u32> {
    let folder = tempfile::Builder::new().prefix("docket-").tempdir()?;
    let to = folder.path().join("page.svg");
    let (page, target) = (page.to_string(), to.to_string_lossy().into_owned());
    let outcome = child::run("pdftocairo", &["-svg", "-f", &page, "-l", &page], file, &[&target], limits).await?;
    if outcome.end != End::Exited(0) {
        return Ok(0);
    }
    tokio::task::spawn_blocking(move || {
        let counted = File::open(&to).and_then(|file| uses(BufReader::new(file)));
        drop(folder);
        counted
    })
    .await
    .map_err(io::Error::other)?
}

/// Uses of shapes of letters.
fn uses(mut drawing: impl io::Read) -> io::Result<u32> {
    const MARK: &[u8] = b"href=\"#glyph";
    let mut chunk = vec![0; 64 << 10];
    let (mut kept, mut count) = (0, 0_u32);
    loop {
        let read = drawing.read(&mut chunk[kept..])?;
        let end = kept + read;
        let found = chunk[..end].windows(MARK.len()).filter(|window| *window == MARK).count();
        count = count.saturating_add(u32::try_from(found).unwrap_or(u32::MAX));
        if read == 0 {
            return Ok(count);
        }
        // A mark may lie across two chunks; a whole one never is in what is kept.
        let next = end.min(MARK.len() - 1);
        chunk.copy_within(end - next..end, 0);
        kept = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_use_of_a_letter_is_counted_once() {
        let letter = "<g><use xlink:href=\"#glyph-0-1\" x=\"20\"/></g>";
        let drawing = format!("<svg><use xlink:href=\"#source-5\"/>{}</svg>", letter.repeat(5_000));
        assert_eq!(uses(drawing.as_bytes()).unwrap(), 5_000);
        assert_eq!(uses(b"".as_slice()).unwrap(), 0);
    }
}
