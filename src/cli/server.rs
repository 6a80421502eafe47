//! `docket server`

use super::{
    exit::{Failure, Outcome},
    kinds::kinds,
    notify,
    role::{self, Process, RoleArgs},
};
use crate::{
    config::{self, Environment},
    fleet::gate::Gate,
    http::api,
    telemetry::Owner,
};
use clap::Parser;
use std::net::SocketAddr;

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "\
Jobs go in by POST /api/jobs, lanes are paused, dead letters requeued: docs/API.md and GET /api/openapi.json tell all.
Beyond this machine it needs tokens: docket token new --name ci --role operator

Example: docket server --http 127.0.0.1:8080, then: curl 127.0.0.1:8080/api/queue-stats")]
pub(super) struct Args {
    #[command(flatten)]
    role: RoleArgs,
}

impl Args {
    /// Flags that are settings.
    pub(super) fn flags(&self) -> Vec<(&'static str, &'static str, String)> {
        self.role.flags()
    }
}

/// Where the API is found unless something else is said.
pub(super) const DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

pub(super) async fn run(args: Args, env: Environment) -> Outcome {
    let http = config::http(&env, args.role.http, DEFAULT)?;
    let shutdown = role::signals(args.role.with_parent)?;
    let process = Process::start(&env, &args.role, shutdown).await?;
    process.born_at_zero(&[Owner::Every], &[], &[]);
    let running = process.listen("server", http, process.health(), Some(router(&process, &env)?)).await?;
    // It listens, and the database answered: that is all its work needs.
    let telling = notify::watch(process.health(), std::future::ready(()), process.shutdown.clone());
    process.shutdown.cancelled().await;
    running.stopped().await;
    role::close(process).await;
    telling.stop().await;
    Ok(())
}

/// The API's routes.
pub(super) fn router(process: &Process, env: &Environment) -> Result<axum::Router, Failure> {
    let gate = Gate::start(&process.database, kinds(process.pool.clone())?, config::max_pending(env)?);
    process.sample("gate", gate.pool());
    let database = api::Database::new(process.pool.clone());
    Ok(api::router(api::Api::new(database, gate, process.fleet.topology.lanes())))
}
