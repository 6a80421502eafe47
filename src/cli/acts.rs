//! What an operator's act did.

use super::{
    exit::{Failure, Outcome},
    output,
};
use crate::fleet::{job::JobId, ledger::operate::Acted};

/// Which jobs an act is about: exactly one of the three.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Selection {
    /// Jobs
    #[arg(value_name = "ID")]
    pub(super) ids: Vec<i64>,
    /// All dead letters of this kind, up to 100,000
    #[arg(long)]
    pub(super) kind: Option<String>,
    /// All dead letters, up to 100,000
    #[arg(long)]
    pub(super) all: bool,
}

/// Ids as the ledger has them.
pub(super) fn ids(ids: &[i64]) -> Vec<JobId> {
    ids.iter().copied().map(JobId).collect()
}

/// Prints it. Jobs that were named and left as they are make the command fail; what could be done stays done.
pub(super) fn tell(acted: &Acted, named: bool, json: bool) -> Outcome {
    if json {
        output::json(acted)?;
    } else if acted.done.is_empty() && acted.refused.is_empty() {
        output::text("there is nothing to do")?;
    } else if named || acted.done.len() + acted.refused.len() <= 100 {
        let done = acted.done.iter().map(|d| [d.id.to_string(), d.status.to_string(), String::new()]);
        let refused = acted.refused.iter().map(|r| [r.id.to_string(), String::new(), format!("left: {}", r.because)]);
        output::table(["id", "status now", ""], done.chain(refused))?;
    } else {
        output::text(&format!("{} done, {} left as they are", acted.done.len(), acted.refused.len()))?;
    }
    match acted.refused.first() {
        Some(first) if named => Err(Failure::usage(format!(
            "{} of {} jobs left as they are; job {}: {}; see docket jobs list",
            acted.refused.len(),
            acted.done.len() + acted.refused.len(),
            first.id,
            first.because
        ))),
        _ => Ok(()),
    }
}
