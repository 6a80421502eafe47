//! A worker from its start to the end of its drain.

use super::{
    ahead::Allowance,
    completer, heartbeat,
    held::Held,
    intake::Intake,
    meters::Meters,
    run_times::RunTimes,
    shared::Shared,
    signal::Stop,
    stuck::{self, Followed},
    suspect,
    threads::Threads,
};
use crate::{
    fleet::{
        Progress,
        crash::{self, Point},
        handler::Registry,
        job::WorkerId,
        ports::{Broker, Ledger, LedgerError, Retention, WorkerSpec},
        settings::Protocol,
    },
    telemetry::names,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, Semaphore, broadcast, mpsc, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What a worker takes.
#[derive(Clone, Debug)]
pub struct WorkerSettings {
    /// For people, in the table `workers`.
    pub name: String,
    /// Lanes that it serves.
    pub lanes: Vec<String>,
    /// Jobs at once, 1 to 10,000.
    pub slots: u32,
    /// How long ended jobs are kept: with zero, a completion deletes its row.
    pub retention: Retention,
    /// Marked by each heartbeat that succeeds.
    pub progress: Progress,
}

/// Why a worker could not start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// No slots, or absurdly many.
    #[error("{0} slots: a worker has 1 to 10000")]
    Slots(u32),
    /// No lanes.
    #[error("no lanes: name at least one with --lanes")]
    Lanes,
    /// No kinds.
    #[error("no job kinds are registered")]
    Kinds,
    /// The machine has no threads left.
    #[error("no threads for the handlers: {0}")]
    Threads(std::io::Error),
}

/// A running worker.
#[derive(Debug)]
pub struct Worker {
    /// Its row.
    pub id: WorkerId,
    stopped: JoinHandle<()>,
}

const RETRY: Duration = Duration::from_millis(500);
/// Messages whose verdicts may wait for the completer, which gathers a batch by itself: a slow ledger stops the slots soon,
/// and little has run that a crash would run again.
const HANDED_OVER: usize = 16;
/// After the grace period, for the last statements.
const FLUSH: Duration = Duration::from_secs(10);

impl Worker {
    /// Registers (as often as it takes) and begins to work. It drains when `shutdown` fires: it takes nothing more, lets
    /// jobs finish for the grace period, gives back the rest at no cost, and signs off. `wake` brings the operators'
    /// notifications; without them a cancel arrives with the next heartbeat.
    ///
    /// # Errors
    /// When the settings make no sense, or `shutdown` fires before the ledger was reached.
    pub async fn start<L: Ledger, B: Broker>(
        ledger: L,
        broker: B,
        registry: Arc<Registry<L::Tx>>,
        settings: WorkerSettings,
        protocol: Protocol,
        wake: broadcast::Receiver<String>,
        shutdown: CancellationToken,
    ) -> Result<Option<Self>, WorkerError> {
        check(&settings, &registry)?;
        let threads = Threads::start().map_err(WorkerError::Threads)?;
        let spec = spec(&settings, &registry);
        let Some(id) = register(&ledger, &spec, &shutdown).await else { return Ok(None) };
        let (ended, verdicts) = mpsc::channel(HANDED_OVER);
        let shared = Arc::new(Shared {
            ledger,
            broker,
            registry,
            worker: id,
            retention: settings.retention,
            run_times: RunTimes::new(&spec.kinds),
            meters: Meters::new(&spec.kinds),
            kinds: spec.kinds,
            lanes: settings.lanes,
            slot_count: settings.slots,
            slots: Arc::new(Semaphore::new(settings.slots as usize)),
            held: Held::default(),
            ahead: Allowance::default(),
            ended,
            fit: watch::Sender::new(true),
            followed: Followed::new(settings.progress.clone(), shutdown.clone()),
            progress: settings.progress,
            drain: shutdown,
            threads,
            tasks: TaskTracker::new(),
            protocol,
        });
        metrics::gauge!(names::WORKER_SLOTS).set(f64::from(settings.slots));
        let completer = tokio::spawn(completer::run(shared.clone(), verdicts));
        Ok(Some(Self { id, stopped: tokio::spawn(work(shared, completer, wake)) }))
    }

    /// Resolves when the worker has signed off.
    pub async fn stopped(self) {
        if let Err(e) = self.stopped.await {
            tracing::error!(event = "worker.broken", error = %e, "the worker's own task ended badly");
        }
    }
}

fn check<Tx: Send + 'static>(settings: &WorkerSettings, registry: &Registry<Tx>) -> Result<(), WorkerError> {
    if !(1..=10_000).contains(&settings.slots) {
        return Err(WorkerError::Slots(settings.slots));
    }
    if settings.lanes.is_empty() {
        return Err(WorkerError::Lanes);
    }
    if registry.kinds().next().is_none() {
        return Err(WorkerError::Kinds);
    }
    Ok(())
}

