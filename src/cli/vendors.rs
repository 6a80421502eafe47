//! `docket vendors`

use super::{
    exit::{Failure, Outcome},
    input, output,
};
use crate::{
    civic::{
        model::{Source, Vendor, WebUrl},
        vendor::{
            Recognised,
            http::{Ask, HttpClient},
            parse_file, recognise,
        },
    },
    config::{self, Environment},
};
use clap::{Parser, Subcommand};
use serde_json::json;
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket vendors probe https://www.cityofexample.gov/meetings")]
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
        #[arg(long, value_name = "URL")]
        base_url: Option<WebUrl>,
    },
    /// Say which vendor runs a city's site, and how it is added
    #[command(after_help = "Example: docket vendors probe https://www.cityofexample.gov/meetings\n\
                            One request. Ends with 1 when no vendor that Docket reads is recognised.")]
    Probe {
        /// A page of the site that shows or links its meetings
        url: WebUrl,
    },
}

/// Larger than any answer that the client takes.
const MAX: u64 = 64 << 20;

pub(super) async fn run(args: &Args, env: &Environment) -> Outcome {
    match &args.action {
        Action::Parse { vendor, kind, file, base_url } => {
            let bytes = input::read(file, MAX)?;
            let report = parse_file(vendor, kind, &bytes, base_url.as_ref()).map_err(Failure::usage)?;
            output::document(&report, args.json)
        }
        Action::Probe { url } => probe(url, env, args.json).await,
    }
}

async fn probe(url: &WebUrl, env: &Environment, json: bool) -> Outcome {
    let http = HttpClient::new(&config::civic(env)?.http).map_err(Failure::usage)?;
    // Whose requests these are, no metric asks here.
    let response = http.get(url.as_str(), &Ask::page(Vendor::Legistar)).await.map_err(Failure::unavailable)?;
    let found = recognise(&response.final_url, &response.body);
    if json {
        output::json(&json!({ "items": found }))?;
    } else {
        let row = |one: &Recognised| {
            let params =
                one.source.params.iter().map(|(key, value)| format!(" --param {key}={value}")).collect::<String>();
            let Source { vendor, client, .. } = &one.source;
            [vendor.to_string(), format!("--vendor {vendor} --client {client}{params}"), one.evidence.clone()]
        };
        output::table(["vendor", "docket cities add ...", "seen at"], found.iter().map(row))?;
    }
    match found.is_empty() {
        true => Err(Failure::broken("no vendor that Docket reads is recognised: try the page that lists the agendas")),
        false => Ok(()),
    }
}
