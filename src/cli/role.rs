//! What every long-running role does: signals, waiting for services, metrics, health, the endpoint.

use super::{actor, client::place, exit::Failure, migrate, notify};
use crate::{
    config::{self, Connections, Environment, FleetConfig},
    db::{self, Pool, PoolOptions, PoolPurpose},
    fleet::{
        Progress,
        broker::{AmqpBroker, BrokerSettings, OptionalBroker, TopologyFault},
        ledger::{LedgerConnections, PgLedger},
    },
    http::{CheckResult, Health, HttpSettings, Routes, Running, serve},
    telemetry::Metrics,
};
use clap::Parser;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// Flags that all roles share.
#[derive(Clone, Debug, Default, Parser)]
pub(super) struct RoleArgs {
    /// Address of the endpoint.
    #[arg(
        long,
        value_name = "ADDR",
        help = "Address of /metrics, /livez and /readyz; port 0 takes a free one [env: DOCKET_HTTP]"
    )]
    pub(super) http: Option<SocketAddr>,
    /// Exit with code 69 instead of waiting when the database or the broker can't be reached at start
    #[arg(long)]
    pub(super) no_wait: bool,
    /// Stop when standard input ends: for a parent that starts processes
    #[arg(long, hide = true)]
    pub(super) with_parent: bool,
}

impl RoleArgs {
    /// Flags that are settings: the flag, its variable, its value.
    pub(super) fn flags(&self) -> Vec<(&'static str, &'static str, String)> {
        self.http.iter().map(|addr| ("--http", "DOCKET_HTTP", addr.to_string())).collect()
    }
}

/// A role's surroundings.
#[derive(Clone)]
pub(super) struct Process {
    pub(super) database: tokio_postgres::Config,
    pub(super) fleet: FleetConfig,
    pub(super) broker: OptionalBroker,
    pub(super) pool: Pool,
    pub(super) metrics: Metrics,
    pub(super) shutdown: CancellationToken,
    /// Of the role's own loop.
    pub(super) progress: Progress,
    database_state: watch::Sender<Result<(), String>>,
    /// What the broker lacks of the topology, as far as it was seen.
    topology_lacks: watch::Sender<Option<String>>,
}

/// Connections for health, gauges and the API.
const POOL: usize = 4;
/// Most connections to the database that a scheduler or a worker opens: of the last two one listens, and one audits.
pub(super) fn connections() -> usize {
    POOL + LedgerConnections::default().total() + 2
}

/// How long a start with `--no-wait` waits for the broker.
const FIRST_TRY: Duration = Duration::from_secs(10);
/// How long any other start does, so that a bad topology is refused at once where that can be told.
const FIRST_LOOK: Duration = Duration::from_secs(3);
/// How often the broker is asked whether the topology is still there: some passive declares.
const TOPOLOGY_LOOK: Duration = Duration::from_secs(10);
/// How often the database is looked at for `/readyz`.
const LOOK: Duration = Duration::from_secs(2);
/// A look that takes longer is a failed one.
const PATIENCE: Duration = Duration::from_secs(3);
/// It must serve the table that all work needs, not only answer: where an administrator has locked it, a loop that stands
/// still goes on by itself, and a restart would not help.
const ANSWERS: &str = "set local lock_timeout = '2s'; select from jobs limit 0";
/// A loop that stands still for so long, while the database answers, will not go on by itself.
const STALLED: Duration = Duration::from_secs(30);

impl Process {
    /// Reads the configuration, waits for the services, begins to connect.
    pub(super) async fn start(
        env: &Environment,
        args: &RoleArgs,
        shutdown: CancellationToken,
    ) -> Result<Self, Failure> {
        let connections = config::connections(env)?;
        let fleet = config::fleet(env)?;
        let metrics = metrics()?;
        let client = wait_for_database(&connections, args.no_wait, &shutdown).await?;
        migrate::check(&client).await?;
        drop(client);
        let process = Self::assemble(connections, fleet, metrics, shutdown)?;
        let Some(broker) = process.broker.amqp() else { return Ok(process) };
        match broker.wait_ready(if args.no_wait { FIRST_TRY } else { FIRST_LOOK }).await {
            Ok(()) => process.refuse_bad_topology(broker).await?,
            Err(error) if args.no_wait => {
                return Err(Failure::unavailable(format!("the broker can't be reached: {error}; check AMQP_URL")));
            }
            // Its supervisor goes on trying and has said why. Meanwhile workers lease directly.
            Err(_) => {}
        }
        process.watch_topology();
        Ok(process)
    }

