//! From bytes to text.

use super::{
    Extraction, Flag, Limits,
    child::{self, End, Outcome},
    structure,
};
use crate::telemetry::names;
use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Stdio,
};
use tempfile::NamedTempFile;
use tokio::{process::Command, sync::OnceCell, time::Instant};

/// Rises when the same poppler would give another text by what this module does.
const REVISION: u32 = 1;

/// What `pdftotext` is told besides the file. `-layout` keeps columns and gives the count of characters that `PyMuPDF`
/// gives: 0.1 % off at most on 24 agendas.
pub const TEXT_ARGS: [&str; 3] = ["-layout", "-enc", "UTF-8"];

/// Why a document could not even be tried. What is wrong with a document is a [`Flag`].
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// The program that reads PDFs is missing.
    #[error("can't run {program}: install the package {package} ({source})")]
    Missing {
        /// The program.
        program: &'static str,
        /// The Debian package that holds it.
        package: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The file can't be read.
    #[error("can't read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The tables that map Chinese, Japanese and Korean characters are missing: the text would silently lack them.
    #[error("can't read the document's characters: install the package poppler-data")]
    MissingTables,
    /// No temporary file, no process: the machine is at its end.
    #[error("can't hand the document to a child process: {0}")]
    Io(#[from] io::Error),
}

/// What reads documents here, such as `poppler-22.12.0/1`.
///
/// # Errors
/// When poppler's programs are missing.
pub async fn extractor_version() -> Result<&'static str, ExtractError> {
    static VERSION: OnceCell<String> = OnceCell::const_new();
    VERSION.get_or_try_init(probe).await.map(String::as_str)
}

async fn probe() -> Result<String, ExtractError> {
    let version = async |program| {
        let output = Command::new(program).arg("-v").stdin(Stdio::null()).kill_on_drop(true).output().await;
        output.map_err(|source| ExtractError::Missing { program, package: "poppler-utils", source })
    };
    version("pdfinfo").await?;
    let output = version("pdftotext").await?;
    let text = String::from_utf8_lossy(&output.stderr);
    let version = text.split_ascii_whitespace().skip_while(|word| *word != "version").nth(1).unwrap_or("unknown");
    Ok(format!("poppler-{version}/{REVISION}"))
}

/// Reads a file.
///
/// # Errors
/// When the file can't be read, or the machine lacks what reads it. A bad document is no error.
pub async fn extract_file(path: &Path, limits: &Limits) -> Result<Extraction, ExtractError> {
    let unreadable = |source| ExtractError::Read { path: path.to_owned(), source };
    let metadata = tokio::fs::metadata(path).await.map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(unreadable(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")));
    }
    if metadata.len() > limits.max_input as u64 {
        return Ok(Extraction {
            extractor: extractor_version().await?.to_owned(),
            ..Extraction::flagged(Flag::TooLarge)
        });
    }
    extract(tokio::fs::read(path).await.map_err(unreadable)?, limits).await
}

/// Reads a document.
///
/// # Errors
/// When the machine lacks what reads it. A bad document is no error: it is a result with flags.
pub async fn extract(bytes: Vec<u8>, limits: &Limits) -> Result<Extraction, ExtractError> {
    let started = Instant::now();
    let extractor = extractor_version().await?.to_owned();
    let extraction = match refuse(&bytes, limits) {
        Some(flag) => Extraction::flagged(flag),
        None => read(bytes, limits).await?,
    };
    metrics::histogram!(names::PDF_EXTRACTION_DURATION).record(started.elapsed().as_secs_f64());
    Ok(Extraction { extractor, ..extraction })
}

/// What needs no child process to be told.
fn refuse(bytes: &[u8], limits: &Limits) -> Option<Flag> {
    if bytes.is_empty() {
        Some(Flag::Empty)
    } else if bytes.len() > limits.max_input {
        Some(Flag::TooLarge)
    } else if structure::header(bytes).is_none() {
        Some(Flag::NotPdf)
    } else {
        None
    }
}

async fn read(bytes: Vec<u8>, limits: &Limits) -> Result<Extraction, ExtractError> {
    let (file, sound, counted) = tokio::task::spawn_blocking(move || {
        // Readable by this user only, and removed when dropped.
        let mut file = NamedTempFile::with_prefix("docket-")?;
        file.write_all(&bytes)?;
        Ok::<_, io::Error>((file.into_temp_path(), structure::is_sound(&bytes), structure::counted_pages(&bytes)))
    })
    .await
    .map_err(io::Error::other)??;
    let mut extraction = Extraction::default();
    if !sound {
        extraction.flag(Flag::Damaged);
    }
    let text = child::run("pdftotext", &TEXT_ARGS, &file, &["-"], limits).await?;
    if lacks_tables(&text.stderr) {
        return Err(ExtractError::MissingTables);
    }
    extraction.pages = counted.unwrap_or(0);
    if text.stderr.contains("Incorrect password") {
        extraction.flag(Flag::Encrypted);
        return Ok(extraction);
    }
    judge(&text, &mut extraction);
    extraction.set_text(&text.stdout);
    match pages_read(&text).filter(|read| counted.is_none_or(|counted| counted == *read)) {
        Some(read) => extraction.pages = read,
        None => count(&file, &text, limits, &mut extraction).await?,
    }
    Ok(extraction)
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
