//! `docket cost`: what language models have cost, how the budgets stand, and what a backfill would cost.

mod estimate;

use super::{
    client,
    exit::{Failure, Outcome},
    output,
};
use crate::{
    civic::store::llm_costs::{self, By, Cost},
    config::{self, Environment},
};
use clap::{Parser, Subcommand, ValueEnum};
use jiff::civil::Date;
use serde_json::json;
use tokio_postgres::Client;

/// Arguments.
#[derive(Debug, Parser)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Example: docket cost --by city --since 2026-03-01\n\nThe sum is that of the ledger, to the micro-dollar. \
                  Calls whose tokens the server did not tell are estimated, and counted apart."
)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// Tell costs apart by this
    #[arg(long, value_enum, default_value = "model")]
    by: Apart,
    /// From this day on, of UTC's calendar
    #[arg(long, value_name = "YYYY-MM-DD")]
    since: Option<Date>,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Apart {
    City,
    Model,
    Kind,
    Day,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// What summaries that are missing would cost, and what that rests on
    #[command(
        after_help = "Example: docket cost estimate --city seattle-wa --since 2026-01-01\n\nThe model and its prices are \
                            those of the configuration, or --model; no model is asked."
    )]
    Estimate(estimate::Args),
}

pub(super) async fn run(args: Args, env: &Environment) -> Outcome {
    if let Some(Action::Estimate(action)) = args.action {
        return estimate::run(action, args.json, env).await;
    }
    let client = client::connect(env).await?;
    let by = match args.by {
        Apart::City => By::City,
        Apart::Model => By::Model,
        Apart::Kind => By::Kind,
        Apart::Day => By::Day,
    };
    let rows = llm_costs::by(&client, by, args.since).await?;
    let total: i64 = rows.iter().map(|row| row.cost_micro_usd).sum();
    let budgets = budgets(&client, env).await?;
    if args.json {
        return output::json(&json!({ "items": rows, "cost_micro_usd": total, "budgets": budgets }));
    }
    let header = ["", "calls", "failed", "estimated", "tokens in", "cached", "tokens out", "thought", "cost"];
    output::table(header, rows.into_iter().map(row))?;
    output::text(&format!("{} in all", dollars(total)))?;
    if budgets.is_empty() {
        return Ok(());
    }
    let header = ["budget", "period", "limit", "spent", "reserved", "share"];
    let cell = |micro: u64| dollars(i64::try_from(micro).unwrap_or(i64::MAX));
    output::table(
        header,
        budgets.into_iter().map(|budget| {
            let share = format!("{:.1} %", 100.0 * budget.ratio());
            let [limit, spent, reserved] =
                [budget.limit_micro_usd, budget.spent_micro_usd, budget.reserved_micro_usd].map(cell);
            [budget.account, budget.period.to_owned(), limit, spent, reserved, share]
        }),
    )
}

async fn budgets(client: &Client, env: &Environment) -> Result<Vec<llm_costs::BudgetStanding>, Failure> {
    Ok(llm_costs::standings(client, &config::budgets(env)?).await?)
}

fn row(cost: Cost) -> [String; 9] {
    let name = if cost.name.is_empty() { "unknown".to_owned() } else { cost.name };
    let [calls, failed, estimated] = [cost.calls, cost.failed, cost.estimated].map(|n| n.to_string());
    let [tokens_in, cached, tokens_out, thought] =
        [cost.tokens_in, cost.tokens_cached, cost.tokens_out, cost.tokens_thought].map(|n| n.to_string());
    [name, calls, failed, estimated, tokens_in, cached, tokens_out, thought, dollars(cost.cost_micro_usd)]
}

/// Micro-dollars as people read them, to the last one.
fn dollars(micro: i64) -> String {
    let sign = if micro < 0 { "-" } else { "" };
    let micro = micro.unsigned_abs();
    format!("{sign}${}.{:06}", micro / 1_000_000, micro % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::dollars;

    #[test]
    fn no_micro_dollar_is_lost() {
        assert_eq!([0, 1, 1_234_567, -5].map(dollars), ["$0.000000", "$0.000001", "$1.234567", "-$0.000005"]);
    }
}
