//! `docket workers`

use super::{client, detail::time, exit::Outcome, output};
use crate::{
    config::Environment,
    fleet::ledger::read::{ProcessRow, processes},
};
use clap::{Parser, Subcommand};
use serde_json::json;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket workers list")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the workers and schedulers that the ledger knows, the newest first, at most 200
    #[command(after_help = "Example: docket workers list --all --json")]
    List {
        /// Also those that signed off
        #[arg(long)]
        all: bool,
    },
}

pub(super) async fn run(args: Args, env: &Environment) -> Outcome {
    let Action::List { all } = args.action;
    let rows = processes(&client::connect(env).await?, all).await?;
    if args.json {
        return output::json(&json!({ "items": rows }));
    }
    let header = ["id", "name", "role", "state", "silent for", "slots", "holds", "lanes", "started"];
    output::table(header, rows.into_iter().map(row))
}

fn row(one: ProcessRow) -> [String; 9] {
    let silent = format!("{:.0} s", one.silent_seconds);
    let [id, slots, holds] = [one.id.0, one.slots.into(), one.holds].map(|n| n.to_string());
    [id, one.name, one.role.to_owned(), one.state, silent, slots, holds, one.lanes.join(","), time(one.started_at)]
}
