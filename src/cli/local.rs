//! A whole fleet on this machine: services, scheduler and API in this process, workers in processes of their own.

use super::{
    exit::{Failure, Outcome},
    role::{self, Process},
    scheduler, server,
};
use crate::{
    config::{self, Environment, NO_BROKER},
    dev::{
        Services, ServicesSpec,
        monitoring::{Monitoring, MonitoringSpec},
    },
    fleet::broker::definitions,
    http::Running,
    telemetry::Owner,
};
use std::{net::SocketAddr, path::PathBuf, process::Stdio, time::Duration};
use tokio::{
    process::{Child, Command},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// What to start.
pub(super) struct LocalSpec {
    /// State directory of the private services.
    pub(super) dir: PathBuf,
    /// Keep their data.
    pub(super) keep: bool,
    /// Start a private RabbitMQ where none is named; otherwise there is none.
    pub(super) broker: bool,
    /// Worker processes.
    pub(super) workers: usize,
    /// Address of API and metrics.
    pub(super) http: SocketAddr,
}

/// A running fleet.
pub(super) struct LocalFleet {
    pub(super) process: Process,
    pub(super) api: SocketAddr,
    services: Services,
    monitoring: Option<Monitoring>,
    running: Running,
    scheduler: JoinHandle<()>,
    workers: JoinSet<()>,
}

/// Between a worker's end and the start of its successor.
const RESTART: Duration = Duration::from_secs(1);

impl LocalFleet {
    /// Starts it. The API answers as soon as PostgreSQL does; RabbitMQ comes up meanwhile, and workers begin by direct lease.
    pub(super) async fn start(
        spec: LocalSpec,
        env: &mut Environment,
        shutdown: CancellationToken,
    ) -> Result<Self, Failure> {
        let (fleet, follows) = (config::fleet(env)?, config::follow(env)?);
        if !spec.broker {
            *env = env.clone().without(&["AMQP_URL", "AMQP_URL_FILE"]);
            env.set_default("AMQP_URL", NO_BROKER);
        }
        let mut services = Services::start(ServicesSpec {
            dir: spec.dir,
            keep: spec.keep,
            postgres: env.get("DATABASE_URL").is_none() && env.get("DATABASE_URL_FILE").is_none(),
            rabbitmq: (env.get("AMQP_URL").is_none() && env.get("AMQP_URL_FILE").is_none())
                .then(|| definitions(&fleet.topology, "/", &[])),
            durable: true,
        })
        .await?;
        for (name, url) in [("DATABASE_URL", services.database_url()), ("AMQP_URL", services.amqp_url())] {
            if let Some(url) = url {
                env.set_default(name, url);
            }
        }
        services.supervise();
        let monitoring = Monitoring::start(&services, &MonitoringSpec::default())?;
        if let Some(monitoring) = &monitoring {
            env.set_default("DOCKET_TARGETS_DIR", &monitoring.targets_dir().to_string_lossy());
            // Prometheus has no token; it is this machine's, and so is whoever else asks.
            env.set_default("DOCKET_METRICS_OPEN", "true");
        }
        let started = Self::on_services(env, fleet, spec.http, shutdown).await;
        let (process, running) = match started {
            Ok(parts) => parts,
            Err(failure) => {
                services.stop().await;
                return Err(failure);
            }
        };
        let scheduling = process.clone();
        let scheduler = tokio::spawn(async move { scheduler::schedule(&scheduling, follows).await });
        let mut workers = JoinSet::new();
        for _ in 0..spec.workers {
            workers.spawn(keep_worker(env.clone(), process.shutdown.clone()));
        }
        let api = running.addr();
        Ok(Self { process, api, services, monitoring, running, scheduler, workers })
    }

    async fn on_services(
        env: &Environment,
        fleet: config::FleetConfig,
        http: SocketAddr,
        shutdown: CancellationToken,
    ) -> Result<(Process, Running), Failure> {
        let connections = config::connections(env)?;
        crate::db::migrate(&connections.database).await?;
        let process = Process::assemble(connections, fleet, role::metrics()?, shutdown)?;
        process.born_at_zero(&[Owner::Every], &[], &[]);
        process.watch_topology();
        let (settings, api) = (config::http(env, Some(http), http)?, server::router(&process, env)?);
        let running = process.listen("dev", settings, process.health_of_loop("scheduler"), Some(api)).await?;
        Ok((process, running))
    }

    /// Where to look, for people and programs.
    pub(super) fn places(&self) -> Vec<(&'static str, String)> {
        let api = self.api;
        let mut places = vec![
            ("api", format!("http://{api}/api/queue-stats")),
            ("metrics", format!("http://{api}/metrics")),
            ("ready", format!("http://{api}/readyz")),
        ];
        let private = [
            ("rabbitmq_management", self.services.management_url()),
            ("database", self.services.database_url()),
            ("amqp", self.services.amqp_url()),
        ];
        if let Some(monitoring) = &self.monitoring {
            places.push(("prometheus", monitoring.prometheus_url()));
            places.push(("alertmanager", monitoring.alertmanager_url()));
        }
        places.extend(private.into_iter().filter_map(|(name, url)| Some((name, url?.to_owned()))));
        places
    }

    /// Ends everything in order: workers drain, the scheduler stops, then the services.
    pub(super) async fn stop(mut self) -> Outcome {
        self.process.shutdown.cancel();
        while self.workers.join_next().await.is_some() {}
        // A panic there was reported by the panic hook.
        let _ = self.scheduler.await;
        self.running.stopped().await;
        role::close(self.process).await;
        if let Some(monitoring) = self.monitoring {
            monitoring.stop().await;
        }
        self.services.stop().await;
        Ok(())
    }
}

/// One worker process, started again when it ends before its time.
async fn keep_worker(env: Environment, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        let mut child = match spawn_worker(&env) {
            Ok(child) => child,
            Err(error) => {
                tracing::error!(event = "worker.not_started", %error, "a worker process can't be started");
                return;
            }
        };
        // Its standard input is the rope: when we go, in whatever way, it ends and the worker drains.
        let rope = child.stdin.take();
        tokio::select! {
            () = shutdown.cancelled() => {
                drop(rope);
                return drain(child).await;
            }
            status = child.wait() => {
                let status = status.map_or_else(|e| e.to_string(), |s| s.to_string());
                tracing::warn!(event = "worker.ended", status, "a worker process ended, starting another");
            }
        }
        shutdown.run_until_cancelled(sleep(RESTART)).await;
    }
}

fn spawn_worker(env: &Environment) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    // The child has our settings, wherever we have them from, and reads no file of its own.
    command
        .env_clear()
        .args(["--config", "none", "worker", "--with-parent", "--http", "127.0.0.1:0"])
        .envs(env.iter())
        .stdin(Stdio::piped())
        // Our own standard output may be for JSON only.
        .stdout(std::io::stderr())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
}

/// Longer than a worker's grace period and its last statements.
const DRAIN: Duration = Duration::from_secs(40);

async fn drain(mut child: Child) {
    if timeout(DRAIN, child.wait()).await.is_err() {
        // Its lease gives back what it held.
        let _ = child.kill().await;
    }
}