    /// A broker without Docket's topology can't carry a job.
    async fn refuse_bad_topology(&self, broker: &AmqpBroker) -> Result<(), Failure> {
        let Err(faults) = broker.check_topology(&self.fleet.topology).await else { return Ok(()) };
        Err(Failure::usage(format!("the broker's topology is not what Docket needs: {}", told(&faults))))
    }

    /// The same for a broker that comes later, or comes back without it: work goes on by direct lease, so it is a fault to be
    /// mended and no reason to stop.
    pub(super) fn watch_topology(&self) {
        let Some(broker) = self.broker.amqp().cloned() else { return };
        let process = self.clone();
        tokio::spawn(async move {
            loop {
                if broker.wait_ready(FIRST_TRY).await.is_ok() {
                    match broker.check_topology(&process.fleet.topology).await {
                        Ok(()) => process.tell_topology(None),
                        // What could not be asked is neither there nor missing.
                        Err(faults) => {
                            if let Some(lacks) = lacking(faults) {
                                process.tell_topology(Some(lacks));
                            }
                        }
                    }
                }
                if process.shutdown.run_until_cancelled(sleep(TOPOLOGY_LOOK)).await.is_none() {
                    return;
                }
            }
        });
    }

    fn tell_topology(&self, lacks: Option<String>) {
        if lacks == *self.topology_lacks.borrow() {
            return;
        }
        match &lacks {
            Some(lacks) => {
                tracing::error!(
                    event = "topology.fault",
                    error = lacks,
                    "nothing can be dispatched through the broker"
                );
            }
            None => tracing::info!(event = "topology.mended", "the broker has what Docket needs"),
        }
        drop(self.topology_lacks.send_replace(lacks));
    }

    /// From parts that are there already.
    pub(super) fn assemble(
        connections: Connections,
        fleet: FleetConfig,
        metrics: Metrics,
        shutdown: CancellationToken,
    ) -> Result<Self, Failure> {
        let settings = BrokerSettings::from(&fleet.protocol);
        // The connections outlive the shutdown signal: a draining worker still acknowledges.
        let broker = match &connections.amqp {
            Some(url) => OptionalBroker::Amqp(
                AmqpBroker::start(url, settings, &CancellationToken::new()).map_err(Failure::usage)?,
            ),
            None => OptionalBroker::None,
        };
        let pool = db::pool(&connections.database, PoolOptions::new(PoolPurpose::General, POOL));
        let process = Self {
            database: connections.database,
            fleet,
            broker,
            pool,
            metrics,
            shutdown,
            progress: Progress::default(),
            database_state: watch::Sender::new(Ok(())),
            topology_lacks: watch::Sender::new(None),
        };
        process.sample("general", &process.pool);
        tokio::spawn(process.clone().look());
        tokio::spawn(process.clone().watch_schema());
        tokio::spawn(process.metrics.clone().upkeep(process.shutdown.clone()));
        Ok(process)
    }

    /// A ledger for this role.
    pub(super) fn ledger(&self) -> PgLedger {
        let ledger = PgLedger::new(&self.database, self.fleet.protocol.clone(), LedgerConnections::default());
        for (name, pool) in ledger.pools() {
            self.sample(name, pool);
        }
        ledger
    }

    /// Answers `/metrics`, `/livez`, `/readyz`, and `api` where the role has one.
    pub(super) async fn listen(
        &self,
        role: &'static str,
        settings: HttpSettings,
        health: Health,
        api: Option<axum::Router>,
    ) -> Result<Running, Failure> {
        let settings = HttpSettings { role, ..settings };
        let routes = Routes { metrics: self.metrics.clone(), health, api };
        Ok(serve(settings, routes, self.shutdown.clone()).await?)
    }

    /// Ready: the database answers. Without the broker a fleet works on, by direct leases.
    pub(super) fn health(&self) -> Health {
        let (database, broker) = (self.database_state.subscribe(), self.broker.clone());
        let lacks = self.topology_lacks.subscribe();
        Health::new()
            .ready("database", move || match &*database.borrow() {
                Ok(()) => CheckResult::ok("answers"),
                Err(reason) => CheckResult::failed(reason.clone()),
            })
            .ready("broker", move || {
                let Some(status) = broker.status() else {
                    return CheckResult::ok("this site has none: workers lease from the database");
                };
                match (status.is_ready(), status.blocked) {
                    (true, false) => match &*lacks.borrow() {
                        Some(lacks) => CheckResult::degraded(format!("connected, and of no use: {lacks}")),
                        None => CheckResult::ok("connected"),
                    },
                    (true, true) => {
                        CheckResult::degraded("connected, but it holds back publishers: memory or disk alarm")
                    }
                    (false, _) => {
                        let why = status.last_error.unwrap_or_else(|| "connecting".to_owned());
                        CheckResult::degraded(format!("away, and workers lease from the database meanwhile: {why}"))
                    }
                }
            })
    }

