//! `docket bench`: what the engine does in a second on this machine.

mod progress;
mod report;

use super::{
    exit::{Failure, Outcome},
    output, role,
};
use crate::{
    config::{self, Environment},
    dev::{
        Services, ServicesSpec,
        bench::{self, BenchError, BenchPlace, BenchReport, BenchSpec, Scenario},
    },
    fleet::broker::{Topology, definitions},
};
use clap::Parser;
use progress::Bars;
use std::{path::PathBuf, time::Duration};

/// Arguments.
#[derive(Debug, Parser)]
#[command(
    after_help = "Example: docket bench --scenario drain --jobs 50000 --workers 2\nOn private servers, whatever \
                  DATABASE_URL says, unless --external is given.\nThe protocol's variables are read: \
                  DOCKET_POINTERS_MAX=32 docket bench"
)]
pub(super) struct Args {
    /// What to measure; may be given more than once [default: all of them]
    #[arg(long, value_name = "NAME", value_enum)]
    scenario: Vec<Scenario>,
    /// Jobs that `enqueue`, `drain` and `direct` put into the ledger
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    jobs: u32,
    /// Workers, each with connections of its own, in this process
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=32))]
    workers: u32,
    /// Jobs at once, each worker
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    slots: u32,
    /// How long `latency` enqueues
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// How long a job of `drain`, `direct` and `latency` sleeps; 0: it ends at once
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=60_000))]
    job_ms: u64,
    /// The same seed makes the same jobs at the same distances
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Measure the servers that the environment names, in a database that holds no job
    #[arg(long)]
    external: bool,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
    /// State directory of the private servers
    #[arg(long, value_name = "DIR", default_value = ".docket/bench")]
    dir: PathBuf,
}

impl Args {
    fn spec(&self) -> BenchSpec {
        BenchSpec {
            scenarios: if self.scenario.is_empty() { Scenario::ALL.to_vec() } else { self.scenario.clone() },
            jobs: self.jobs,
            workers: self.workers,
            slots: self.slots,
            work: Duration::from_millis(self.job_ms),
            time: Duration::from_secs(self.seconds),
            seed: self.seed,
        }
    }
}

pub(super) async fn run(args: Args, mut env: Environment) -> Outcome {
    let shutdown = role::signals(false)?;
    let mut services = None;
    if !args.external {
        let (private, at) = start(&args, env).await?;
        (services, env) = (Some(private), at);
    }
    let measured = shutdown.run_until_cancelled(measure(&args, &env, services.as_ref())).await;
    if let Some(services) = services {
        services.stop().await;
    }
    let report = measured.unwrap_or_else(|| Err(Failure::internal("stopped before it was done")))?;
    if args.json { output::json(&report) } else { report::show(&report) }
}

/// Private servers, and an environment that names them.
async fn start(args: &Args, env: Environment) -> Result<(Services, Environment), Failure> {
    let topology = Topology::new(["default"]).map_err(Failure::internal)?;
    let spec = ServicesSpec {
        dir: args.dir.clone(),
        keep: false,
        postgres: true,
        rabbitmq: Some(definitions(&topology, "/", &[])),
        durable: true,
    };
    let services = Services::start(spec).await?;
    let mut env = env.without(&["DATABASE_URL", "DATABASE_URL_FILE", "AMQP_URL", "AMQP_URL_FILE"]);
    for (name, url) in [("DATABASE_URL", services.database_url()), ("AMQP_URL", services.amqp_url())] {
        env.set_default(name, url.unwrap_or_default());
    }
    Ok((services, env))
}

async fn measure(args: &Args, env: &Environment, services: Option<&Services>) -> Result<BenchReport, Failure> {
    let connections = config::connections(env)?;
    if let Some(services) = services {
        services.wait_broker().await?;
    }
    let place = BenchPlace {
        database: connections.database,
        amqp: connections.amqp,
        protocol: config::fleet(env)?.protocol,
        services,
        metrics: role::metrics()?,
    };
    let bars = Bars::new();
    let report = Box::pin(bench::run(&place, &args.spec(), &|progress| bars.update(progress))).await;
    bars.finish();
    Ok(report?)
}

impl From<BenchError> for Failure {
    fn from(error: BenchError) -> Self {
        match error {
            BenchError::Occupied | BenchError::NoBroker => Self::usage(error),
            BenchError::Database(error) => error.into(),
            BenchError::Migrate(error) => error.into(),
            BenchError::Job(_) | BenchError::Enqueue(_) | BenchError::Fleet(_) => Self::internal(error),
        }
    }
}
