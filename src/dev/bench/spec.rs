//! What is to be measured, and where.

use super::Scenario;
use crate::{
    db::{MigrateError, describe},
    dev::Services,
    fleet::{enqueue::EnqueueError, job::NewJobError, ports::Retention, settings::Protocol},
    telemetry::Metrics,
};
use secrecy::SecretString;
use std::{path::PathBuf, time::Duration};

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct BenchSpec {
    /// Jobs; `documents` takes as many files, and `city` as many meetings. None: what suits the scenario.
    pub jobs: Option<u32>,
    /// Workers.
    pub workers: u32,
    /// Jobs at once, each worker.
    pub slots: u32,
    /// Lanes over which the jobs are spread; see [`BenchSpec::lanes`].
    pub lanes: u32,
    /// How long a job sleeps; zero: it ends at once. None: what suits the scenario.
    pub work: Option<Duration>,
    /// How long jobs come in `mixed`, `latency` and `urgent`, and how long `sleep` takes if the slots are used well.
    pub time: Duration,
    /// The same seed makes the same jobs at the same distances.
    pub seed: u64,
    /// After `drain` the same with one pointer a message.
    pub baseline: bool,
    /// A folder of further PDFs for `documents`.
    pub files: Option<PathBuf>,
}

impl BenchSpec {
    /// The names of the lanes: `default`, `bench-2`, `bench-3` and so on.
    #[must_use]
    pub fn lanes(&self) -> Vec<String> {
        let name = |number| if number == 1 { "default".to_owned() } else { format!("bench-{number}") };
        (1..=self.lanes.max(1)).map(name).collect()
    }

    /// Jobs of a scenario whose number of jobs does not follow from its time.
    pub(super) fn jobs(&self, scenario: Scenario) -> u32 {
        self.jobs.unwrap_or(match scenario {
            Scenario::Backlog => 10_000_000,
            Scenario::Urgent => 1_000_000,
            Scenario::City => 1_000,
            Scenario::Summaries => 150,
            Scenario::Documents => 500,
            _ => 20_000,
        })
    }

    /// How long a job of a scenario sleeps.
    pub(super) fn work(&self, scenario: Scenario) -> Duration {
        self.work.unwrap_or(match scenario {
            Scenario::Sleep => Duration::from_millis(100),
            Scenario::Urgent => Duration::from_millis(50),
            _ => Duration::ZERO,
        })
    }

    /// Jobs at once, all workers together.
    pub(super) const fn all_slots(&self) -> u32 {
        self.workers * self.slots
    }
}

/// Where it is measured.
#[derive(Clone)]
pub struct BenchPlace<'a> {
    /// A database that holds no jobs. The bench works in schemas of its own there, and removes them.
    pub database: tokio_postgres::Config,
    /// A broker with the topology of the spec's lanes; none, if no scenario needs one.
    pub amqp: Option<SecretString>,
    /// The protocol's times and bounds.
    pub protocol: Protocol,
    /// How long ended jobs are kept.
    pub retention: Retention,
    /// The private services that these two are, if they are: their processor time is told.
    pub services: Option<&'a Services>,
    /// This process's metrics: statements are counted there. None: they are not, and nothing else is.
    pub metrics: Option<Metrics>,
}

/// How far a scenario is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which one.
    pub scenario: Scenario,
    /// Which step of it, in a word or two.
    pub step: &'static str,
    /// Jobs so far.
    pub done: u64,
    /// Jobs in all.
    pub total: u64,
}

/// Whoever wants to know how far it is.
pub(super) type Listener<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// One step of a scenario, which tells how far it is.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    listener: Listener<'a>,
    scenario: Scenario,
    step: &'static str,
    total: u64,
}

impl<'a> Step<'a> {
    /// The first step; it has begun.
    pub(super) fn begin(listener: Listener<'a>, scenario: Scenario, step: &'static str, total: u64) -> Self {
        let this = Self { listener, scenario, step, total };
        this.tell(0);
        this
    }

    /// The step after this one; it has begun.
    pub(super) fn next(self, step: &'static str, total: u64) -> Self {
        Self::begin(self.listener, self.scenario, step, total)
    }

    pub(super) fn tell(&self, done: u64) {
        let Self { listener, scenario, step, total } = *self;
        listener(Progress { scenario, step, done, total });
    }

    pub(super) const fn scenario(&self) -> Scenario {
        self.scenario
    }
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The database is in use.
    #[error("the database holds jobs: a bench would disturb them, and they it; name an empty database, or none")]
    Occupied,
    /// No broker is named, and the scenario needs one.
    #[error("this scenario needs a broker: set AMQP_URL; --scenario direct needs none")]
    NoBroker,
    /// The folder of documents can't be read, or holds none.
    #[error("{0}")]
    Files(String),
    /// The database failed or is away.
    #[error("the database failed: {}", describe(.0))]
    Database(#[from] tokio_postgres::Error),
    /// The schema could not be made.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// A job was not acceptable.
    #[error(transparent)]
    Job(#[from] NewJobError),
    /// Jobs could not be enqueued.
    #[error(transparent)]
    Enqueue(#[from] EnqueueError),
    /// The fleet did not work as it must.
    #[error("{0}")]
    Fleet(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_suits_the_scenario() {
        let spec = BenchSpec {
            jobs: None,
            workers: 2,
            slots: 8,
            lanes: 3,
            work: None,
            time: Duration::from_secs(1),
            seed: 1,
            baseline: false,
            files: None,
        };
        assert_eq!(spec.lanes(), ["default", "bench-2", "bench-3"]);
        assert_eq!((spec.jobs(Scenario::Urgent), spec.jobs(Scenario::Drain)), (1_000_000, 20_000));
        assert_eq!(spec.work(Scenario::Sleep), Duration::from_millis(100));
        let said = BenchSpec { jobs: Some(7), work: Some(Duration::ZERO), lanes: 0, ..spec };
        assert_eq!((said.jobs(Scenario::Urgent), said.work(Scenario::Sleep)), (7, Duration::ZERO));
        assert_eq!(said.lanes(), ["default"]);
    }
}
