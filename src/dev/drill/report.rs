//! What a drill came to.

use super::Drill;
use serde::Serialize;

/// Something that was done, or seen.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Since the fleet was ready.
    pub at_seconds: f64,
    /// What.
    pub what: String,
}

/// An alert that arrived at the webhook.
#[derive(Clone, Debug, Serialize)]
pub struct SeenAlert {
    /// Its name.
    pub name: String,
    /// When it arrived, since the fleet was ready.
    pub at_seconds: f64,
    /// What it said.
    pub description: String,
}

/// The result.
#[derive(Clone, Debug, Serialize)]
pub struct DrillReport {
    /// Which drill.
    pub drill: Drill,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// From the fault's end (or, where it has none, its beginning) until every job had ended; by hand, until the operator
    /// was done.
    pub recovery_seconds: f64,
    /// Alerts that arrived; none: Prometheus or Alertmanager is not installed, so nobody looked.
    pub alerts: Option<Vec<SeenAlert>>,
    /// Alerts that should have arrived and did not.
    pub missing_alerts: Vec<&'static str>,
    /// Jobs that have not ended.
    pub open_jobs: i64,
    /// Jobs that the audit misses, by the scheduler's own verdict after the fault; none: it gave none in time.
    pub unaccounted_jobs: Option<u64>,
}

impl DrillReport {
    /// The way there and back was as it should be.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.missing_alerts.is_empty() && self.open_jobs == 0 && self.unaccounted_jobs == Some(0)
    }
}
