//! `docket chaos`: hurts a private fleet and judges what came of it.

mod report;
pub(super) mod worker;

use super::{
    exit::{Failure, Outcome},
    output, role,
};
use crate::dev::chaos::{
    self, ChaosSpec, News,
    check::{Verdict, judge},
    evidence::Evidence,
};
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};

/// Arguments.
#[derive(Debug, Parser)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Example: docket chaos --seed 7 --minutes 2 --json\nPrivate servers, 2 schedulers, 4 workers. Ends with 1 if \
                  a promise was broken, with 75 if the faults did not bite and the run proves nothing."
)]
pub(super) struct Args {
    #[command(subcommand)]
    check: Option<Check>,
    /// The same seed makes the same load and the same faults in the same order
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long load and faults go on; below 10 all times of the protocol are five times shorter
    #[arg(long, default_value_t = 2.0, value_parser = minutes)]
    minutes: f64,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
    /// Keep the evidence; it is kept anyway when something is wrong
    #[arg(long)]
    keep: bool,
    /// Directory of the private servers and the evidence; a new one is made in it
    #[arg(long, value_name = "DIR", default_value = ".docket/chaos")]
    dir: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Check {
    /// Judge the evidence of an earlier run
    #[command(after_help = "Example: docket chaos check .docket/chaos/seed-7-1a2b/evidence --json")]
    Check(CheckArgs),
}

#[derive(Debug, Parser)]
struct CheckArgs {
    /// The directory of the evidence
    dir: PathBuf,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

fn minutes(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(minutes) if (0.1..=1440.0).contains(&minutes) => Ok(minutes),
        _ => Err("write minutes from 0.1 to 1440, such as 2".to_owned()),
    }
}

pub(super) async fn run(args: Args) -> Outcome {
    if let Some(Check::Check(CheckArgs { dir, json })) = args.check {
        return verdict(&dir, json).map(drop);
    }
    let shutdown = role::signals(false)?;
    let name = format!("seed-{}-{:08x}", args.seed, rand::random::<u32>());
    let spec = ChaosSpec {
        seed: args.seed,
        minutes: args.minutes,
        dir: args.dir.join(name),
        binary: std::env::current_exe().map_err(|e| Failure::internal(format!("can't find this program: {e}")))?,
    };
    let evidence = spec.evidence();
    let played = shutdown.run_until_cancelled(Box::pin(chaos::run(&spec, &|news| tell(&news)))).await;
    let played = played.unwrap_or_else(|| Err(anyhow::anyhow!("stopped before it was done")));
    let judged = played.map_err(Failure::from).and_then(|()| verdict(&evidence, args.json));
    if judged.is_err() || args.keep {
        output::note(&format!("the evidence is in {}", evidence.display()));
    } else {
        // What can't be removed is in nobody's way.
        let _ = std::fs::remove_dir_all(&spec.dir);
    }
    judged.map(drop)
}

/// Judges, tells, and fails if a promise was broken or the run is void.
fn verdict(evidence: &Path, json: bool) -> Result<Verdict, Failure> {
    let verdict = judge(&Evidence::read(evidence)?);
    if json {
        output::json(&verdict)?
    } else {
        report::show(&verdict)?
    }
    for line in report::faults(&verdict) {
        output::note(&line);
    }
    if verdict.is_broken() {
        return Err(Failure::broken("a promise was broken"));
    }
    if verdict.void {
        let missing = verdict.found.missing.join(", ");
        return Err(Failure::void(format!("the run proves nothing: it never came to: {missing}; try another seed")));
    }
    Ok(verdict)
}

fn tell(news: &News) {
    let line = match news {
        News::Starting => "starting servers, 2 schedulers, 4 workers".to_owned(),
        News::Fault(class) => format!("fault: {class}"),
        News::Settling => "no more faults: waiting for the last jobs".to_owned(),
    };
    output::note(&line);
}
