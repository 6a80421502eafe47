//! `docket reparse`

use super::{
    client,
    detail::time,
    exit::{Failure, Outcome},
    output, since,
};
use crate::{
    civic::{
        enqueue_reparse,
        model::{CitySlug, Vendor},
        store::{
            cities,
            replay::{self, Known},
        },
    },
    config::Environment,
};
use clap::Parser;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket reparse --vendor granicus --since 30d --dry-run\n\
                        One job a city, of low priority. No site is asked: what the record lacks is told by the jobs that fail \
                        for it. Agendas that come out otherwise are new revisions, and are summarised anew.")]
pub(super) struct Args {
    /// Whose cities: legistar, primegov, granicus, civicplus or civicclerk
    #[arg(long)]
    vendor: Vendor,
    /// How far to go back, such as 30d
    #[arg(long, value_name = "TIME", value_parser = since::since)]
    since: SignedDuration,
    /// This city only
    #[arg(long, value_name = "SLUG")]
    city: Option<String>,
    /// Tell how many cities and listings it would be, and enqueue nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, env: &Environment) -> Outcome {
    let client = client::connect(env).await?;
    let Args { vendor, since, dry_run, json, .. } = args;
    let city = match args.city {
        Some(slug) => {
            let city = cities::find(&client, &CitySlug(slug)).await?.city;
            if city.source.vendor != vendor {
                return Err(Failure::usage(format!(
                    "{} is a city of {}, not of {vendor}",
                    city.slug, city.source.vendor
                )));
            }
            Some(city.slug)
        }
        None => None,
    };
    let known = replay::known(&client, vendor, since.as_secs_f64(), city.as_ref()).await?;
    if known.is_empty() {
        return Err(Failure::usage(format!(
            "no listing of a city of {vendor} was recorded since then; docket cities courtesy tells what was"
        )));
    }
    let (now, run) = (Timestamp::now(), Uuid::new_v4());
    let mut jobs = Vec::new();
    if !dry_run {
        for Known { city, .. } in &known {
            let from = now.saturating_sub(since).unwrap_or(Timestamp::MIN);
            jobs.push(enqueue_reparse(&client, city, (from, now), run).await?.id());
        }
    }
    if json {
        return output::json(&json!({ "run": run, "dry_run": dry_run, "cities": known, "jobs": jobs }));
    }
    let listings: i64 = known.iter().map(|city| city.listings).sum();
    let header = ["city", "listings", "first", "last"];
    let cities = known.len();
    let row = |k: Known| [k.city.0, k.listings.to_string(), time(Some(k.first_at)), time(Some(k.last_at))];
    output::table(header, known.into_iter().map(row))?;
    output::text(&match dry_run {
        true => format!("{cities} cities with {listings} listings would be parsed again; nothing was enqueued"),
        false => format!(
            "{cities} cities with {listings} listings are parsed again; see docket jobs list --kind reparse_city"
        ),
    })
}
