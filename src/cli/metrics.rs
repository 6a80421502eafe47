//! `docket metrics`

use super::{exit::Outcome, output};
use crate::telemetry::{FAMILIES, Family, Type, Values, document};
use clap::{Parser, Subcommand};
use serde_json::{Value, json};

/// Arguments.
#[derive(Debug, Parser)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Example: docket metrics --json | jq '.families[] | select(.type == \"histogram\") | .name'"
)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print all families as Markdown: docs/METRICS.md
    #[command(after_help = "Example: docket metrics reference > docs/METRICS.md")]
    Reference,
}

pub(super) fn run(args: &Args) -> Outcome {
    match (&args.action, args.json) {
        (Some(Action::Reference), true) => output::json(&json!({ "markdown": document() })),
        (Some(Action::Reference), false) => output::text(document().trim_end()),
        (None, true) => output::json(&json!({ "families": FAMILIES.iter().map(told).collect::<Vec<_>>() })),
        (None, false) => {
            let row = |family: &Family| [family.name.to_owned(), kind(family).to_owned(), family.help.to_owned()];
            output::table(["family", "type", "meaning"], FAMILIES.iter().map(row))
        }
    }
}

fn told(family: &Family) -> Value {
    let labels = family.labels.iter().map(|label| {
        let values = match label.values {
            Values::Closed(values) => json!(values),
            Values::AtStart(_) | Values::Bounded(..) => Value::Null,
        };
        json!({ "name": label.name, "values": values })
    });
    let buckets = if let Type::Histogram(buckets) = family.kind { json!(buckets) } else { Value::Null };
    let labels: Vec<Value> = labels.collect();
    json!({ "name": family.name, "type": kind(family), "labels": labels, "buckets": buckets, "help": family.help })
}

const fn kind(family: &Family) -> &'static str {
    match family.kind {
        Type::Counter => "counter",
        Type::Gauge => "gauge",
        Type::Histogram(_) => "histogram",
    }
}
