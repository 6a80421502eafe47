//! `docket breakers`

use super::{actor::actor, client, detail::time, exit::Failure, exit::Outcome, output};
use crate::{
    config::Environment,
    fleet::{
        breaker::state::State,
        ledger::breakers::{self, BreakerRow},
    },
};
use clap::{Parser, Subcommand};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio_postgres::Client;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket breakers list")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the vendors and hosts behind which something ever failed, and the jobs that wait for them
    #[command(after_help = "Example: docket breakers list --json")]
    List,
    /// Ask a vendor or host no more for a while; its jobs wait without burning attempts
    #[command(after_help = "Example: docket breakers open granicus.com --for 2h")]
    Open {
        /// Vendor or host, as the list shows it
        key: String,
        /// For how long; one probe goes then
        #[arg(long = "for", value_name = "TIME", default_value = "1h")]
        time: SignedDuration,
    },
    /// Ask a vendor or host again, all its jobs at once
    #[command(after_help = "Example: docket breakers close granicus.com")]
    Close {
        /// Vendor or host, as the list shows it
        key: String,
    },
}

pub(super) async fn run(args: Args, env: &Environment) -> Outcome {
    let mut client = client::connect(env).await?;
    match args.action {
        Action::List => list(&client, args.json).await,
        Action::Open { key, time } => {
            let until = move |now: Timestamp| State::Open(now.saturating_add(time).unwrap_or(Timestamp::MAX));
            set(&mut client, &key, until, args.json).await
        }
        Action::Close { key } => set(&mut client, &key, |_| State::Closed, args.json).await,
    }
}

async fn list(client: &Client, json: bool) -> Outcome {
    let items = breakers::list(client).await?;
    if json {
        return output::json(&json!({ "items": items }));
    }
    let header = ["breaker", "vendor", "state", "since", "until", "failures", "held jobs", "reason"];
    output::table(header, items.into_iter().map(row))
}

fn row(breaker: BreakerRow) -> [String; 8] {
    let BreakerRow { key, vendor, state, failures, until, changed_at, reason, held_jobs, .. } = breaker;
    let until = until.map(|until| time(Some(until))).unwrap_or_default();
    let since = time(Some(changed_at));
    [key, vendor, state, since, until, failures.to_string(), held_jobs.to_string(), reason.unwrap_or_default()]
}

async fn set(client: &mut Client, key: &str, state: impl FnOnce(Timestamp) -> State, json: bool) -> Outcome {
    let Some(changed) = breakers::set(client, key, state, &actor()).await? else {
        return Err(Failure::usage(format!(
            "no breaker {key:?}: nothing ever failed behind it; see docket breakers list"
        )));
    };
    let (from, to) = (changed.from.state.as_str(), changed.to.state.as_str());
    if json {
        return output::json(&json!({ "breaker": key, "from": from, "to": to, "until": changed.to.state.until() }));
    }
    output::text(&format!("{key} was {from} and is {to}"))
}
