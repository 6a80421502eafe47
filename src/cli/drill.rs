//! `docket drill`

use super::{
    exit::{Failure, Outcome},
    output, role,
};
use crate::dev::drill::{self, Drill, DrillReport, DrillSpec, Step};
use clap::Parser;
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, Parser)]
#[command(
    after_help = "Example: docket drill worker-kill --json\nPrivate servers, a scheduler, two workers; Prometheus and \
                  Alertmanager with the rules of infra, at once instead of after minutes, where they are installed. Ends with 1 \
                  if an alert did not arrive, a job did not end, or the audit misses one. docs/RUNBOOK.md says which alert is \
                  fired by which drill."
)]
pub(super) struct Args {
    /// The fault
    #[arg(value_enum)]
    name: Drill,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
    /// Leave to you what an operator would do, and end when the fleet is green again
    #[arg(long)]
    by_hand: bool,
    /// Keep the logs; they are kept anyway when something is wrong
    #[arg(long)]
    keep: bool,
    /// Directory of the private servers; a new one is made in it
    #[arg(long, value_name = "DIR", default_value = ".docket/drill")]
    dir: PathBuf,
}

pub(super) async fn run(args: Args) -> Outcome {
    if args.by_hand && !args.name.has_work() {
        let name = args.name.as_str();
        let others: Vec<_> = Drill::ALL.into_iter().filter(|drill| drill.has_work()).map(Drill::as_str).collect();
        return Err(Failure::usage(format!("--by-hand: {name} heals by itself; try {}", others.join(", "))));
    }
    let shutdown = role::signals(false)?;
    let spec = DrillSpec {
        dir: args.dir.join(format!("{}-{:08x}", args.name.as_str(), rand::random::<u32>())),
        binary: std::env::current_exe().map_err(|e| Failure::internal(format!("can't find this program: {e}")))?,
        by_hand: args.by_hand,
    };
    output::note("starting servers, a scheduler, 2 workers");
    let tell = |step: &Step| output::note(&format!("{:7.1} s  {}", step.at_seconds, step.what));
    let played = shutdown.run_until_cancelled(Box::pin(drill::run(args.name, &spec, &tell))).await;
    let played = played.unwrap_or_else(|| Err(anyhow::anyhow!("stopped before it was done")));
    let judged = played.map_err(Failure::from).and_then(|report| show(&report, args.json));
    if judged.is_err() || args.keep {
        output::note(&format!("logs are in {}", spec.dir.join("logs").display()));
    } else {
        // What can't be removed is in nobody's way.
        let _ = std::fs::remove_dir_all(&spec.dir);
    }
    judged
}

fn show(report: &DrillReport, json: bool) -> Outcome {
    if json {
        output::json(report)?;
    } else {
        for alert in report.alerts.iter().flatten() {
            output::text(&format!("alert     {:7.1} s  {}: {}", alert.at_seconds, alert.name, alert.description))?;
        }
        output::text(&format!("recovery  {:7.1} s", report.recovery_seconds))?;
        let audit = match report.unaccounted_jobs {
            Some(jobs) => format!("{jobs} unaccounted"),
            None => "no verdict in time".to_owned(),
        };
        output::text(&format!("audit     {audit}, {} open", report.open_jobs))?;
    }
    if report.is_passed() {
        return Ok(());
    }
    let missing = report.missing_alerts.join(", ");
    let missing = if missing.is_empty() { missing } else { format!("; did not arrive: {missing}") };
    Err(Failure::broken(format!("the drill {} did not end as it should{missing}", report.drill.as_str())))
}
