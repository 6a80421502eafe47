//! `docket documents`

use super::{
    exit::{Failure, Outcome},
    input, output,
};
use crate::{
    civic::document::{ExtractError, Kind, Reader, read_child},
    config::{self, Environment},
};
use clap::{Parser, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket documents extract agenda.pdf")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Read a PDF, a Word file, a page or a text: its kind, pages, characters, flags, the quality of each page, text. A bad
    /// document has flags, and is no error
    #[command(after_help = "Example: docket documents extract agenda.pdf --json")]
    Extract {
        /// The document; - is standard input
        file: PathBuf,
    },
    /// What a worker starts for each document that is no PDF: one line of JSON, then the text
    #[command(hide = true, after_help = "Example: docket documents read-child html page.html")]
    ReadChild {
        /// What the file is
        kind: ChildKind,
        /// The document
        file: PathBuf,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ChildKind {
    Html,
    Docx,
    Text,
}

impl Args {
    /// The file of a child's work, and what it is. Such a run reads no configuration and starts no thread.
    pub(super) fn child(&self) -> Option<(Kind, &Path)> {
        let Action::ReadChild { kind, file } = &self.action else { return None };
        let kind = match kind {
            ChildKind::Html => Kind::Html,
            ChildKind::Docx => Kind::Docx,
            ChildKind::Text => Kind::Text,
        };
        Some((kind, file))
    }
}

/// A child's work.
pub(super) fn child(kind: Kind, file: &Path) -> Outcome {
    read_child(kind, file, std::io::stdout().lock()).map_err(Failure::internal)
}

pub(super) async fn run(args: Args, env: &Environment) -> Outcome {
    if let Some((kind, file)) = args.child() {
        return child(kind, file);
    }
    let Action::Extract { file } = args.action else { return Ok(()) };
    let reader = Reader { ocr: config::ocr(env)?, ..Reader::default() };
    let extraction = if file == Path::new("-") {
        let bytes = input::read(&file, reader.limits.max_input as u64)?;
        Box::pin(reader.read(bytes)).await
    } else {
        Box::pin(reader.read_file(&file)).await
    };
    let extraction = extraction.map_err(|error| match error {
        ExtractError::Read { .. } => Failure::usage(error),
        other => Failure::internal(other),
    })?;
    output::document(&extraction, args.json)
}
