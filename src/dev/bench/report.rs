//! What came out.

use super::{percentile::Percentiles, spec::Scenario, statements::Statements};
use serde::Serialize;
use std::collections::BTreeMap;

/// All scenarios of one run, and what they ran with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BenchReport {
    /// Workers.
    pub workers: u32,
    /// Jobs at once, each worker.
    pub slots: u32,
    /// Most pointers of one message.
    pub pointers_max: i32,
    /// The seed.
    pub seed: u64,
    /// One each, in the order in which they ran.
    pub scenarios: Vec<ScenarioReport>,
}

impl BenchReport {
    /// The throughput without a broker, as a share of that with one, where one run measured both.
    #[must_use]
    pub fn direct_share(&self) -> Option<f64> {
        let rate = |scenario| self.scenarios.iter().find(|s| s.scenario == scenario)?.drain_per_second;
        Some(rate(Scenario::Direct)? / rate(Scenario::Drain)?)
    }
}

/// One scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScenarioReport {
    /// Which one.
    pub scenario: Scenario,
    /// Jobs that were measured.
    pub jobs: u64,
    /// How long the measured part took.
    pub seconds: f64,
    /// Jobs that were committed, a second.
    pub enqueue_per_second: Option<f64>,
    /// Jobs from pending to completed, a second.
    pub drain_per_second: Option<f64>,
    /// From the commit to the handler's start.
    pub latency_ms: Option<Percentiles>,
    /// Resident memory of this process at the end.
    pub rss_mib: f64,
    /// Processor time.
    pub cpu_seconds: CpuSeconds,
    /// What PostgreSQL wrote ahead, a job.
    pub wal_bytes_per_job: f64,
    /// Jobs of a broker message, or of a direct lease, on average.
    pub k_mean: Option<f64>,
    /// Jobs that a worker leased directly, without the broker.
    pub leased_directly: u64,
    /// Statements of the engine, by operation.
    pub statements: BTreeMap<String, Statements>,
}

/// Processor time of the measured part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CpuSeconds {
    /// This process: scheduler, workers, and the bench itself.
    #[serde(rename = "docket")]
    pub own: f64,
    /// The private broker; none if it is not ours.
    pub rabbitmq: Option<f64>,
    /// The private database; none if it is not ours.
    pub postgresql: Option<f64>,
}
