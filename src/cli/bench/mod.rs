//! `docket bench`: what the engine does in a second on this machine.

mod args;
mod progress;
mod report;

pub(super) use args::Args;

use super::{
    exit::{Failure, Outcome},
    output, role,
};
use crate::{
    config::{self, Environment},
    dev::{
        Services, ServicesSpec,
        bench::{self, BenchError, BenchPlace, ScenarioReport},
    },
    fleet::broker::{Topology, definitions},
};
use progress::Bars;

pub(super) async fn run(args: Args, mut env: Environment) -> Outcome {
    let shutdown = role::signals(false)?;
    let mut services = None;
    if !args.external {
        let (private, at) = start(&args, env).await?;
        (services, env) = (Some(private), at);
    }
    let mut reports = Vec::new();
    let work = measure(&args, &env, services.as_ref(), &mut reports);
    let measured = shutdown.run_until_cancelled(work).await;
    if let Some(services) = services {
        services.stop().await;
    }
    // What was measured before something went wrong counts.
    if !args.json && !reports.is_empty() {
        report::show(&reports)?;
    }
    measured.unwrap_or_else(|| Err(Failure::internal("stopped before it was done")))
}

/// Private servers, and an environment that names them.
async fn start(args: &Args, env: Environment) -> Result<(Services, Environment), Failure> {
    let topology = Topology::new(args.spec().lanes()).map_err(Failure::internal)?;
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

/// One scenario after another; each is told as soon as it is measured.
async fn measure(
    args: &Args,
    env: &Environment,
    services: Option<&Services>,
    reports: &mut Vec<ScenarioReport>,
) -> Outcome {
    let connections = config::connections(env)?;
    if let Some(services) = services {
        services.wait_broker().await?;
    }
    let fleet = config::fleet(env)?;
    let place = BenchPlace {
        database: connections.database,
        amqp: connections.amqp,
        protocol: fleet.protocol,
        retention: fleet.retention,
        services,
        metrics: if args.bare { None } else { Some(role::metrics()?) },
    };
    let (bars, spec) = (Bars::new(), args.spec());
    for &scenario in args.scenarios() {
        let measured = Box::pin(bench::run(&place, &spec, scenario, &|progress| bars.update(progress))).await;
        bars.clear();
        let report = measured?;
        if args.json {
            output::json(&report)?;
        }
        reports.push(report);
    }
    Ok(())
}

impl From<BenchError> for Failure {
    fn from(error: BenchError) -> Self {
        match error {
            BenchError::Occupied | BenchError::NoBroker | BenchError::Files(_) => Self::usage(error),
            BenchError::Database(error) => error.into(),
            BenchError::Migrate(error) => error.into(),
            BenchError::Job(_) | BenchError::Enqueue(_) | BenchError::Fleet(_) => Self::internal(error),
        }
    }
}
