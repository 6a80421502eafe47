//! What is to be measured, and where.

use crate::{
    db::{MigrateError, describe},
    dev::Services,
    fleet::{enqueue::EnqueueError, job::NewJobError, settings::Protocol},
    telemetry::Metrics,
};
use secrecy::SecretString;
use serde::Serialize;
use std::{fmt, time::Duration};

/// One kind of measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Scenario {
    /// Jobs into the ledger, 100 a transaction, while nothing takes them out.
    Enqueue,
    /// A backlog that was committed at once, until the last of its jobs is completed.
    Drain,
    /// The same backlog at a site without a broker: workers lease from the ledger.
    Direct,
    /// 200 jobs a second that come at random, each in a transaction of its own: from the commit to the handler's start.
    Latency,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Enqueue, Self::Drain, Self::Direct, Self::Latency];

    /// Whether its fleet has a broker.
    pub(super) const fn has_broker(self) -> bool {
        !matches!(self, Self::Direct)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Enqueue => "enqueue",
            Self::Drain => "drain",
            Self::Direct => "direct",
            Self::Latency => "latency",
        })
    }
}

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct BenchSpec {
    /// Which scenarios, in this order.
    pub scenarios: Vec<Scenario>,
    /// Jobs of `enqueue`, `drain` and `direct`.
    pub jobs: u32,
    /// Workers.
    pub workers: u32,
    /// Jobs at once, each worker.
    pub slots: u32,
    /// How long a job of the other scenarios than `enqueue` sleeps; zero: it ends at once.
    pub work: Duration,
    /// How long `latency` enqueues.
    pub time: Duration,
    /// The same seed makes the same jobs at the same distances.
    pub seed: u64,
}

/// Where it is measured.
pub struct BenchPlace<'a> {
    /// A database that holds no jobs. The bench works in schemas of its own there, and removes them.
    pub database: tokio_postgres::Config,
    /// A broker with the topology of the lane `default`; none, if no scenario needs one.
    pub amqp: Option<SecretString>,
    /// The protocol's times and bounds.
    pub protocol: Protocol,
    /// The private services that these two are, if they are: their processor time is told.
    pub services: Option<&'a Services>,
    /// This process's metrics: statements are counted there.
    pub metrics: Metrics,
}

/// How far a scenario is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which one.
    pub scenario: Scenario,
    /// Jobs so far.
    pub done: u64,
    /// Jobs in all.
    pub total: u64,
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
