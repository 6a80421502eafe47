//! From bytes to text.

use super::{Extraction, Flag, Kind, Limits, Ocr, ocr, own, pdf, sniff};
use crate::telemetry::names;
use std::{
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::Stdio,
};
use tempfile::{NamedTempFile, TempPath};
use tokio::{process::Command, sync::OnceCell, time::Instant};

/// Rises when the same poppler would give another text by what this module does.
const REVISION: u32 = 2;
/// Bytes of a file that is too large, by which its kind is told.
const HEAD: u64 = 64 << 10;

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

/// Reads documents.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// What one document may cost.
    pub limits: Limits,
    /// Pages without text are read from their image; none: they are not.
    pub ocr: Option<Ocr>,
}

impl Reader {
    /// What reads documents here, such as `poppler-22.12.0/2`, or `poppler-22.12.0/2+tesseract-5.3.0/eng`: texts that
    /// different programs found are kept apart.
    ///
    /// # Errors
    /// When poppler's programs are missing.
    pub async fn version(&self) -> Result<String, ExtractError> {
        let version = extractor_version().await?;
        Ok(match self.usable_ocr().await {
            Some((ocr, tesseract)) => format!("{version}+{tesseract}/{}", ocr.language),
            None => version.to_owned(),
        })
    }

    /// None: it is off, or what it needs is missing.
    async fn usable_ocr(&self) -> Option<(&Ocr, String)> {
        let ocr = self.ocr.as_ref()?;
        Some((ocr, ocr::usable(&ocr.language).await?))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When the file can't be read, or the machine lacks what reads it. A bad document is no error.
    pub async fn read_file(&self, path: &Path) -> Result<Extraction, ExtractError> {
        let unreadable = |source| ExtractError::Read { path: path.to_owned(), source };
        let metadata = tokio::fs::metadata(path).await.map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(unreadable(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")));
        }
        if metadata.len() <= self.limits.max_input as u64 {
            return self.read(tokio::fs::read(path).await.map_err(unreadable)?).await;
        }
        let mut head = Vec::new();
        std::fs::File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head)).map_err(unreadable)?;
        let extractor = self.version().await?;
        Ok(Extraction { extractor, kind: sniff(&head), ..Extraction::flagged(Flag::TooLarge) })
    }

    /// Reads a document.
    ///
    /// # Errors
    /// When the machine lacks what reads it. A bad document is no error: it is a result with flags.
    pub async fn read(&self, bytes: Vec<u8>) -> Result<Extraction, ExtractError> {
        let started = Instant::now();
        let extractor = self.version().await?;
        let kind = sniff(&bytes);
        let extraction = match kind {
            Kind::Empty => Extraction::flagged(Flag::Empty),
            _ if bytes.len() > self.limits.max_input => Extraction::flagged(Flag::TooLarge),
            Kind::Pdf => {
                let ocr = self.usable_ocr().await.map(|(ocr, _)| ocr);
                Box::pin(pdf::read(bytes, &self.limits, ocr)).await?
            }
            kind if own::reads(kind) => {
                let file = tokio::task::spawn_blocking(move || stored(&bytes)).await.map_err(io::Error::other)??;
                own::read(kind, &file, &self.limits).await?
            }
            _ => Extraction::flagged(Flag::Unsupported),
        };
        metrics::histogram!(names::PDF_EXTRACTION_DURATION).record(started.elapsed().as_secs_f64());
        Ok(Extraction { extractor, kind, ..extraction })
    }
}

/// A file for a child: readable by this user only, and removed when dropped.
pub(super) fn stored(bytes: &[u8]) -> io::Result<TempPath> {
    let mut file = NamedTempFile::with_prefix("docket-")?;
    file.write_all(bytes)?;
    Ok(file.into_temp_path())
}

/// What reads documents here without reading images: see [`Reader::version`].
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

/// Reads a file, without reading images.
///
/// # Errors
/// As [`Reader::read_file`].
pub async fn extract_file(path: &Path, limits: &Limits) -> Result<Extraction, ExtractError> {
    Reader { limits: *limits, ocr: None }.read_file(path).await
}

/// Reads a document, without reading images.
///
/// # Errors
/// As [`Reader::read`].
pub async fn extract(bytes: Vec<u8>, limits: &Limits) -> Result<Extraction, ExtractError> {
    Reader { limits: *limits, ocr: None }.read(bytes).await
}
