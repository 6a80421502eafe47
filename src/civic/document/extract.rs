//! From bytes to text.

use super::{
    Extraction, Flag, Kind, Limits, Ocr, ocr, own, pdf,
    sniff::{sniff, sniff_pieces},
};
use crate::telemetry::names;
use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    process::Stdio,
};
use tempfile::{NamedTempFile, TempPath};
use tokio::{process::Command, sync::OnceCell, time::Instant};

/// Rises when the same poppler would give another text by what this module does.
const REVISION: u32 = 2;

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

    /// Reads a file. It is never in memory as a whole.
    ///
    /// # Errors
    /// When the file can't be read, or the machine lacks what reads it. A bad document is no error.
    pub async fn read_file(&self, path: &Path) -> Result<Extraction, ExtractError> {
        let started = Instant::now();
        // A name that begins with a dash would be an option of the programs that read it.
        let path = &std::path::absolute(path)?;
        let unreadable = |source| ExtractError::Read { path: path.clone(), source };
        let metadata = tokio::fs::metadata(path).await.map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(unreadable(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")));
        }
        let len = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
        let open = path.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let mut pieces = Pieces(File::open(open)?);
            Ok::<_, io::Error>(sniff_pieces(len, &mut |at, len| pieces.read(at, len)))
        });
        let kind = looked.await.map_err(io::Error::other)?.map_err(unreadable)?;
        let extractor = self.version().await?;
        let extraction = match refuse(kind, len, &self.limits) {
            Some(flag) => Extraction::flagged(flag),
            None => self.read_kind(kind, path, len).await?,
        };
        metrics::histogram!(names::PDF_EXTRACTION_DURATION).record(started.elapsed().as_secs_f64());
        Ok(Extraction { extractor, kind, ..extraction })
    }

    /// Reads a document.
    ///
    /// # Errors
    /// When the machine lacks what reads it. A bad document is no error: it is a result with flags.
    pub async fn read(&self, bytes: Vec<u8>) -> Result<Extraction, ExtractError> {
        let kind = sniff(&bytes);
        if let Some(flag) = refuse(kind, bytes.len(), &self.limits) {
            let extractor = self.version().await?;
            return Ok(Extraction { extractor, kind, ..Extraction::flagged(flag) });
        }
        let file = tokio::task::spawn_blocking(move || stored(&bytes)).await.map_err(io::Error::other)??;
        self.read_file(&file).await
    }

    async fn read_kind(&self, kind: Kind, file: &Path, len: usize) -> Result<Extraction, ExtractError> {
        if kind != Kind::Pdf {
            return Ok(own::read(kind, file, &self.limits).await?);
        }
        let ocr = self.usable_ocr().await.map(|(ocr, _)| ocr);
        Box::pin(pdf::read(file, len, &self.limits, ocr)).await
    }
}

/// What needs no child process to be told.
fn refuse(kind: Kind, len: usize, limits: &Limits) -> Option<Flag> {
    match kind {
        Kind::Empty => Some(Flag::Empty),
        _ if len > limits.max_input => Some(Flag::TooLarge),
        kind if kind == Kind::Pdf || own::reads(kind) => None,
        _ => Some(Flag::Unsupported),
    }
}

/// A file, read at places. What can't be read is not there: the child that reads it will say so.
pub(super) struct Pieces(pub(super) File);

impl Pieces {
    pub(super) fn read(&mut self, at: usize, len: usize) -> Vec<u8> {
        let mut piece = Vec::new();
        let sought = self.0.seek(SeekFrom::Start(at as u64));
        let _ = sought.and_then(|_| (&self.0).take(len as u64).read_to_end(&mut piece));
        piece
    }
}

/// A file for a child: readable by this user only, and removed when dropped.
fn stored(bytes: &[u8]) -> io::Result<TempPath> {
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
