//! `docket matters`

use super::{
    actor::actor,
    client,
    detail::opt,
    exit::{Failure, Outcome},
    output,
};
use crate::{
    civic::{
        model::CitySlug,
        store::{
            ItemId, MatterRowId,
            matters::{self, ActError, AppearanceView, CityFindings, Done, MatterView, MatterWhole, RetrackError},
        },
    },
    config::Environment,
    fleet::ledger::read::PAGE_MAX,
};
use clap::{Parser, Subcommand};
use serde_json::json;
use tokio_postgres::Client;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket matters list --city seattle-wa")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List matters, newest first
    #[command(after_help = "Example: docket matters list --city seattle-wa --words 'ferry terminal' --json")]
    List(List),
    /// Show a matter, its appearances and what operators did to it
    #[command(after_help = "Example: docket matters show 42")]
    Show {
        /// The matter
        id: i64,
    },
    /// Look for duplicates, orphans, lost items and conflicts; each finding has the command that mends it
    #[command(after_help = "Example: docket matters audit --city seattle-wa --json\n\
                            Exit codes: 0 nothing is wrong; 65 something is. docs/MATTERS.md tells what each finding means.")]
    Audit {
        /// Only this city
        #[arg(long)]
        city: Option<String>,
    },
    /// Make several matters one: their appearances, and later ones, are INTO's
    #[command(after_help = "Example: docket matters merge 42 57 58")]
    Merge {
        /// The matter that stays
        into: i64,
        /// The matters that become part of it
        #[arg(required = true)]
        from: Vec<i64>,
    },
    /// Take items out of a matter, into a new one
    #[command(after_help = "Example: docket matters split 42 --item 1001 --item 1002")]
    Split {
        /// The matter
        matter: i64,
        /// An item of it; may be given more than once
        #[arg(long = "item", required = true, value_name = "ID")]
        items: Vec<i64>,
    },
    /// Hide matters that no agenda shows, until they appear again
    #[command(after_help = "Example: docket matters retire 42")]
    Retire {
        /// The matters, all of one city
        #[arg(required = true)]
        matters: Vec<i64>,
    },
    /// Track items again as what they are today, as the job does
    #[command(after_help = "Example: docket matters track 1001 1002")]
    Track {
        /// The items
        #[arg(required = true)]
        items: Vec<i64>,
    },
    /// Take a merge, split or retirement back; what appeared since then stays
    #[command(after_help = "Example: docket matters undo 7")]
    Undo {
        /// The act's number, as it was told, or as `docket matters show` lists it
        act: i64,
    },
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only this city
    #[arg(long)]
    city: Option<String>,
    /// Only with these words in the file number or the name
    #[arg(long)]
    words: Option<String>,
    /// Rows
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=PAGE_MAX))]
    limit: i64,
    /// Older than this matter
    #[arg(long, value_name = "ID")]
    before: Option<i64>,
}

pub(super) async fn run(args: Args, env: &Environment) -> Outcome {
    let mut client = client::connect(env).await?;
    let json = args.json;
    let ids = |ids: Vec<i64>| ids.into_iter().map(MatterRowId).collect::<Vec<_>>();
    let done = match args.action {
        Action::List(wanted) => return list(&client, wanted, json).await,
        Action::Show { id } => return show(&client, id, json).await,
        Action::Audit { city } => return audit(&client, city.map(CitySlug), json).await,
        Action::Track { items } => return track(&mut client, &items, json).await,
        Action::Merge { into, from } => matters::merge(&mut client, MatterRowId(into), &ids(from), &actor()).await?,
        Action::Split { matter, items } => {
            let items: Vec<ItemId> = items.into_iter().map(ItemId).collect();
            matters::split(&mut client, MatterRowId(matter), &items, &actor()).await?
        }
        Action::Retire { matters } => matters::retire(&mut client, &ids(matters), &actor()).await?,
        Action::Undo { act } => matters::undo(&mut client, act, &actor()).await?,
    };
    tell(&done, json)
}

fn tell(done: &Done, json: bool) -> Outcome {
    if json {
        return output::json(done);
    }
    let Done { act, matter, moved_appearances } = done;
    output::text(&format!("act {act}: {moved_appearances} appearances moved; see docket matters show {matter}"))
}

