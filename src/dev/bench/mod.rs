//! What `docket bench` does: it measures the real engine on real servers, each scenario in a schema of its own.
//!
//! Scheduler and workers run in this process, as tasks with connections of their own. All times are taken on this
//! process's monotonic clock; nothing compares the clocks of two machines.

mod arrivals;
mod drain;
mod enqueue;
mod fleet;
mod ground;
mod jobs;
mod latency;
mod meter;
mod percentile;
mod report;
mod run;
mod spec;
mod statements;

pub use percentile::{Percentiles, percentile};
pub use report::{BenchReport, CpuSeconds, ScenarioReport};
pub use run::run;
pub use spec::{BenchError, BenchPlace, BenchSpec, Progress, Scenario};
pub use statements::Statements;
