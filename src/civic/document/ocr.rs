//! Pages without text, read from their image.

use super::{
    Extraction, Limits, Method, PageQuality, Quality,
    child::{self, End},
    extraction::MIN_TEXT_CHARS,
};
use std::{io, path::Path, process::Stdio, time::Duration};
use tokio::{process::Command, sync::OnceCell, time::Instant};

/// Dots an inch: what the program's makers ask for at least is 300 for small print; 200 reads agendas, in half the time.
const RESOLUTION: &str = "200";
/// Largest image of a page: a letter page has 3.7 MB, a plan of a square yard 50.
const MAX_IMAGE: u64 = 64 << 20;
/// Largest text of a page.
const MAX_TEXT: usize = 256 << 10;
/// Time for all pages of one document: with what else a document may take it stays within the job's deadline.
const TIME: Duration = Duration::from_secs(90);

/// How pages without text are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ocr {
    /// Languages as tesseract names them, such as `eng` or `eng+spa`.
    pub language: String,
    /// Pages of one document that are read, at most.
    pub max_pages: u32,
}

/// What of tesseract is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OcrState {
    /// It is there, and reads the language: such as `tesseract-5.3.0`.
    Usable(String),
    /// It is there without the language.
    NoLanguage(String),
    /// It is not there.
    Missing,
}

/// Whether tesseract is here, and reads a language.
pub async fn ocr_state(language: &str) -> OcrState {
    static FOUND: OnceCell<Option<(String, Vec<String>)>> = OnceCell::const_new();
    let Some((version, languages)) = FOUND.get_or_init(probe).await else { return OcrState::Missing };
    match language.split('+').find(|wanted| !languages.iter().any(|known| known == wanted)) {
        None => OcrState::Usable(version.clone()),
        Some(missing) => OcrState::NoLanguage(missing.to_owned()),
    }
}

/// The version, if it can be used.
pub(super) async fn usable(language: &str) -> Option<String> {
    match ocr_state(language).await {
        OcrState::Usable(version) => Some(version),
        OcrState::NoLanguage(_) | OcrState::Missing => None,
    }
}

async fn probe() -> Option<(String, Vec<String>)> {
    let said = async |argument| {
        let output =
            Command::new("tesseract").arg(argument).stdin(Stdio::null()).kill_on_drop(true).output().await.ok()?;
        // Older ones tell on standard error.
        Some(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let (version, languages) = (said("--version").await?, said("--list-langs").await?);
    let version = version.split_ascii_whitespace().skip_while(|word| *word != "tesseract").nth(1)?.to_owned();
    Some((format!("tesseract-{version}"), languages.lines().map(|line| line.trim().to_owned()).collect()))
}

/// Reads the pages of a document that gave no usable text. A page that can't be read stays as it is.
pub(super) async fn read(file: &Path, extraction: &mut Extraction, ocr: &Ocr, limits: &Limits) -> io::Result<()> {
    // A scan may carry the number of its page as text.
    let poor = |at: &usize| {
        let page = &extraction.pages_quality[*at];
        page.is_poor() || u64::from(page.chars) < MIN_TEXT_CHARS
    };
    let most = usize::try_from(ocr.max_pages).unwrap_or(usize::MAX);
    let pages: Vec<usize> = (0..extraction.pages_quality.len()).filter(poor).take(most).collect();
    if pages.is_empty() {
        return Ok(());
    }
    let mut texts: Vec<String> =
        extraction.text.strip_suffix('\x0c').unwrap_or(&extraction.text).split('\x0c').map(Into::into).collect();
    texts.resize(texts.len().max(extraction.pages_quality.len()), String::new());
    let started = Instant::now();
    for at in pages {
        let Some(left) = TIME.checked_sub(started.elapsed()) else { break };
        // A page is the work of two programs.
        let bounded = Limits { time: limits.time.min(left / 2), max_file: MAX_IMAGE, max_text: MAX_TEXT, ..*limits };
        let Some(text) = page(file, at + 1, ocr, &bounded).await? else { continue };
        let quality = PageQuality::of(&text, Method::Ocr);
        let known = &mut extraction.pages_quality[at];
        // An image of nothing gives noise; what the page had, if little, was right.
        let is_better = known.is_poor() || quality.chars / 2 > known.chars;
        if quality.quality == Quality::Ocr && is_better {
            *known = quality;
            texts[at] = text;
        }
    }
    extraction.text = texts.iter().flat_map(|text| [text.as_str(), "\x0c"]).collect();
    extraction.settle();
    Ok(())
}

/// The text of one page's image. None: it could not be drawn, or read, within the limits.
async fn page(file: &Path, number: usize, ocr: &Ocr, limits: &Limits) -> io::Result<Option<String>> {
    let folder = tempfile::Builder::new().prefix("docket-").tempdir()?;
    let root = folder.path().join("page");
    let (number, target) = (number.to_string(), root.to_string_lossy().into_owned());
    let args = ["-r", RESOLUTION, "-gray", "-singlefile", "-f", &number, "-l", &number];
    let drawn = child::run("pdftoppm", &args, file, &[&target], limits).await?;
    let image = root.with_extension("pgm");
    if drawn.end != End::Exited(0) || !image.is_file() {
        return Ok(None);
    }
    let read = child::run("tesseract", &[], &image, &["stdout", "-l", &ocr.language], limits).await?;
    if read.end != End::Exited(0) {
        return Ok(None);
    }
    // It ends a page with a form feed of its own.
    Ok(Some(String::from_utf8_lossy(&read.stdout).replace(['\x0c', '\0'], "")))
}
