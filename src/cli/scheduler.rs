//! `docket scheduler`

use super::{
    exit::Outcome,
    exported, notify,
    role::{self, Process, RoleArgs},
};
use crate::{
    civic::{
        follow, llm::budget::Budgets, prune_record, publish_budgets, publish_coverage, settings::CivicSettings,
        watch_lost_calls,
    },
    config::{self, ConfigError, Environment},
    db::{PoolOptions, PoolPurpose, pool},
    fleet::{
        audit::{AuditSettings, watch},
        ledger::gauges::{Watched, publish_gauges},
        scheduler::{Scheduler, SchedulerSettings},
    },
    telemetry::Owner,
};
use clap::Parser;
use std::{net::SocketAddr, time::Duration};

/// Arguments.
#[derive(Debug, Parser)]
#[command(after_help = "Example: docket scheduler --http 127.0.0.1:9101\nAny number of schedulers may run at once.")]
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

/// How often the queue's gauges are read: once a scrape interval of infra/prometheus.
const GAUGES: Duration = Duration::from_secs(15);

pub(super) async fn run(args: Args, env: Environment) -> Outcome {
    let upkeep = Upkeep::read(&env)?;
    let shutdown = role::signals(args.role.with_parent)?;
    let process = Process::start(&env, &args.role, shutdown).await?;
    let http = config::http(&env, args.role.http, SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let running = process.listen("scheduler", http, process.health_of_loop("scheduler"), None).await?;
    let telling =
        notify::watch(process.health_of_loop("scheduler"), process.progress.marked(), process.shutdown.clone());
    schedule(&process, upkeep).await;
    running.stopped().await;
    role::close(process).await;
    telling.stop().await;
    Ok(())
}

/// What the scheduler does for the domain.
#[derive(Debug)]
pub(super) struct Upkeep {
    /// How long the record of sites' answers is kept.
    record_days: u32,
    /// What may be spent on models: told as a gauge.
    budgets: Budgets,
    /// Whether it lists the cities at their own pace.
    follows: bool,
}

impl Upkeep {
    pub(super) fn read(env: &Environment) -> Result<Self, ConfigError> {
        let (record_days, budgets, follows) = (config::record_days(env)?, config::budgets(env)?, config::follow(env)?);
        Ok(Self { record_days, budgets, follows })
    }
}

/// The scheduler itself, until the process's shutdown.
pub(super) async fn schedule(process: &Process, upkeep: Upkeep) {
    process.born_at_zero(&[Owner::Every, Owner::Scheduler, Owner::OneProcess], &[], &[]);
    let (fleet, shutdown) = (&process.fleet, process.shutdown.clone());
    let lanes = fleet.topology.lanes().to_vec();
    let interval = GAUGES.min(fleet.protocol.lease);
    let watched = Watched { lanes: lanes.clone(), vendors: exported::behind_breakers().collect() };
    let coverage = tokio::spawn(publish_coverage(process.pool.clone(), interval, shutdown.clone()));
    let pruning = tokio::spawn(prune_record(process.pool.clone(), upkeep.record_days, shutdown.clone()));
    let spent = tokio::spawn(publish_budgets(process.pool.clone(), upkeep.budgets, interval, shutdown.clone()));
    let lost = tokio::spawn(watch_lost_calls(process.pool.clone(), shutdown.clone()));
    let gauges = tokio::spawn(publish_gauges(process.pool.clone(), watched, interval, shutdown.clone()));
    let following = upkeep
        .follows
        .then(|| tokio::spawn(follow(process.pool.clone(), CivicSettings::default(), process.shutdown.clone())));
    let settings = AuditSettings::new(lanes.clone(), &fleet.protocol);
    let ledger = pool(&process.database, PoolOptions::new(PoolPurpose::Engine, 1));
    let audit = tokio::spawn(watch(ledger, process.broker.clone(), settings, shutdown.clone()));
    let wake = crate::db::listen(process.database.clone(), shutdown.clone());
    let settings = SchedulerSettings {
        name: role::process_name(),
        lanes,
        retention: fleet.retention.clone(),
        progress: process.progress.clone(),
    };
    Scheduler::run(process.ledger(), process.broker.clone(), settings, fleet.protocol.clone(), wake, shutdown).await;
    // A panic there was reported by the panic hook.
    let _ = (coverage.await, pruning.await, spent.await, lost.await, gauges.await, audit.await);
    if let Some(following) = following {
        let _ = following.await;
    }
}
