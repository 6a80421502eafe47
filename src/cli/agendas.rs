//! `docket agendas`

use super::{
    client,
    exit::{Failure, Outcome},
    input, output,
};
use crate::{
    civic::{
        agenda::{AgendaItem, SEGMENTER, Segmented, Suspect, parsed_items, segment},
        document::{ExtractError, Limits, extract},
        store::segments::{self, Reading},
    },
    config::Environment,
};
use clap::{Parser, Subcommand};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

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
    let found = segment(&text(file).await?);
    if json {
        output::json(&object(&found))?;
    } else if let Ok(found) = &found {
        let row = |item: &AgendaItem| {
            let pages = match (item.first_page, item.last_page) {
                (first, last) if first == last => first.to_string(),
                (first, last) => format!("{first}-{last}"),
            };
            let consent = if item.consent { "consent" } else { "" }.to_owned();
            let section = item.section.clone().unwrap_or_default();
            [item.number.clone().unwrap_or_default(), pages, consent, section, item.title.clone()]
        };
        output::table(["number", "pages", "", "section", "title"], found.items.iter().map(row))?;
        found.warnings.iter().for_each(|warning| output::note(&output::harmless(warning)));
    }
    let suspect = |suspect: Suspect| {
        Failure::broken(format!("no items are believed: {suspect}; read its text with docket documents extract"))
    };
    found.map(drop).map_err(suspect)
}

/// A PDF's text, or the file as it is.
async fn text(file: &Path) -> Result<String, Failure> {
    let limits = Limits::default();
    let bytes = input::read(file, limits.max_input as u64)?;
    let is_pdf = bytes[..bytes.len().min(1_024)].windows(5).any(|head| head == b"%PDF-");
    if !is_pdf {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    let extraction = extract(bytes, &limits).await.map_err(|error| match error {
        ExtractError::Read { .. } => Failure::usage(error),
        other => Failure::internal(other),
    })?;
    Ok(extraction.text)
}

fn object(found: &Result<Segmented, Suspect>) -> Value {
    match found {
        Ok(found) => {
            let ids: Vec<String> = parsed_items(&found.items).into_iter().map(|item| item.vendor_id.0).collect();
            json!({ "segmenter": SEGMENTER, "method": found.method, "items": found.items, "ids": ids,
                    "warnings": found.warnings, "suspect": null })
        }
        Err(suspect) => {
            json!({ "segmenter": SEGMENTER, "method": suspect.method, "items": [], "ids": [], "warnings": [],
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