async fn list(client: &Client, wanted: List, json: bool) -> Outcome {
    let List { city, words, limit, before } = wanted;
    let city = city.map(CitySlug);
    let page = matters::list(client, city.as_ref(), words.as_deref(), before, limit).await?;
    let page = page.ok_or_else(|| Failure::usage("there is no such city; see docket cities list"))?;
    if json {
        return output::json(&page);
    }
    let next = page.next;
    output::table(
        ["matter", "city", "file", "status", "appearances", "first", "last", "name"],
        page.items.into_iter().map(row),
    )?;
    next.map_or(Ok(()), |next| output::text(&format!("more with --before {next}")))
}

fn row(matter: MatterView) -> [String; 8] {
    let day = |day: Option<jiff::civil::Date>| opt(day.map(|day| day.to_string()));
    let (first, last) = (day(matter.first_seen_on), day(matter.last_seen_on));
    let name: String = opt(matter.name).chars().take(80).collect();
    let (id, count) = (matter.id.to_string(), matter.appearances.to_string());
    [id, matter.city, opt(matter.file), opt(matter.status), count, first, last, name]
}

async fn show(client: &Client, id: i64, json: bool) -> Outcome {
    let missing = || Failure::usage(format!("there is no matter {id}; see docket matters list"));
    let whole = matters::show(client, MatterRowId(id)).await?.ok_or_else(missing)?;
    if json {
        return output::json(&whole);
    }
    let MatterWhole { matter, aliases, summary, appearances, acts, .. } = whole;
    let told = [("key", matter.key.clone()), ("rule", opt(matter.rule.clone())), ("leads here", aliases.join(", "))];
    output::table(["matter", "city", "file", "status", "appearances", "first", "last", "name"], [row(matter)])?;
    output::table(["field", "value"], told.map(|(field, value)| [field.to_owned(), value]))?;
    let seen = |a: AppearanceView| {
        let listed = if a.listed { "" } else { "dropped" };
        [a.date.to_string(), a.meeting, a.item_id.to_string(), a.title, opt(a.rule), opt(a.action), listed.to_owned()]
    };
    output::table(["day", "meeting", "item", "title", "rule", "action", ""], appearances.into_iter().map(seen))?;
    if !acts.is_empty() {
        let act = |a: matters::ActView| {
            [a.id.to_string(), a.act, format!("{:?}", a.matters), opt(a.undoes.map(|id| id.to_string())), a.actor]
        };
        output::table(["act", "what", "matters", "undoes", "by"], acts.into_iter().map(act))?;
    }
    summary.map_or(Ok(()), |summary| output::text(&output::harmless(&summary.body)))
}

async fn audit(client: &Client, city: Option<CitySlug>, json: bool) -> Outcome {
    let cities = matters::audit(client, city.as_ref()).await?;
    let count: usize = cities.iter().map(|city| city.findings.len()).sum();
    if json {
        output::json(&json!({ "findings": count, "cities": cities }))?;
    } else {
        let rows = cities.into_iter().flat_map(|CityFindings { city, findings }| {
            findings.into_iter().map(move |finding| {
                let kind = serde_json::to_value(finding.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
                [city.to_string(), opt(kind), finding.why, finding.mend]
            })
        });
        if count > 0 {
            output::table(["city", "finding", "what", "mend"], rows)?;
        }
    }
    match count {
        0 if json => Ok(()),
        0 => output::text("every matter is in order"),
        count => Err(Failure::disagreement(format!("{count} findings: each has the command that mends it"))),
    }
}

async fn track(client: &mut Client, items: &[i64], json: bool) -> Outcome {
    let tx = client.transaction().await?;
    let mut tracked = Vec::with_capacity(items.len());
    for item in items {
        let matter = matters::retrack(&tx, ItemId(*item)).await?;
        tracked.push(json!({ "item": item, "matter": matter.0 }));
    }
    tx.commit().await?;
    if json {
        return output::json(&json!({ "items": tracked }));
    }
    output::text(&format!("{} items are tracked", tracked.len()))
}

impl From<ActError> for Failure {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Database(error) => error.into(),
            refused => Self::usage(refused),
        }
    }
}

impl From<RetrackError> for Failure {
    fn from(error: RetrackError) -> Self {
        match error {
            RetrackError::Database(error) => error.into(),
            RetrackError::City(error) => error.into(),
            refused => Self::usage(refused),
        }
    }
}
