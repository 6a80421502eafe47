//! `docket worker`

use super::{
    exit::{Failure, Outcome},
    notify,
    role::{self, Process, RoleArgs},
};
use crate::{
    config::{self, Environment},
    fleet::{
        handler::Registry,
        ledger::{PgLedger, PgTx},
        worker::{Worker, WorkerSettings},
    },
    telemetry::Owner,
};
use clap::{Parser, builder::NonEmptyStringValueParser};
use std::{net::SocketAddr, sync::Arc};

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket worker --slots 32 --lanes default\nAny number of workers may run at once.")]
pub(super) struct Args {
    /// Jobs at once.
    #[arg(
        long,
        value_parser = clap::value_parser!(u32).range(1..=10_000),
        help = "Jobs at once [env: DOCKET_SLOTS; default: 16]"
    )]
    slots: Option<u32>,
    /// Lanes to serve.
    #[arg(
        long,
        value_parser = NonEmptyStringValueParser::new(),
        help = "Lanes to serve, separated by commas [env: DOCKET_WORKER_LANES; default: all configured ones]"
    )]
    lanes: Option<String>,
    #[command(flatten)]
    role: RoleArgs,
}

impl Args {
    /// Flags that are settings.
    pub(super) fn flags(&self) -> Vec<(&'static str, &'static str, String)> {
        let slots = self.slots.map(|slots| ("--slots", "DOCKET_SLOTS", slots.to_string()));
        let lanes = self.lanes.clone().map(|lanes| ("--lanes", "DOCKET_WORKER_LANES", lanes));
        slots.into_iter().chain(lanes).chain(self.role.flags()).collect()
    }
}

pub(super) async fn run(args: Args, env: Environment) -> Outcome {
    serve(args, &env, |ledger| role::handlers(&env, ledger)).await
}

/// A worker of these kinds.
pub(super) async fn serve(
    args: Args,
    env: &Environment,
    kinds: impl FnOnce(&PgLedger) -> Result<Arc<Registry<PgTx>>, Failure>,
) -> Outcome {
    let shutdown = role::signals(args.role.with_parent)?;
    let process = Process::start(env, &args.role, shutdown).await?;
    let http = config::http(env, args.role.http, SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let ledger = process.ledger();
    let registry = kinds(&ledger)?;
    let config::WorkerConfig { slots, lanes } = config::worker(env, process.fleet.topology.lanes())?;
    let settings = WorkerSettings { name: role::process_name(), lanes, slots, progress: process.progress.clone() };
    born(&process, &registry);
    let running = process.listen(http, process.health_of_loop("worker"), None).await?;
    notify::watch(process.health_of_loop("worker"), process.progress.marked(), process.shutdown.clone());
    let (protocol, stop) = (process.fleet.protocol.clone(), process.shutdown.clone());
    let wake = crate::db::listen(process.database.clone(), stop.clone()).subscribe();
    let worker = Worker::start(ledger, process.broker.clone(), registry, settings, protocol, wake, stop).await;
    if let Some(worker) = worker.map_err(Failure::usage)? {
        worker.stopped().await;
    }
    running.stopped().await;
    role::close(process).await;
    Ok(())
}

fn born(process: &Process, registry: &Arc<Registry<PgTx>>) {
    let kinds: Vec<&str> = registry.kinds().map(|meta| meta.kind).collect();
    process.born_at_zero(&[Owner::Every, Owner::Worker], &kinds);
}
