//! `docket queue`

use super::{client, exit::Outcome, output};
use crate::{
    config::Environment,
    fleet::ledger::read::{LaneStats, QueueStats, exact_stats},
};
use clap::{Parser, Subcommand};

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket queue stats")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Count all jobs, by lane and state
    #[command(after_help = "Example: docket queue stats --json")]
    Stats,
}

pub(super) async fn run(args: Args, env: &Environment) -> Outcome {
    let Action::Stats = args.action;
    let stats = exact_stats(&client::connect(env).await?).await?;
    if args.json { output::json(&stats) } else { table(&stats) }
}

fn table(stats: &QueueStats) -> Outcome {
    let totals = stats.totals();
    let lanes = stats.lanes.iter().map(|(name, lane)| row(name, lane));
    let all = [
        totals.pending,
        totals.queued,
        totals.processing,
        totals.completed.unwrap_or(0),
        totals.failed,
        totals.dead_letter,
        totals.cancelled.unwrap_or(0),
    ];
    let held = stats.lanes.values().map(LaneStats::held_total).sum();
    output::table(
        ["lane", "pending", "held", "queued", "processing", "completed", "failed", "dead letter", "cancelled", "total"],
        lanes.chain([cells("all", held, all)]),
    )
}

fn row(name: &str, lane: &LaneStats) -> [String; 10] {
    let held = lane.held_total();
    let ended = (lane.completed.unwrap_or(0), lane.cancelled.unwrap_or(0));
    let counts = [lane.runnable + held, lane.queued, lane.processing, ended.0, lane.failed, lane.dead_letter, ended.1];
    cells(name, held, counts)
}

/// Held jobs are pending ones too, and count once.
fn cells(name: &str, held: i64, counts: [i64; 7]) -> [String; 10] {
    let total: i64 = counts.iter().sum();
    let [pending, queued, processing, completed, failed, dead, cancelled] = counts.map(|n| n.to_string());
    let (held, total) = (held.to_string(), total.to_string());
    [name.to_owned(), pending, held, queued, processing, completed, failed, dead, cancelled, total]
}