fn spec<Tx: Send + 'static>(settings: &WorkerSettings, registry: &Registry<Tx>) -> WorkerSpec {
    WorkerSpec {
        name: settings.name.clone(),
        slots: i32::try_from(settings.slots).unwrap_or(i32::MAX),
        lanes: settings.lanes.clone(),
        kinds: registry.kinds().map(|meta| meta.kind.to_owned()).collect(),
    }
}

async fn register<L: Ledger>(ledger: &L, spec: &WorkerSpec, shutdown: &CancellationToken) -> Option<WorkerId> {
    loop {
        match ledger.register(spec).await {
            Ok(id) => return Some(id),
            // A registration that did happen after all is a row without a heartbeat: it holds nothing.
            Err(error) => report_waiting(&error),
        }
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return None,
            () = sleep(RETRY) => {}
        }
    }
}

fn report_waiting(error: &LedgerError) {
    tracing::warn!(event = "worker.waiting", %error, "the ledger can't be reached, trying again");
}

async fn work<L: Ledger, B: Broker>(
    shared: Arc<Shared<L, B>>,
    mut completer: JoinHandle<()>,
    wake: broadcast::Receiver<String>,
) {
    let (suspect_due, beating) = (Arc::new(Notify::new()), CancellationToken::new());
    let news = wake.resubscribe();
    let mut heart = tokio::spawn(heartbeat::run(shared.clone(), suspect_due.clone(), wake, beating.clone()));
    tracing::info!(event = "worker.started", worker.id = shared.worker.0, lanes = ?shared.lanes, slots = shared.slot_count, "worker started");
    // Dropped, it ends.
    let mut watching = tokio::task::JoinSet::new();
    watching.spawn(stuck::watch(shared.clone()));
    let mut loops = tokio::task::JoinSet::new();
    for lane in shared.lanes.clone() {
        loops.spawn(Intake::new(shared.clone(), lane, news.resubscribe()).run());
    }
    loops.spawn(suspect::run(shared.clone(), suspect_due));
    tokio::select! {
        biased; // an asked drain is no defect of the loops that end with it
        () = shared.drain.cancelled() => {}
        _ = loops.join_next() => broken(&shared, "a lane's loop"),
        _ = &mut heart => broken(&shared, "the heartbeat"),
        _ = &mut completer => broken(&shared, "the completer"),
    }
    if let Err(error) = shared.ledger.drain(shared.worker).await {
        tracing::debug!(%error, "the drain is not announced");
    }
    crash::point(Point::OnShutdown);
    while loops.join_next().await.is_some() {}
    shared.tasks.close();
    if timeout(shared.protocol.grace, shared.tasks.wait()).await.is_err() {
        tracing::warn!(event = "worker.grace_over", "the grace period is over: unfinished jobs go back");
        shared.held.stop_all(Stop::Shutdown);
        // An attempt that does not end even now keeps its row; the lease gives it back.
        let _ = timeout(FLUSH, shared.tasks.wait()).await;
    }
    drop(watching);
    finish(shared, completer, heart, beating).await;
}

/// A loop that ends before its time is a defect. A worker without one of them would look alive and do nothing: it drains,
/// and whoever started it starts another.
fn broken<L: Ledger, B: Broker>(shared: &Shared<L, B>, what: &str) {
    if !shared.drain.is_cancelled() {
        tracing::error!(event = "worker.broken", what, "a loop of the worker ended badly; the worker stops");
        shared.progress.gives_up("one of its loops ended badly");
        shared.drain.cancel();
    }
}

async fn finish<L: Ledger, B: Broker>(
    shared: Arc<Shared<L, B>>,
    completer: JoinHandle<()>,
    heart: JoinHandle<()>,
    beating: CancellationToken,
) {
    let flushed = timeout(FLUSH, async {
        while !shared.held.is_empty() {
            sleep(Duration::from_millis(20)).await;
        }
    });
    let clean = flushed.await.is_ok();
    beating.cancel();
    if !heart.is_finished() {
        // A panic in the heartbeat was reported by the panic hook.
        let _ = heart.await;
    }
    let (ledger, worker) = (shared.ledger.clone(), shared.worker);
    completer.abort();
    if clean && let Err(error) = ledger.deregister(worker).await {
        tracing::debug!(%error, "the worker is not signed off; its lease ends by itself");
    }
    shared.threads.close();
    tracing::info!(event = "worker.stopped", worker.id = worker.0, clean, "worker stopped");
}
