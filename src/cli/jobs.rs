//! `docket jobs`

use super::{
    actor::actor,
    acts, client,
    detail::{self, opt, time},
    exit::Outcome,
    output,
};
use crate::{
    config::Environment,
    fleet::{
        job::{JobId, Status},
        ledger::{
            operate,
            read::{self, JobFilter, JobRow, PAGE_MAX},
        },
    },
};
use clap::{Parser, Subcommand};
use tokio_postgres::Client;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket jobs list --status failed --limit 20")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List jobs, newest first
    #[command(after_help = "Example: docket jobs list --kind sync_city --before 1000")]
    List(List),
    /// Show a job, its attempts and what happened to it
    #[command(after_help = "Example: docket jobs show 42 --json")]
    Show {
        /// The job
        id: i64,
    },
    /// Cancel jobs that wait, and ask the workers of those that run to stop
    #[command(after_help = "Example: docket jobs cancel 42 43")]
    Cancel {
        /// The jobs
        #[arg(value_name = "ID", required = true)]
        ids: Vec<i64>,
    },
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only this state
    #[arg(long, value_name = "pending|queued|processing|completed|failed|dead_letter|cancelled")]
    status: Option<Status>,
    /// Only this kind
    #[arg(long)]
    kind: Option<String>,
    /// Only this lane
    #[arg(long)]
    lane: Option<String>,
    /// Rows
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=PAGE_MAX))]
    limit: i64,
    /// Older than this job
    #[arg(long, value_name = "ID")]
    before: Option<i64>,
}

pub(super) async fn run(args: Args, env: &Environment) -> Outcome {
    let client = client::connect(env).await?;
    match args.action {
        Action::List(action) => list(action, &client, args.json).await,
        Action::Show { id } => detail::show(&detail::find(&client, id).await?, args.json),
        Action::Cancel { ids } => {
            let acted = operate::cancel(&client, &acts::ids(&ids), &actor()).await?;
            acts::tell(&acted, true, args.json)
        }
    }
}

async fn list(action: List, client: &Client, json: bool) -> Outcome {
    let List { status, kind, lane, limit, before } = action;
    let page = read::jobs(client, &JobFilter { status, kind, lane, before: before.map(JobId) }, limit).await?;
    if json {
        return output::json(&page);
    }
    let header = ["id", "kind", "lane", "status", "hold", "priority", "failures", "created", "error"];
    output::table(header, page.items.into_iter().map(row))?;
    page.next.map_or(Ok(()), |next| output::text(&format!("older ones: --before {next}")))
}

fn row(job: JobRow) -> [String; 9] {
    [
        job.id.to_string(),
        job.kind,
        job.lane,
        job.status.to_string(),
        opt(job.hold),
        job.priority.to_string(),
        format!("{}/{}", job.failures, job.max_attempts),
        time(Some(job.created_at)),
        opt(job.error_class),
    ]
}
