//! `docket migrate`

use super::{
    client,
    exit::{Failure, Outcome},
    output,
};
use crate::{config::Environment, db};
use clap::{Parser, Subcommand};

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: DATABASE_URL=postgres://docket@localhost/docket docket migrate up")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Apply what is missing; safe to run from many machines at once
    #[command(after_help = "Example: docket migrate up")]
    Up,
    /// Show which migrations this database has
    #[command(after_help = "Example: docket migrate status --json")]
    Status,
}

pub(super) async fn run(args: Args, env: &Environment) -> Outcome {
    let config = client::database(env)?;
    // One clear word about a server that is away or refuses, before anything is tried.
    drop(client::open(&config).await?);
    let migrations = match args.action {
        Action::Up => db::migrate(&config).await?,
        Action::Status => db::migrations(&config).await?,
    };
    if args.json {
        return output::json(&serde_json::json!({ "migrations": migrations }));
    }
    if migrations.is_empty() {
        return output::text("the schema is up to date");
    }
    let rows = migrations
        .into_iter()
        .map(|m| [m.version.to_string(), m.name, if m.applied { "applied" } else { "missing" }.to_owned()]);
    output::table(["version", "name", "state"], rows)
}

/// Refuses to work with a schema that is not this binary's.
pub(super) async fn check(client: &tokio_postgres::Client) -> Outcome {
    let newest = db::newest();
    match db::applied(client).await? {
        Some(version) if version == newest => Ok(()),
        Some(version) if version > newest => Err(Failure::usage(format!(
            "the database has schema version {version}, this binary knows {newest}: run a newer docket"
        ))),
        Some(version) => Err(Failure::usage(format!(
            "the database has schema version {version}, this binary needs {newest}: run docket migrate up"
        ))),
        None => Err(Failure::usage("the database has no schema of Docket: run docket migrate up")),
    }
}
