//! Drills: a fault in a private fleet, the alert by its real way, and the way back.
//!
//! An alert goes from a process to Prometheus, a rule, Alertmanager, a webhook. docs/RUNBOOK.md names for each the drill that
//! fires it.

mod acts;
mod hand;
mod kind;
mod receiver;
mod report;
mod stage;
mod vendors;

pub use kind::Drill;
pub use report::{DrillReport, SeenAlert, Step};
pub use stage::DrillSpec;

use anyhow::Result;
use stage::Stage;

/// Runs one drill to its end. `tell` hears of each step as it comes.
///
/// # Errors
/// The fleet can't be started, or doesn't come back.
pub async fn run(drill: Drill, spec: &DrillSpec, tell: &(dyn Fn(&Step) + Sync)) -> Result<DrillReport> {
    let stage = Box::pin(Stage::build(drill, spec, tell)).await?;
    let played = Box::pin(acts::play(drill, &stage)).await;
    let report = match played {
        Ok(recovery) => stage.report(drill, recovery).await,
        Err(error) => Err(error),
    };
    stage.stop().await;
    report
}
