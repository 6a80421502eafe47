//! `docket dead`

use super::{
    actor::actor,
    acts::{self, Selection},
    client, confirm,
    detail::{self, opt, time},
    exit::{Failure, Outcome},
    output,
};
use crate::{
    config::Environment,
    fleet::{
        job::{JobId, Status},
        ledger::{
            operate::{self, SELECT_MAX},
            read::{self, Cursor, DeadRow, PAGE_MAX},
        },
    },
};
use clap::{Parser, Subcommand};
use tokio_postgres::Client;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket dead requeue --kind fetch_document")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List dead letters, newest first
    #[command(after_help = "Example: docket dead list --limit 10 --json")]
    List {
        /// Rows
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=PAGE_MAX))]
        limit: i64,
        /// The `next` of the page before
        #[arg(long, value_name = "NEXT")]
        before: Option<Cursor>,
    },
    /// Show a failed job, its attempts and what happened to it
    #[command(after_help = "Example: docket dead show 42")]
    Show {
        /// The job
        id: i64,
    },
    /// Give failed jobs and dead letters a new round
    #[command(after_help = "Example: docket dead requeue 42 43\n         docket dead requeue --all --yes")]
    Requeue(Act),
    /// Give up failed jobs and dead letters
    #[command(after_help = "Example: docket dead discard --kind fetch_document")]
    Discard(Act),
}

#[derive(Debug, clap::Args)]
struct Act {
    #[command(flatten)]
    which: Selection,
    /// Don't ask before --all
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(args: Args, env: &Environment) -> Outcome {
    match args.action {
        Action::List { limit, before } => list(&client::connect(env).await?, before, limit, args.json).await,
        Action::Show { id } => show(&client::connect(env).await?, id, args.json).await,
        Action::Requeue(act) => change(Change::Requeue, &act, env, args.json).await,
        Action::Discard(act) => change(Change::Discard, &act, env, args.json).await,
    }
}

async fn list(client: &Client, before: Option<Cursor>, limit: i64, json: bool) -> Outcome {
    let page = read::dead_letters(client, before, limit).await?;
    if json {
        return output::json(&page);
    }
    output::table(
        ["id", "kind", "lane", "died", "failures", "losses", "class", "error"],
        page.items.into_iter().map(row),
    )?;
    page.next.map_or(Ok(()), |next| output::text(&format!("older ones: --before {next}")))
}

fn row(dead: DeadRow) -> [String; 8] {
    [
        dead.id.to_string(),
        dead.kind,
        dead.lane,
        time(Some(dead.failed_at)),
        dead.failures.to_string(),
        dead.losses.to_string(),
        opt(dead.error_class),
        opt(dead.last_error).chars().take(200).collect(),
    ]
}

async fn show(client: &Client, id: i64, json: bool) -> Outcome {
    let detail = detail::find(client, id).await?;
    match detail.job.status {
        Status::DeadLetter | Status::Failed => detail::show(&detail, json),
        status => Err(Failure::usage(format!("job {id} is {status}, not dead: see docket jobs show {id}"))),
    }
}

#[derive(Clone, Copy)]
enum Change {
    Requeue,
    Discard,
}

async fn change(change: Change, act: &Act, env: &Environment, json: bool) -> Outcome {
    let which = &act.which;
    if which.all {
        confirm::possible(act.yes)?;
    }
    let client = client::connect(env).await?;
    let ids = select(&client, which).await?;
    if which.all && !ids.is_empty() {
        let verb = match change {
            Change::Requeue => "requeue",
            Change::Discard => "discard",
        };
        confirm::confirm(&format!("{verb} {} dead letters?", ids.len()), act.yes)?;
    }
    let acted = match change {
        Change::Requeue => operate::requeue(&client, &ids, &actor()).await?,
        Change::Discard => operate::discard(&client, &ids, &actor()).await?,
    };
    acts::tell(&acted, !which.ids.is_empty(), json)?;
    if which.ids.is_empty() && i64::try_from(ids.len()) == Ok(SELECT_MAX) {
        output::note(&format!("these were the oldest {SELECT_MAX}; repeat the command for the rest"));
    }
    Ok(())
}

async fn select(client: &Client, which: &Selection) -> Result<Vec<JobId>, Failure> {
    Ok(match &which.kind {
        _ if which.all => operate::dead(client, SELECT_MAX).await?,
        Some(kind) => operate::dead_of_kind(client, kind, SELECT_MAX).await?,
        None => acts::ids(&which.ids),
    })
}
