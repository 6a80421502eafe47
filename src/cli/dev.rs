//! `docket dev`

use super::{
    exit::Outcome,
    local::{LocalFleet, LocalSpec},
    output, role, server,
};
use crate::{
    config::{self, Environment},
    dev::{self, Down},
};
use clap::{Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf};

/// State directory unless something else is said.
pub(super) const DIR: &str = ".docket";

/// Arguments.
#[derive(Debug, Parser)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Example: docket dev --workers 2\nWithout DATABASE_URL or AMQP_URL, private servers run below --dir; one \
                  that ends before its time is started again.\nWith --no-broker PostgreSQL is all there is: workers take \
                  their jobs from the database."
)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// Worker processes
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Address of API and metrics.
    #[arg(long, value_name = "ADDR", help = "Address of API and metrics [env: DOCKET_HTTP; default: 127.0.0.1:8080]")]
    http: Option<SocketAddr>,
    /// Work without RabbitMQ, whatever the environment says
    #[arg(long)]
    no_broker: bool,
    /// Keep the private servers' data for the next start
    #[arg(long)]
    keep: bool,
    /// Throw away data that an earlier start kept
    #[arg(long)]
    reset: bool,
    /// State directory of the private servers
    #[arg(long, value_name = "DIR", default_value = DIR, global = true)]
    dir: PathBuf,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

impl Args {
    /// Flags that are settings.
    pub(super) fn flags(&self) -> Vec<(&'static str, &'static str, String)> {
        self.http.iter().map(|addr| ("--http", "DOCKET_HTTP", addr.to_string())).collect()
    }
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Stop what runs in the state directory, or what a killed process left there
    #[command(after_help = "Example: docket dev down")]
    Down,
}

pub(super) async fn run(args: Args, mut env: Environment) -> Outcome {
    if args.action.is_some() {
        return down(&args).await;
    }
    if args.reset {
        dev::reset(&args.dir).await?;
    }
    let shutdown = role::signals(false)?;
    let http = config::http(&env, args.http, server::DEFAULT)?.addr;
    let (broker, keep, workers) = (!args.no_broker, args.keep, args.workers);
    let spec = LocalSpec { dir: args.dir, keep, broker, workers, http };
    let fleet = LocalFleet::start(spec, &mut env, shutdown.clone()).await?;
    let places = fleet.places();
    if args.json {
        output::json(&places.iter().cloned().collect::<std::collections::BTreeMap<_, _>>())?;
    } else {
        for (name, url) in &places {
            output::text(&format!("{name:<20} {url}"))?;
        }
        let hint = if broker { " RabbitMQ may need ten seconds more; jobs already run." } else { "" };
        output::text(&format!("Ctrl-C stops everything.{hint}"))?;
    }
    shutdown.cancelled().await;
    fleet.stop().await
}

async fn down(args: &Args) -> Outcome {
    let (state, text) = match dev::down(&args.dir).await? {
        Down::Nothing => ("nothing", "nothing was running"),
        Down::Stopped => ("stopped", "stopped"),
        Down::Mended => ("mended", "what a killed process had left is stopped"),
    };
    if args.json { output::json(&serde_json::json!({ "state": state })) } else { output::text(text) }
}
