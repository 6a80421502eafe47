//! `docket topology apply`: plan, do, look again.

use super::{
    place::{Place, Site, failure},
    show,
};
use crate::{
    cli::{
        confirm,
        exit::{Failure, Outcome},
        output,
    },
    config::Environment,
    fleet::broker::{Pruned, apply, management::Observed, plan::Plan, prune},
};
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Apply {
    #[command(flatten)]
    place: Place,
    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Delete the queues of lanes that are not configured, those that are empty and have no consumer
    #[arg(long)]
    prune: bool,
    /// Don't ask before --prune
    #[arg(long)]
    yes: bool,
}

/// A broker may tell what was just declared a moment later.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// What was done so far.
#[derive(Default)]
struct Done {
    steps: Vec<String>,
    pruned: Vec<String>,
    left: Vec<String>,
}

pub(super) async fn run(args: &Apply, env: &Environment, json: bool) -> Outcome {
    let site = args.place.needed(env)?;
    let (observed, plan) = site.plan().await?;
    if !json {
        show::plan(&site, &observed, &plan)?;
    }
    if args.dry_run {
        if json {
            report(&site, &observed, &plan, &Done::default())?;
        }
        return show::verdict(&plan);
    }
    let idle: Vec<&str> = plan.leftovers.iter().filter(|l| l.is_idle()).map(|l| l.queue.as_str()).collect();
    let doomed = if args.prune { idle } else { Vec::new() };
    if !doomed.is_empty() {
        confirm::possible(args.yes)?;
        confirm::confirm(&format!("delete these {} empty queues?", doomed.len()), args.yes)?;
    }
    let mut done = Done::default();
    let outcome = change(&site, &plan, &doomed, &mut done, json).await;
    if let Err(failure) = outcome {
        return Err(halfway(failure, &done, &plan, json));
    }
    verify(&site, &done, json).await
}

async fn change(site: &Site, plan: &Plan, doomed: &[&str], done: &mut Done, json: bool) -> Result<(), Failure> {
    let applied = apply(&site.management, &site.vhost, &plan.steps, |step| {
        done.steps.push(step.to_string());
        if !json {
            // A reader that went away must not stop what has begun.
            let _ = show::line(&format!("done: {step}"));
        }
    });
    applied.await.map_err(|e| if e.error.is_unavailable() { Failure::unavailable(e) } else { Failure::usage(e) })?;
    for queue in doomed {
        let pruned = prune(&site.management, &site.vhost, queue).await;
        let (list, word) = match pruned.map_err(|error| failure(&error))? {
            Pruned::Deleted => (&mut done.pruned, "done: delete"),
            Pruned::InUse => (&mut done.left, "left, it is in use again:"),
        };
        list.push((*queue).to_owned());
        if !json {
            let _ = show::line(&format!("{word} queue {queue}"));
        }
    }
    Ok(())
}

/// Looks again until nothing is to be done, so that success is what the broker says.
async fn verify(site: &Site, done: &Done, json: bool) -> Outcome {
    let (mut observed, mut plan) = site.plan().await?;
    for _ in 1..LOOKS {
        if plan.steps.is_empty() {
            break;
        }
        sleep(BETWEEN_LOOKS).await;
        (observed, plan) = site.plan().await?;
    }
    if json {
        report(site, &observed, &plan, done)?;
    } else {
        show::section("still to do", plan.steps.iter())?;
    }
    if !plan.steps.is_empty() {
        return Err(unfinished(&plan));
    }
    show::verdict(&plan)?;
    if json { Ok(()) } else { show::line("verified: the broker holds all that these lanes need") }
}

fn report(site: &Site, observed: &Observed, plan: &Plan, done: &Done) -> Outcome {
    let mut value = show::plan_json(site, observed, plan);
    value["done"] = json!(done.steps);
    value["pruned"] = json!(done.pruned);
    value["in_use"] = json!(done.left);
    output::json(&value)
}

fn unfinished(plan: &Plan) -> Failure {
    Failure::internal(format!(
        "the broker took all steps and still lacks {} of them: does something else change it? plan again",
        plan.steps.len()
    ))
}

/// Says what is done already; all of it stays and is not repeated by the next run.
fn halfway(failure: Failure, done: &Done, plan: &Plan, json: bool) -> Failure {
    if json {
        // The failure itself is told on standard error.
        let _ = output::json(
            &json!({"done": done.steps, "pruned": done.pruned, "in_use": done.left, "failed": failure.to_string()}),
        );
    }
    failure.with(&format!(
        "{} of {} steps were done before and stay; mend this and apply again",
        done.steps.len(),
        plan.steps.len()
    ))
}