    /// The same for a role with a loop. Alive: the loop went on lately, or it can't because the database is away. Ready: it
    /// went on within a lease.
    pub(super) fn health_of_loop(&self, name: &'static str) -> Health {
        let (database, alive, ready) = (self.database_state.subscribe(), self.progress.clone(), self.progress.clone());
        let lease = self.fleet.protocol.lease;
        let told = |age: Duration| format!("last progress {:.1} s ago", age.as_secs_f64());
        self.health()
            .live(name, move || match alive.age() {
                age if age >= STALLED.max(2 * lease) && database.borrow().is_ok() => CheckResult::failed(told(age)),
                age => CheckResult::ok(told(age)),
            })
            .ready(name, move || match ready.age() {
                age if age >= lease => CheckResult::failed(told(age)),
                age => CheckResult::ok(told(age)),
            })
    }

    async fn look(self) {
        loop {
            let answer = timeout(PATIENCE, async {
                let connection = self.pool.get().await.map_err(|e| e.to_string())?;
                connection.simple_query(ANSWERS).await.map(drop).map_err(|e| db::describe(&e))
            });
            let state = answer.await.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}")));
            drop(self.database_state.send_replace(state));
            if self.shutdown.run_until_cancelled(sleep(LOOK)).await.is_none() {
                return;
            }
        }
    }
}

fn told(faults: &[TopologyFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What is certainly not there. A broker that did not say may just have gone away, which is told otherwise.
fn lacking(mut faults: Vec<TopologyFault>) -> Option<String> {
    faults.retain(|fault| !matches!(fault, TopologyFault::Unchecked { .. }));
    (!faults.is_empty()).then(|| told(&faults))
}

/// Says what it tries and why that fails, once a reason.
async fn wait_for_database(
    connections: &Connections,
    no_wait: bool,
    shutdown: &CancellationToken,
) -> Result<tokio_postgres::Client, Failure> {
    let mut told = String::new();
    loop {
        let error = match db::connect(&connections.database).await {
            Ok(client) => return Ok(client),
            Err(error) => error,
        };
        let reason = format!("{} at {}", db::describe(&error), place(&connections.database));
        if no_wait {
            return Err(Failure::unavailable(format!("the database can't be reached: {reason}; check DATABASE_URL")));
        }
        if reason != told {
            tracing::warn!(
                event = "database.waiting",
                error = reason,
                "the database can't be reached, trying again; check DATABASE_URL"
            );
            notify::waiting(&format!("the database can't be reached: {reason}")).await;
            told = reason;
        }
        if shutdown.run_until_cancelled(sleep(Duration::from_secs(1))).await.is_none() {
            return Err(Failure::unavailable("stopped before the database could be reached"));
        }
    }
}

/// Fires at SIGTERM, at Ctrl-C, and (for a child) when its parent is gone. A second signal ends the process at once.
pub(super) fn signals(with_parent: bool) -> Result<CancellationToken, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let token = CancellationToken::new();
    let open = |kind| signal(kind).map_err(|e| Failure::internal(format!("can't watch for signals: {e}")));
    let (mut term, mut int) = (open(SignalKind::terminate())?, open(SignalKind::interrupt())?);
    let fire = token.clone();
    tokio::spawn(async move {
        for turn in 0..2 {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
            if turn == 0 { fire.cancel() } else { std::process::exit(70) }
        }
    });
    if with_parent {
        let fire = token.clone();
        // Blocking reads can't be cancelled: a thread of its own, which ends with the process.
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            fire.cancel();
        });
    }
    Ok(token)
}

/// A name for the table `workers`: host and process.
pub(super) fn process_name() -> String {
    format!("{}/{}", actor::host(), std::process::id())
}

/// Waits, bounded, for the broker's connections to close.
pub(super) async fn close(process: Process) {
    process.broker.shutdown().await;
}

/// The process's metrics.
pub(super) fn metrics() -> Result<Metrics, Failure> {
    Metrics::install().map_err(Failure::internal)
}

/// The handlers of the domain, over the connections of a ledger.
pub(super) fn handlers(
    env: &Environment,
    ledger: &PgLedger,
) -> Result<Arc<crate::fleet::handler::Registry<crate::fleet::ledger::PgTx>>, Failure> {
    let services =
        crate::civic::Services::new(ledger.effects_pool().clone(), config::civic(env)?).map_err(Failure::usage)?;
    Ok(Arc::new(crate::civic::handlers(Arc::new(services))))
}
