//! What can be typed.

use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Docket: a worker fleet that ingests civic meetings.
#[derive(Debug, Parser)]
#[command(
    name = "docket",
    version,
    about,
    after_help = "Example: docket demo --workers 2\nSettings: docket config reference"
)]
pub(super) struct Cli {
    /// Configuration file.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Configuration",
        help = "Configuration file; none reads no file at all [env: DOCKET_CONFIG; default: docket.toml here, else \
                /etc/docket/docket.toml]"
    )]
    pub(super) config: Option<PathBuf>,
    /// Set one value, such as fleet.lease=20s; may be given more than once, not for secrets
    #[arg(long, global = true, value_name = "KEY=VALUE", help_heading = "Configuration")]
    pub(super) set: Vec<String>,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Start everything on this machine, with private PostgreSQL and RabbitMQ where no URL is given
    Dev(super::dev::Args),
    /// Start everything, and watch the meetings of five made-up cities go through
    Demo(super::demo::Args),
    /// Measure throughput, latency and cost of the engine, on private servers
    Bench(super::bench::Args),
    /// Hurt a private fleet at random, and judge whether anything was lost or done twice
    Chaos(super::chaos::Args),
    /// Dispatch due jobs to the broker, and bring back what was lost
    Scheduler(super::scheduler::Args),
    /// Run jobs
    Worker(super::worker::Args),
    /// Run the jobs of the chaos, which tell what is done with them
    #[command(hide = true)]
    ChaosWorker(super::chaos::worker::ChaosWorkerArgs),
    /// Serve the API
    Server(super::server::Args),
    /// Look for what is wrong with this set-up, and say how to mend it
    Doctor(super::doctor::Args),
    /// Tell whether every job is accounted for
    Audit(super::audit::Args),
    /// Ask a health endpoint once, for containers without curl
    Healthcheck(super::healthcheck::Args),
    /// Bring the database's schema up to date
    Migrate(super::migrate::Args),
    /// The broker's exchanges, queues and policies
    Topology(super::topology::Args),
    /// Enqueue a job
    Enqueue(super::enqueue::Args),
    /// List, show and cancel jobs
    Jobs(super::jobs::Args),
    /// List, show, requeue and discard what failed for good
    Dead(super::dead::Args),
    /// Circuit breakers: vendors and hosts that are down are asked by one job, not by all
    Breakers(super::breakers::Args),
    /// List, pause and resume lanes
    Lanes(super::lanes::Args),
    /// List the workers and schedulers that the ledger knows
    Workers(super::workers::Args),
    /// Tokens for the API
    Token(super::token::Args),
    /// The queue in numbers
    Queue(super::queue::Args),
    /// What language models have cost, and what a backfill would
    Cost(super::cost::Args),
    /// The cities that are followed
    Cities(super::cities::Args),
    /// Parse the recorded answers of a vendor's cities once more, without asking any site
    Reparse(super::reparse::Args),
    /// What comes up again and again until it is decided
    Matters(super::matters::Args),
    /// Agendas that are only a document, and the items in them
    Agendas(super::agendas::Args),
    /// What vendors answer
    Vendors(super::vendors::Args),
    /// Documents and their text
    Documents(super::documents::Args),
    /// Print a log of JSON lines for people
    Logs(super::logs::Args),
    /// What a process logs by, and a change of it for a while
    LogLevel(super::log_level::Args),
    /// Hurt a private fleet, and see the alert arrive and the fleet come back
    Drill(super::drill::Args),
    /// The metric families of /metrics
    Metrics(super::metrics::Args),
    /// What can be set, what is set, and where
    Config(super::config::Args),
}
