//! What `docket bench` does: it measures the real engine on real servers, each scenario in a schema of its own.
//!
//! Scheduler and workers run in this process, as tasks with connections of their own. All times are taken on this
//! process's monotonic clock; nothing compares the clocks of two machines.

mod arrivals;
mod backlog;
mod callers;
mod city;
mod documents;
mod drain;
mod effects;
mod enqueue;
mod fill;
mod fleet;
mod ground;
mod jobs;
mod kinds;
mod latency;
mod meter;
mod mixed;
mod percentile;
mod report;
mod retry;
mod run;
mod scenario;
mod spec;
mod statements;
mod tally;

pub use percentile::{Percentiles, percentile};
pub use report::{Backlog, CpuSeconds, ScenarioReport};
pub use run::run;
pub use scenario::Scenario;
pub use spec::{BenchError, BenchPlace, BenchSpec, Progress};
pub use statements::Statements;
