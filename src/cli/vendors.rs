//! `docket vendors`

use super::{
    exit::{Failure, Outcome},
    input, output,
};
use crate::civic::{model::WebUrl, vendor::parse_file};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket vendors parse legistar events answer.json")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Parse a recorded answer of a vendor, without a network: meetings, items, warnings
    #[command(after_help = "Example: docket vendors parse legistar event-items - < answer.json")]
    Parse {
        /// legistar, primegov, granicus, civicplus or civicclerk
        vendor: String,
        /// Which answer: events, event-items or calendar (legistar), meetings (primegov), archive (granicus),
        /// agenda-center (civicplus), events or items (civicclerk)
        kind: String,
        /// File with the answer; - is standard input
        file: PathBuf,
        /// What its links are relative to, where the answer doesn't say
        #[arg(long, value_name = "URL", value_parser = |text: &str| WebUrl::parse(text))]
        base_url: Option<WebUrl>,
    },
}

/// Larger than any answer that the client takes.
const MAX: u64 = 64 << 20;

pub(super) fn run(args: &Args) -> Outcome {
    let Action::Parse { vendor, kind, file, base_url } = &args.action;
    let bytes = input::read(file, MAX)?;
    let report = parse_file(vendor, kind, &bytes, base_url.as_ref()).map_err(Failure::usage)?;
    output::document(&report, args.json)
}
