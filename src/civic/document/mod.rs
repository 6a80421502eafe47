//! Documents: what they are, and their text.
//!
//! Whoever publishes a PDF on a city's site chooses its bytes, so they are read by poppler's `pdftotext` in a child
//! process with limits on time, memory and output. A document that can't be read is a result with a flag, not an error.

mod child;
mod extract;
mod extraction;
mod structure;

pub use extract::{ExtractError, TEXT_ARGS, extract, extract_file, extractor_version};
pub use extraction::{Extraction, Flag, Limits};
