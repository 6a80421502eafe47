//! `docket agendas`

use super::{
    client,
    exit::{Failure, Outcome},
    input, output,
};
use crate::{
    civic::{
        agenda::{AgendaItem, SEGMENTER, Segmented, Suspect, attached, parsed_items, segment},
        document::{ExtractError, Link, PrintedLine, Reader},
        store::segments::{self, Reading},
    },
    config::Environment,
};
use clap::{Parser, Subcommand};
use serde_json::{Value, json};
use std::{
    io::Write,
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket agendas segment agenda.pdf")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the items that would be found in an agenda, without a database
    #[command(after_help = "Example: docket agendas segment agenda.pdf --json\n\
                            Ends with 1 when no items are believed; the meeting would be summarised from the whole document.")]
    Segment {
        /// A PDF, or its text with a form feed between pages; - is standard input
        file: PathBuf,
    },
    /// List the agendas that were read as documents: the newest reading of each meeting
    #[command(after_help = "Example: docket agendas list --suspect")]
    List {
        /// Only those in which no items are believed
        #[arg(long)]
        suspect: bool,
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=500))]
        limit: i64,
    },
}

pub(super) async fn run(args: Args, env: &Environment) -> Outcome {
    match args.action {
        Action::Segment { file } => show(&file, args.json).await,
        Action::List { suspect, limit } => {
            let readings = segments::newest(&client::connect(env).await?, suspect, limit).await?;
            list(readings, args.json)
        }
    }
}

async fn show(file: &Path, json: bool) -> Outcome {
    let (text, lines) = read(file).await?;
    let found = segment(&text);
    let links = found.as_ref().map(|found| attached(&found.items, &lines)).unwrap_or_default();
    if json {
        output::json(&object(&found, &links))?;
    } else if let Ok(found) = &found {
        let row = |(item, links): (&AgendaItem, &Vec<Link>)| {
            let pages = match (item.first_page, item.last_page) {
                (first, last) if first == last => first.to_string(),
                (first, last) => format!("{first}-{last}"),
            };
            let consent = if item.consent { "consent" } else { "" }.to_owned();
            let section = item.section.clone().unwrap_or_default();
            let number = item.number.clone().unwrap_or_default();
            [number, pages, consent, section, item.title.clone(), links.len().to_string()]
        };
        let rows = found.items.iter().zip(&links).map(row);
        output::table(["number", "pages", "", "section", "title", "links"], rows)?;
        found.warnings.iter().for_each(|warning| output::note(&output::harmless(warning)));
    }
    let suspect = |suspect: Suspect| {
        Failure::broken(format!("no items are believed: {suspect}; read its text with docket documents extract"))
    };
    found.map(drop).map_err(suspect)
}

/// A PDF's text and lines, or the file as it is.
async fn read(file: &Path) -> Result<(String, Vec<PrintedLine>), Failure> {
    let reader = Reader::default();
    let bytes = input::read(file, reader.limits.max_input as u64)?;
    let is_pdf = bytes[..bytes.len().min(1_024)].windows(5).any(|head| head == b"%PDF-");
    if !is_pdf {
        return Ok((String::from_utf8_lossy(&bytes).into_owned(), Vec::new()));
    }
    // Standard input is no file that a child could read.
    let mut copy = NamedTempFile::with_prefix("docket-").map_err(Failure::internal)?;
    copy.write_all(&bytes).map_err(Failure::internal)?;
    let path = copy.into_temp_path();
    let extraction = reader.read_file(&path).await.map_err(|error| match error {
        ExtractError::Read { .. } => Failure::usage(error),
        other => Failure::internal(other),
    })?;
    Ok((extraction.text, reader.printed(&path).await.map_err(Failure::internal)?))
}

/// `links` are those of each item, in the order of the items.
fn object(found: &Result<Segmented, Suspect>, links: &[Vec<Link>]) -> Value {
    match found {
        Ok(found) => {
            let ids: Vec<String> = parsed_items(&found.items).into_iter().map(|item| item.vendor_id.0).collect();
            json!({ "segmenter": SEGMENTER, "method": found.method, "items": found.items, "ids": ids, "links": links,
                    "warnings": found.warnings, "suspect": null })
        }
        Err(suspect) => {
            json!({ "segmenter": SEGMENTER, "method": suspect.method, "items": [], "ids": [], "links": [], "warnings": [],
                    "suspect": suspect.why })
        }
    }
}

fn list(readings: Vec<Reading>, json: bool) -> Outcome {
    if json {
        return output::json(&json!({ "items": readings }));
    }
    let row = |reading: Reading| {
        let Reading { city, day, title, method, items, suspect, warnings, .. } = reading;
        let why = suspect.unwrap_or_else(|| warnings.join("; "));
        [city.0, day.to_string(), title, method, items.to_string(), why]
    };
    output::table(["city", "day", "meeting", "method", "items", "why"], readings.into_iter().map(row))
}
