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
        ledger::PgTx,
        worker::{Worker, WorkerSettings},
    },
    telemetry::Owner,
};
use clap::Parser;
use std::{net::SocketAddr, sync::Arc};

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket worker --slots 32 --lanes default\nAny number of workers may run at once.")]
pub(super) struct Args {
    /// Jobs at once
    #[arg(long, default_value_t = 16, env = "DOCKET_SLOTS", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    slots: u32,
    /// Lanes to serve, separated by commas; all configured ones if none is named
    #[arg(long, value_delimiter = ',')]
    lanes: Vec<String>,
    #[command(flatten)]
    role: RoleArgs,
}

pub(super) async fn run(args: Args, env: Environment) -> Outcome {
    let shutdown = role::signals(args.role.with_parent)?;
    let process = Process::start(&env, &args.role, shutdown).await?;
    let http = config::http(&env, args.role.http, SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let ledger = process.ledger();
    let registry = role::handlers(&env, &ledger)?;
    let settings = settings(&args, &process)?;
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

fn settings(args: &Args, process: &Process) -> Result<WorkerSettings, Failure> {
    let known = process.fleet.topology.lanes();
    let lanes = if args.lanes.is_empty() { known.to_vec() } else { args.lanes.clone() };
    if let Some(unknown) = lanes.iter().find(|lane| !known.contains(lane)) {
        return Err(Failure::usage(format!("unknown lane {unknown:?}: DOCKET_LANES has {}", known.join(", "))));
    }
    let progress = process.progress.clone();
    Ok(WorkerSettings { name: role::process_name(), lanes, slots: args.slots, progress })
}

fn born(process: &Process, registry: &Arc<Registry<PgTx>>) {
    let kinds: Vec<&str> = registry.kinds().map(|meta| meta.kind).collect();
    process.born_at_zero(&[Owner::Every, Owner::Worker], &kinds);
}
