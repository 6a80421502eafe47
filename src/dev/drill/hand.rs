//! What an operator does by hand, and how a drill knows that it is done.

use super::stage::Stage;
use anyhow::{Context, Result};
use std::time::Duration;
use tokio::time::timeout;

/// Whoever practises may read and think.
const PATIENCE: Duration = Duration::from_hours(1);

impl Stage<'_> {
    /// Where the drill is by hand: says what fires, and waits until nothing does but the watchdog, no job is open and no dead
    /// letter is left. Otherwise false, at once.
    pub(super) async fn by_hand(&self) -> Result<bool> {
        let (true, Some(monitoring)) = (self.is_by_hand, &self.monitoring) else { return Ok(false) };
        let (env, targets) = (self.fleet.services().env_file(), monitoring.targets_dir());
        let (env, targets) = (env.display(), targets.display());
        self.say(format!("yours now, by docs/RUNBOOK.md: set -a; . '{env}'; DOCKET_TARGETS_DIR='{targets}'; set +a"));
        timeout(PATIENCE, self.quiet(monitoring)).await.context("an hour later it is not green")??;
        self.say("green: nothing fires but the watchdog, no job is open, no dead letter is left");
        Ok(true)
    }
}
