//! A scheduler and workers in this process, each with connections of its own, as separate processes would have.

use super::{
    Scenario,
    ground::Ground,
    jobs::{Maker, Work},
    spec::{BenchError, BenchPlace, BenchSpec},
    tally::Tally,
};
use crate::{
    db,
    fleet::{
        Progress,
        broker::{AmqpBroker, BrokerSettings, OptionalBroker},
        handler::Registry,
        ledger::{LedgerConnections, PgLedger, PgTx},
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

/// For one role's connections to the broker, which answers already.
const CONNECT: Duration = Duration::from_secs(30);
/// A fleet that completes nothing for so long is stuck.
const STUCK: Duration = Duration::from_mins(1);
/// Where completed jobs leave no row, nobody can tell which way they went: longer than a direct lease takes.
const WARM: Duration = Duration::from_secs(3);
/// How often the end is looked for.
pub(super) const LOOK: Duration = Duration::from_millis(10);

/// Running roles. Dropped, they drain on their own.
pub(super) struct BenchFleet {
    roles: JoinSet<()>,
    lanes: Vec<String>,
    /// Whether completed jobs are kept.
    keeps: bool,
    /// After so long the scheduler knows what the workers have told.
    look: Duration,
    shutdown: CancellationToken,
    _stop: DropGuard,
}

impl BenchFleet {
    /// Starts the workers of the spec, which know these kinds, and a scheduler.
    pub(super) async fn start(
        place: &BenchPlace<'_>,
        ground: &Ground,
        (spec, scenario): (&BenchSpec, Scenario),
        kinds: &Arc<Registry<PgTx>>,
    ) -> Result<Self, BenchError> {
        let shutdown = CancellationToken::new();
        let guard = shutdown.clone().drop_guard();
        let (keeps, look) = (!place.retention.completed.is_zero(), place.protocol.sweep.mul_f64(1.5));
        let mut fleet = Self { roles: JoinSet::new(), lanes: spec.lanes(), keeps, look, shutdown, _stop: guard };
        for number in 0..spec.workers {
            let worker = WorkerSettings {
                name: format!("bench/{number}"),
                lanes: spec.lanes(),
                slots: spec.slots,
                retention: place.retention.clone(),
                progress: Progress::default(),
            };
            fleet.worker(place, ground, worker, kinds.clone(), broker(place, scenario).await?).await?;
        }
        fleet.scheduler(place, ground, broker(place, scenario).await?);
        Ok(fleet)
    }

    async fn worker(
        &mut self,
        place: &BenchPlace<'_>,
        ground: &Ground,
        settings: WorkerSettings,
        kinds: Arc<Registry<PgTx>>,
        broker: OptionalBroker,
    ) -> Result<(), BenchError> {
        let ledger = ledger(place, ground);
        let wake = db::listen(ground.config.clone(), self.shutdown.clone()).subscribe();
        let (protocol, stop) = (place.protocol.clone(), self.shutdown.clone());
        let worker = Worker::start(ledger, broker.clone(), kinds, settings, protocol, wake, stop).await;
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
        let (name, lanes) = ("bench".to_owned(), self.lanes.clone());
        let (retention, progress) = (place.retention.clone(), Progress::default());
        let settings = SchedulerSettings { name, lanes, retention, progress };
        let (protocol, stop) = (place.protocol.clone(), self.shutdown.clone());
        self.roles.spawn(async move {
            Scheduler::run(ledger, broker.clone(), settings, protocol, wake, stop).await;
            broker.shutdown().await;
        });
    }

    /// A job for each slot, again and again, until one of each lane went the scenario's way, through the broker or
    /// straight to a worker: by then connections are open, statements are prepared and generations are agreed on.
    pub(super) async fn warm_up(
        &self,
        ground: &Ground,
        (spec, scenario): (&BenchSpec, Scenario),
        tally: &Tally,
    ) -> Result<(), BenchError> {
        let begun = Instant::now();
        let mut maker = Maker::new(spec, Work::Sleep(Duration::ZERO), spec.seed);
        while !self.is_warm(ground, scenario, begun.elapsed()).await? {
            if begun.elapsed() > STUCK {
                let lanes = self.lanes.join(", ");
                let why = format!("not every lane of {lanes} has a way; is the broker's topology applied?");
                return Err(BenchError::Fleet(why));
            }
            let jobs = spec.all_slots().max(spec.lanes);
            maker.put(&ground.client, jobs).await?;
            self.finish(ground, tally, jobs.into(), |_| {}).await?;
            tally.clear();
        }
        // Until the scheduler has seen how long jobs run.
        sleep(self.look).await;
        Ok(())
    }

    async fn is_warm(&self, ground: &Ground, scenario: Scenario, since: Duration) -> Result<bool, BenchError> {
        if !self.keeps {
            return Ok(since > WARM);
        }
        let lanes = "select count(distinct lane) from jobs where case when $1 then queued_at < started_at \
                     else queued_at = started_at end";
        let row = ground.client.query_one(lanes, &[&scenario.has_broker()]).await?;
        let measured = "select bool_and(array_remove(run_us, null) <> '{}') from workers where slots > 0";
        let is_measured = ground.client.query_one(measured, &[]).await?.get(0);
        Ok(is_measured && usize::try_from(row.get::<_, i64>(0)).is_ok_and(|warm| warm >= self.lanes.len()))
    }

    /// Waits until so many attempts have ended well. How many had, a moment later.
    pub(super) async fn reach(&self, tally: &Tally, jobs: u64, tell: impl Fn(u64)) -> Result<u64, BenchError> {
        let mut last = (Instant::now(), 0);
        loop {
            let (ends, starts) = (tally.ends(), tally.starts());
            tell(ends);
            if ends >= jobs {
                return Ok(ends);
            }
            if starts > last.1 {
                last = (Instant::now(), starts);
            } else if last.0.elapsed() > STUCK {
                return Err(BenchError::Fleet(format!("stuck: {ends} of {jobs} jobs have ended")));
            }
            sleep(LOOK).await;
        }
    }

    /// Waits until so many attempts have ended well and nothing is open.
    pub(super) async fn finish(
        &self,
        ground: &Ground,
        tally: &Tally,
        jobs: u64,
        tell: impl Fn(u64),
    ) -> Result<(), BenchError> {
        self.reach(tally, jobs, tell).await?;
        let begun = Instant::now();
        while !idle(&ground.client).await? {
            if begun.elapsed() > STUCK {
                return Err(BenchError::Fleet("stuck: all jobs have run, and some are not completed".to_owned()));
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Waits until a query counts so many rows, for jobs that count nothing themselves.
    pub(super) async fn rows(
        &self,
        ground: &Ground,
        (query, rows): (&str, u64),
        tell: impl Fn(u64),
    ) -> Result<(), BenchError> {
        let mut last = (Instant::now(), 0);
        loop {
            let there = ground.client.query_one(query, &[]).await?.get::<_, i64>(0).unsigned_abs();
            tell(there);
            if there >= rows {
                return Ok(());
            }
            if there > last.1 {
                last = (Instant::now(), there);
            } else if last.0.elapsed() > STUCK {
                return Err(BenchError::Fleet(format!("stuck: {there} of {rows} rows are there")));
            }
            sleep(LOOK * 5).await;
        }
    }

    /// Drains.
    pub(super) async fn stop(mut self) {
        self.shutdown.cancel();
        // A panic in a role was reported by the panic hook.
        while self.roles.join_next().await.is_some() {}
    }

    /// Lets what is in flight end, and drains: what waits stays, and the broker's queues are empty for the next fleet.
    pub(super) async fn abandon(self, ground: &Ground) -> Result<(), BenchError> {
        ground.client.execute("insert into paused_lanes (lane) select unnest($1::text[])", &[&self.lanes]).await?;
        let in_flight = "select exists (select from job_messages)";
        let begun = Instant::now();
        while ground.client.query_one(in_flight, &[]).await?.get(0) && begun.elapsed() < STUCK {
            sleep(LOOK * 10).await;
        }
        self.stop().await;
        Ok(())
    }
}

/// Nothing is open. By the first entry of each index: a look at the table would read all of it while it is measured.
async fn idle(client: &Client) -> Result<bool, BenchError> {
    let sql = "select (select id from job_messages order by id limit 1) is null \
               and (select id from jobs where due order by lane, priority desc, id limit 1) is null \
               and (select id from jobs where hold is not null order by hold_until limit 1) is null";
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
