//! `docket cities`

use super::{
    client, courtesy,
    detail::{opt, time},
    enqueue,
    exit::{Failure, Outcome},
    output, since,
};
use crate::{
    civic::{
        enqueue_sync,
        model::{City, CitySlug, Source, Vendor, Zone},
        store::{
            cities::{self, StoredCity},
            paces,
            syncs::{self, Coverage},
        },
    },
    config::{self, Environment},
};
use clap::{Parser, Subcommand};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::HashMap;
use tokio_postgres::Client;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket cities list")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Follow a city
    #[command(after_help = "Example: docket cities add seattle-wa --name 'Seattle, WA' --zone America/Los_Angeles \
                            --vendor legistar --client seattle")]
    Add(Add),
    /// List the cities that are followed
    #[command(after_help = "Example: docket cities list --json")]
    List,
    /// For each city: how its last listing ended, when the next is due, and what it showed against what its own history
    /// promised
    #[command(after_help = "Example: docket cities coverage --json\n\
                            success, empty (legally so), suspect, blocked (401, 403), broken (wrong name), failed.")]
    Coverage,
    /// For each city and host: how often and how fast it was asked, from the record of its answers
    #[command(after_help = "Example: docket cities courtesy seattle-wa --since 7d\n\
                            The record reaches back civic.record_days; a request is dated by its start.")]
    Courtesy {
        /// The city's short name; without it all cities
        slug: Option<String>,
        /// How far to look back
        #[arg(long, value_name = "TIME", default_value = "24h", value_parser = since::since)]
        since: SignedDuration,
    },
    /// A suspect city has so few meetings from now on: forget what it used to have
    #[command(after_help = "Example: docket cities accept seattle-wa")]
    Accept {
        /// The city's short name
        slug: String,
    },
    /// Enqueue the listing of a city's meetings; at most once in each hour
    #[command(after_help = "Example: docket cities sync seattle-wa")]
    Sync {
        /// The city's short name
        slug: String,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Short name: lower-case letters, digits and hyphens
    slug: String,
    /// Name for people
    #[arg(long, value_parser = filled)]
    name: String,
    /// IANA time zone
    #[arg(long, value_name = "America/Los_Angeles", value_parser = |text: &str| Zone::new(text))]
    zone: Zone,
    /// Who publishes its meetings: legistar, primegov, granicus, civicplus or civicclerk
    #[arg(long)]
    vendor: Vendor,
    /// The city's name at the vendor
    #[arg(long, value_parser = filled)]
    client: String,
    /// What only this vendor needs
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = pair)]
    params: Vec<(String, String)>,
}

pub(super) async fn run(args: Args, env: &Environment) -> Outcome {
    let client = client::connect(env).await?;
    match args.action {
        Action::Add(action) => add(action, &client, args.json).await,
        Action::List => list(&client, args.json).await,
        Action::Coverage => coverage(&client, env, args.json).await,
        Action::Courtesy { slug, since } => courtesy::tell(&client, env, slug, since, args.json).await,
        Action::Accept { slug } => {
            let city = cities::find(&client, &CitySlug(slug.clone())).await?;
            let listings = syncs::accept(&client, city.id).await?;
            if args.json {
                return output::json(&json!({ "city": slug, "accepted_listings": listings }));
            }
            output::text(&format!("{listings} suspect listings of {slug} are its history now"))
        }
        Action::Sync { slug } => {
            let enqueued = enqueue_sync(&client, &CitySlug(slug.clone()), &config::civic(env)?).await?;
            enqueue::tell(enqueued, &json!({ "city": slug }), args.json)
        }
    }
}

async fn add(action: Add, client: &Client, json: bool) -> Outcome {
    let Add { slug, name, zone, vendor, client: name_at_vendor, params } = action;
    let source = Source { vendor, client: name_at_vendor, params: params.into_iter().collect() };
    let city = City { slug: CitySlug(slug), name, zone, source };
    let id = cities::add(client, &city).await?;
    if json {
        return output::json(&json!({ "id": id.0, "slug": city.slug }));
    }
    output::text(&format!("{slug} is followed; list its meetings with docket cities sync {slug}", slug = city.slug))
}

/// When each city would be listed next, where schedulers follow the cities.
async fn due(client: &Client, env: &Environment) -> Result<HashMap<CitySlug, Option<Timestamp>>, Failure> {
    let (every, now) = (config::civic(env)?.sync_every, Timestamp::now());
    let paces = paces::paces(client, now, Timestamp::MAX).await?;
    Ok(paces.into_iter().map(|pace| (pace.city.city.slug.clone(), pace.due_at(every, now))).collect())
}

async fn coverage(client: &Client, env: &Environment, json: bool) -> Outcome {
    let items = syncs::coverage(client).await?;
    let due = due(client, env).await?;
    let due_at = |city: &CitySlug| due.get(city).copied().flatten();
    if json {
        let object = |item: &Coverage| {
            let mut object = json!(item);
            object["due_at"] = json!(due_at(&item.city));
            object
        };
        return output::json(&json!({ "items": items.iter().map(object).collect::<Vec<_>>() }));
    }
    let header = ["city", "vendor", "outcome", "listed", "due", "seen", "expected", "last not empty", "why"];
    let number = |count: Option<i32>| opt(count.map(|count| count.to_string()));
    let row = |c: Coverage| {
        let (seen, usual) = (number(c.meetings_seen), number(c.meetings_expected));
        let due = time(due_at(&c.city));
        [c.city.0, c.vendor, opt(c.outcome), time(c.listed_at), due, seen, usual, time(c.nonempty_at), opt(c.detail)]
    };
    output::table(header, items.into_iter().map(row))
}

async fn list(client: &Client, json: bool) -> Outcome {
    let cities = cities::list(client).await?;
    if json {
        return output::json(&json!({ "items": cities.iter().map(object).collect::<Vec<_>>() }));
    }
    let row = |StoredCity { city, synced_at, .. }: StoredCity| {
        let source = format!("{} {}", city.source.vendor, city.source.client);
        [city.slug.0, city.name, city.zone.to_string(), source, time(synced_at)]
    };
    output::table(["slug", "name", "zone", "source", "listed"], cities.into_iter().map(row))
}

fn object(StoredCity { id, city, synced_at }: &StoredCity) -> Value {
    let City { slug, name, zone, source } = city;
    json!({ "id": id.0, "slug": slug, "name": name, "zone": zone, "source": source, "synced_at": synced_at })
}

fn filled(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err("a name without control characters is needed");
    }
    Ok(text.to_owned())
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("write key=value")?;
    if key.is_empty() { Err("write key=value") } else { Ok((key.to_owned(), value.to_owned())) }
}
