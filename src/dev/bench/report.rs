//! What came out.

use super::{
    Scenario,
    percentile::Percentiles,
    spec::{BenchPlace, BenchSpec},
    statements::Statements,
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// One scenario: what it ran with, and what came out. A figure that does not belong to the scenario is none.
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
    /// Resident memory of this process, the most while it was measured.
    pub rss_mib: f64,
    /// The same when the measured part began.
    pub rss_idle_mib: f64,
    /// Processor time.
    pub cpu_seconds: CpuSeconds,
    /// What PostgreSQL wrote ahead, a job.
    pub wal_bytes_per_job: f64,
    /// Jobs of a broker message, or of a direct lease, on average.
    pub k_mean: Option<f64>,
    /// Jobs a second with one pointer a message, in the same run.
    pub baseline_k1_per_second: Option<f64>,
    /// Jobs that a worker leased directly, without the broker.
    pub leased_directly: Option<u64>,
    /// What the slots allow, a second.
    pub ideal_per_second: Option<f64>,
    /// The same work without Docket, a second.
    pub plain_per_second: Option<f64>,
    /// The rate as a share of the ideal or plain one.
    pub share: Option<f64>,
    /// Rates of `backlog`.
    pub backlog: Option<Backlog>,
    /// Rows that waited or lay in the table beside the measured jobs.
    pub rows_beside: Option<u64>,
    /// Attempts of all jobs together.
    pub attempts: Option<u64>,
    /// Processor time of all processes, in milliseconds an agenda item.
    pub cpu_ms_per_item: Option<f64>,
    /// Agenda items that were stored, or summarised.
    pub items: Option<u64>,
    /// The same, a second.
    pub items_per_second: Option<f64>,
    /// Workers.
    pub workers: u32,
    /// Jobs at once, each worker.
    pub slots: u32,
    /// Lanes.
    pub lanes: u32,
    /// How long a job slept, in milliseconds.
    pub job_ms: u64,
    /// Most pointers of one message.
    pub pointers_max: i32,
    /// How long completed jobs are kept, in seconds.
    pub retention_completed_s: u64,
    /// The seed.
    pub seed: u64,
    /// Statements of the engine, by operation.
    pub statements: BTreeMap<String, Statements>,
}

impl ScenarioReport {
    /// Nothing yet.
    pub(super) fn new(scenario: Scenario, spec: &BenchSpec, place: &BenchPlace<'_>) -> Self {
        Self {
            scenario,
            jobs: 0,
            seconds: 0.0,
            enqueue_per_second: None,
            drain_per_second: None,
            latency_ms: None,
            rss_mib: 0.0,
            rss_idle_mib: 0.0,
            cpu_seconds: CpuSeconds { own: 0.0, rabbitmq: None, postgresql: None },
            wal_bytes_per_job: 0.0,
            k_mean: None,
            baseline_k1_per_second: None,
            leased_directly: None,
            ideal_per_second: None,
            plain_per_second: None,
            share: None,
            backlog: None,
            rows_beside: None,
            attempts: None,
            cpu_ms_per_item: None,
            items: None,
            items_per_second: None,
            workers: spec.workers,
            slots: spec.slots,
            lanes: spec.lanes,
            job_ms: millis(spec.work(scenario)),
            pointers_max: place.protocol.pointers_max,
            retention_completed_s: place.retention.completed.as_secs(),
            seed: spec.seed,
            statements: BTreeMap::new(),
        }
    }

    /// The rate of completions, beside one that is known.
    pub(super) fn compare(&mut self, other: f64) {
        self.share = self.drain_per_second.map(|rate| rate / other).filter(|share| share.is_finite());
    }
}

/// Completions a second, with what is in the table besides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Backlog {
    /// Nothing.
    pub alone: f64,
    /// Jobs that wait.
    pub waiting: f64,
    /// Jobs that are completed.
    pub history: f64,
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

impl CpuSeconds {
    /// All of them; none if one is not ours.
    pub(super) fn total(&self) -> Option<f64> {
        Some(self.own + self.rabbitmq? + self.postgresql?)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
