//! `docket lanes`

use super::{actor::actor, client, detail::time, exit::Failure, exit::Outcome, output};
use crate::{
    config::{self, Environment},
    fleet::ledger::{
        operate::{self, OperateError},
        read::{self, LaneRow},
    },
};
use clap::{Parser, Subcommand};
use serde_json::json;
use tokio_postgres::Client;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket lanes pause default")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the lanes that are configured, hold jobs, or are paused
    #[command(after_help = "Example: docket lanes list --json")]
    List,
    /// Start nothing more of a lane; what runs or is queued already ends as it would
    #[command(after_help = "Example: docket lanes pause default")]
    Pause {
        /// The lane
        lane: String,
    },
    /// Go on with a lane
    #[command(after_help = "Example: docket lanes resume default")]
    Resume {
        /// The lane
        lane: String,
    },
}

pub(super) async fn run(args: Args, env: &Environment) -> Outcome {
    let lanes = config::fleet(env)?.topology.lanes().to_vec();
    let client = client::connect(env).await?;
    match args.action {
        Action::List => list(&client, &lanes, args.json).await,
        Action::Pause { lane } => {
            let changed = operate::pause_lane(&client, &lane, &actor()).await?;
            tell(&lane, true, changed, args.json)
        }
        Action::Resume { lane } => {
            let changed = operate::resume_lane(&client, &lane, &actor()).await?;
            tell(&lane, false, changed, args.json)
        }
    }
}

async fn list(client: &Client, configured: &[String], json: bool) -> Outcome {
    let items = read::lanes(client, configured).await?;
    if json {
        return output::json(&json!({ "items": items }));
    }
    let header = ["lane", "paused", "by", "runnable", "held", "queued", "processing"];
    output::table(header, items.into_iter().map(row))
}

fn row(lane: LaneRow) -> [String; 7] {
    let since = if lane.paused { time(lane.paused_at) } else { String::new() };
    let [runnable, held, queued, processing] =
        [lane.runnable, lane.held, lane.queued, lane.processing].map(|n| n.to_string());
    [lane.lane, since, lane.paused_by.unwrap_or_default(), runnable, held, queued, processing]
}

fn tell(lane: &str, paused: bool, changed: bool, json: bool) -> Outcome {
    if json {
        return output::json(&json!({ "lane": lane, "paused": paused, "changed": changed }));
    }
    output::text(match (paused, changed) {
        (true, true) => "paused; what is queued or runs already ends as it would",
        (true, false) => "it was paused already",
        (false, true) => "it goes on",
        (false, false) => "it was not paused",
    })
}

impl From<OperateError> for Failure {
    fn from(error: OperateError) -> Self {
        match error {
            OperateError::Database(error) => error.into(),
            OperateError::Name { .. } => Self::usage(error),
        }
    }
}
