//! Documents: what they are, and their text.
//!
//! Whoever publishes a document on a city's site chooses its bytes, so each is read in a child process with limits on time,
//! memory, output and files: a PDF by poppler, a page of the web, a Word file or a plain text by this program itself. What a
//! document is, its bytes tell. One that can't be read is a result with a flag, not an error.

mod child;
mod extract;
mod extraction;
mod glyphs;
mod link;
mod ocr;
mod own;
mod pdf;
mod printed;
mod quality;
mod sniff;
mod structure;

pub use extract::{ExtractError, Reader, TEXT_ARGS, extract, extract_file, extractor_version};
pub use extraction::{Extraction, Flag, Limits};
pub use link::{Link, MAX_TARGETS, is_document, targets};
pub use ocr::{Ocr, OcrState, ocr_state};
pub use own::read_child;
pub use printed::PrintedLine;
pub use quality::{Method, PageQuality, Quality, is_garbage};
pub use sniff::{Kind, sniff};
