//! `docket worker`

use super::{
    exit::{Failure, Outcome},
    notify,
    role::{self, Process, RoleArgs},
};
use crate::{
    civic::vendor::http::TlsException,
    config::{self, Environment},
    db,
    fleet::{
        handler::Registry,
        ledger::{PgLedger, PgTx},
        worker::{Worker, WorkerSettings},
    },
    http::{CheckResult, Health},
    telemetry::Owner,
};
use clap::{Parser, builder::NonEmptyStringValueParser};
use std::{net::SocketAddr, sync::Arc};
use tokio_postgres::Config;

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
    let (retention, progress) = (process.fleet.retention.clone(), process.progress.clone());
    if retention.deletes() {
        may_delete(&process.database).await?;
    }
    let settings = WorkerSettings { name: role::process_name(), lanes, slots, retention, progress };
    let civic = config::civic(env)?;
    for TlsException { host, reason } in &civic.http.tls_exceptions {
        tracing::warn!(event = "tls.unverified", host, reason, "the certificate of this host is not verified");
    }
    born(&process, &registry, &civic.summariser.models());
    let running = process.listen("worker", http, health(&process), None).await?;
    let telling = notify::watch(health(&process), process.progress.marked(), process.shutdown.clone());
    let (protocol, stop) = (process.fleet.protocol.clone(), process.shutdown.clone());
    let wake = db::listen(process.database.clone(), stop.clone()).subscribe();
    let worker = Worker::start(ledger, process.broker.clone(), registry, settings, protocol, wake, stop).await;
    if let Some(worker) = worker.map_err(Failure::usage)? {
        worker.stopped().await;
    }
    running.stopped().await;
    let gave_up = process.progress.gave_up();
    role::close(process).await;
    telling.stop().await;
    gave_up.map_or(Ok(()), |reason| Err(Failure::internal(format!("the worker ended to be started again: {reason}"))))
}

/// A worker that deletes what it completes needs a right that others don't have.
async fn may_delete(database: &Config) -> Result<(), Failure> {
    let sql =
        "select bool_and(has_table_privilege(t, 'delete')) from unnest(array['jobs', 'job_attempts', 'job_events']) t";
    let client = db::connect(database).await?;
    if client.query_one(sql, &[]).await?.get(0) {
        return Ok(());
    }
    Err(Failure::usage(
        "retention.completed is 0, so a worker deletes what it completes, and this account may not: \
         grant delete on jobs, job_attempts, job_events to it, or keep completed jobs for a while",
    ))
}

/// A worker with a stuck handler goes on with a thread less.
fn health(process: &Process) -> Health {
    let progress = process.progress.clone();
    process.health_of_loop("worker").ready("handlers", move || match progress.stuck() {
        0 => CheckResult::ok("none is stuck"),
        stuck => {
            CheckResult::degraded(format!("{stuck} went on after the end of their attempts and keep their threads"))
        }
    })
}

fn born(process: &Process, registry: &Arc<Registry<PgTx>>, models: &[&str]) {
    let kinds: Vec<&str> = registry.kinds().map(|meta| meta.kind).collect();
    process.born_at_zero(&[Owner::Every, Owner::Worker], &kinds, models);
}
