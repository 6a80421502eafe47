//! A scheduler and workers in this process, each with connections of its own, as separate processes would have.

use super::{
    ground::Ground,
    jobs::{Noop, Sleep, Starts, jobs, put},
    spec::{BenchError, BenchPlace, BenchSpec, Scenario},
};
use crate::{
    db,
    fleet::{
        Progress,
        broker::{AmqpBroker, BrokerSettings, OptionalBroker},
        enqueue::Notify,
        handler::Registry,
        ledger::{LedgerConnections, PgLedger},
        ports::Retention,
        scheduler::{Scheduler, SchedulerSettings},
        worker::{Worker, WorkerSettings},
    },
};
use std::{sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_postgres::Client;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The only lane.
const LANE: &str = "default";
/// For one role's connections to the broker, which answers already.
const CONNECT: Duration = Duration::from_secs(30);
/// A fleet that completes nothing for so long is stuck.
const STUCK: Duration = Duration::from_mins(1);
/// How often the end is looked for.
const LOOK: Duration = Duration::from_millis(10);

/// Running roles. Dropped, they drain on their own.
pub(super) struct BenchFleet {
    roles: JoinSet<()>,
    starts: Arc<Starts>,
    shutdown: CancellationToken,
    _stop: DropGuard,
}

impl BenchFleet {
    pub(super) async fn start(
        place: &BenchPlace<'_>,
        ground: &Ground,
        (spec, scenario): (&BenchSpec, Scenario),
        starts: Arc<Starts>,
    ) -> Result<Self, BenchError> {
        let shutdown = CancellationToken::new();
        let mut fleet = Self { roles: JoinSet::new(), starts, _stop: shutdown.clone().drop_guard(), shutdown };
        for number in 0..spec.workers {
            fleet.worker(place, ground, (spec.slots, number), broker(place, scenario).await?).await?;
        }
        fleet.scheduler(place, ground, broker(place, scenario).await?);
        fleet.warm_up(ground, spec, scenario).await?;
        Ok(fleet)
    }

    async fn worker(
        &mut self,
        place: &BenchPlace<'_>,
        ground: &Ground,
        (slots, number): (u32, u32),
        broker: OptionalBroker,
    ) -> Result<(), BenchError> {
        let ledger = ledger(place, ground);
        let (name, progress) = (format!("bench/{number}"), Progress::default());
        let settings =
            WorkerSettings { name, lanes: vec![LANE.to_owned()], slots, retention: Retention::default(), progress };
        let wake = db::listen(ground.config.clone(), self.shutdown.clone()).subscribe();
        let registry = Registry::new().with(Noop(self.starts.clone())).with(Sleep(self.starts.clone()));
        let (protocol, stop) = (place.protocol.clone(), self.shutdown.clone());
        let worker = Worker::start(ledger, broker.clone(), Arc::new(registry), settings, protocol, wake, stop).await;
        let worker = worker.map_err(|e| BenchError::Fleet(e.to_string()))?;
        self.roles.spawn(async move {
            if let Some(worker) = worker {
                worker.stopped().await;
            }
            broker.shutdown().await;
        });
        Ok(())
    }

    fn scheduler(&mut self, place: &BenchPlace<'_>, ground: &Ground, broker: OptionalBroker) {
        let ledger = ledger(place, ground);
        let wake = db::listen(ground.config.clone(), self.shutdown.clone());
        let (name, lanes) = ("bench".to_owned(), vec![LANE.to_owned()]);
        let settings =
            SchedulerSettings { name, lanes, retention: Retention::default(), progress: Progress::default() };
        let (protocol, stop) = (place.protocol.clone(), self.shutdown.clone());
        self.roles.spawn(async move {
            Scheduler::run(ledger, broker.clone(), settings, protocol, wake, stop).await;
            broker.shutdown().await;
        });
    }

    /// A job for each slot, again and again, until one goes the scenario's way, through the broker or straight to a worker:
    /// by then connections are open, statements are prepared and generations are agreed on.
    async fn warm_up(&self, ground: &Ground, spec: &BenchSpec, scenario: Scenario) -> Result<(), BenchError> {
        let is_warm = "select exists (select 1 from jobs where case when $1 then queued_at < started_at \
                       else queued_at = started_at end)";
        let begun = Instant::now();
        while !ground.client.query_one(is_warm, &[&scenario.has_broker()]).await?.get::<_, bool>(0) {
            if begun.elapsed() > STUCK {
                return Err(BenchError::Fleet("no job goes through the broker; is its topology applied?".to_owned()));
            }
            let jobs = jobs((spec.workers * spec.slots) as usize, Duration::ZERO, spec.seed)?;
            put(&ground.client, &jobs, Notify::Yes).await?;
            self.finish(ground, jobs.len() as u64, |_| {}).await?;
            self.starts.clear();
        }
        Ok(())
    }

    /// Waits until so many jobs have started and all are completed.
    pub(super) async fn finish(&self, ground: &Ground, jobs: u64, tell: impl Fn(u64)) -> Result<(), BenchError> {
        let mut last = (Instant::now(), 0);
        loop {
            let started = self.starts.count();
            tell(started);
            if started >= jobs && idle(&ground.client).await? {
                return Ok(());
            }
            if started > last.1 {
                last = (Instant::now(), started);
            } else if last.0.elapsed() > STUCK {
                return Err(BenchError::Fleet(format!("stuck: {started} of {jobs} jobs have started")));
            }
            sleep(LOOK).await;
        }
    }

    /// Drains.
    pub(super) async fn stop(mut self) {
        self.shutdown.cancel();
        // A panic in a role was reported by the panic hook.
        while self.roles.join_next().await.is_some() {}
    }
}

/// Nothing is open. Asked often only when every job has started: it may read the whole table.
async fn idle(client: &Client) -> Result<bool, BenchError> {
    let sql = "select not exists (select 1 from jobs where finished_at is null)";
    Ok(client.query_one(sql, &[]).await?.get(0))
}

fn ledger(place: &BenchPlace<'_>, ground: &Ground) -> PgLedger {
    PgLedger::new(&ground.config, place.protocol.clone(), LedgerConnections::default())
}

async fn broker(place: &BenchPlace<'_>, scenario: Scenario) -> Result<OptionalBroker, BenchError> {
    if !scenario.has_broker() {
        return Ok(OptionalBroker::None);
    }
    let url = place.amqp.as_ref().ok_or(BenchError::NoBroker)?;
    let settings = BrokerSettings::from(&place.protocol);
    // Its connections outlive the fleet's shutdown: a draining worker still acknowledges.
    let broker = AmqpBroker::start(url, settings, &CancellationToken::new());
    let broker = broker.map_err(|e| BenchError::Fleet(e.to_string()))?;
    let ready = broker.wait_ready(CONNECT).await;
    ready.map_err(|e| BenchError::Fleet(format!("the broker can't be reached: {e}")))?;
    Ok(OptionalBroker::Amqp(broker))
}
