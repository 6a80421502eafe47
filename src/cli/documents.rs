//! `docket documents`

use super::{
    exit::{Failure, Outcome},
    input, output,
};
use crate::civic::document::{ExtractError, Limits, extract, extract_file};
use clap::{Parser, Subcommand};
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
    /// Read a PDF: pages, characters, flags, text. A bad document has flags, and is no error
    #[command(after_help = "Example: docket documents extract agenda.pdf --json")]
    Extract {
        /// The document; - is standard input
        file: PathBuf,
    },
}

pub(super) async fn run(args: Args) -> Outcome {
    let Action::Extract { file } = args.action;
    let limits = Limits::default();
    let extraction = if file == Path::new("-") {
        let bytes = input::read(&file, limits.max_input as u64)?;
        extract(bytes, &limits).await
    } else {
        extract_file(&file, &limits).await
    };
    let extraction = extraction.map_err(|error| match error {
        ExtractError::Read { .. } => Failure::usage(error),
        other => Failure::internal(other),
    })?;
    output::document(&extraction, args.json)
}
