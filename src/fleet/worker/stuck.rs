//! Handlers that don't end when they are told to, and handlers that don't let go of their thread.
//!
//! An attempt that is over (its deadline, a cancel, a lost lease) is booked at once, and its slot is free: the fence
//! refuses whatever comes later. Its handler is dropped when it next waits for something; one that never does is **stuck**:
//! it keeps a thread. [`SPARE`] of them are borne; then the worker drains, and whoever started it starts another.
//!
//! Handlers that hold all threads before any of their deadlines starve their neighbours. A worker in that state is
//! **clogged**: it gives the neighbours back without cost, keeps what holds the threads, and ends. R4 then counts a
//! loss for exactly these, so that a job that clogs its workers ends like one that kills them.

use super::{
    outcome::Attempt,
    shared::Shared,
    threads::{SPARE, Threads},
};
use crate::{
    fleet::{
        Progress,
        job::Pointer,
        ports::{Broker, Ledger, Release},
    },
    telemetry::names,
};
use std::{
    collections::{BTreeSet, HashSet},
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

/// A handler that still runs so long after its attempt is stuck. Dropping a future that waits takes no time.
const STUCK: Duration = Duration::from_secs(5);
/// A handler that held its thread for so long is told of in the log.
const HOLDING: Duration = Duration::from_secs(5);
/// No thread answered for so long: all are held.
const CLOGGED: Duration = Duration::from_secs(10);
/// What holds its thread for so long is to blame for that; a neighbour's poll takes no time.
const BLAMED: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_secs(1);

/// Follows the handlers of attempts that are over.
#[derive(Clone, Debug)]
pub(super) struct Followed {
    progress: Progress,
    drain: CancellationToken,
}

impl Followed {
    pub(super) fn new(progress: Progress, drain: CancellationToken) -> Self {
        metrics::gauge!(names::STUCK_HANDLERS).set(0.0);
        Self { progress, drain }
    }

    /// The attempt is over and its handler was aborted: sees to it that it ends, or tells that it doesn't.
    pub(super) fn follow<T: Send + 'static>(&self, threads: &Threads, handler: JoinHandle<T>, attempt: &Attempt) {
        if handler.is_finished() {
            return;
        }
        let (this, job, kind) = (self.clone(), attempt.id, attempt.kind().to_owned());
        // Not on a thread of the handlers: there may be none left.
        threads.engine().spawn(async move {
            let (mut handler, over) = (handler, Instant::now());
            if timeout(STUCK, &mut handler).await.is_ok() {
                return;
            }
            tracing::error!(
                event = "handler.stuck",
                job.id = job.0,
                job.kind = kind,
                "a handler goes on after its attempt has ended: it keeps a thread; its slot is free, its result is refused"
            );
            let stuck = this.progress.stuck_begins();
            gauge(stuck);
            if stuck >= SPARE {
                this.give_up(stuck);
            }
            // How it ends is of no interest: it is over.
            drop(handler.await);
            gauge(this.progress.stuck_ends());
            let seconds = over.elapsed().as_secs();
            tracing::warn!(event = "handler.free", job.id = job.0, job.kind = kind, seconds, "a stuck handler has ended");
        });
    }

    fn give_up(&self, stuck: usize) {
        if !self.drain.is_cancelled() {
            tracing::error!(
                event = "worker.stuck",
                stuck,
                "too many handlers are stuck: the worker drains and ends, to be started again; mend these kinds"
            );
            self.progress.gives_up("too many handlers are stuck");
            self.drain.cancel();
        }
    }
}

fn gauge(stuck: usize) {
    // A handful: at most the slots.
    metrics::gauge!(names::STUCK_HANDLERS).set(f64::from(u32::try_from(stuck).unwrap_or(u32::MAX)));
}

/// Looks at the handlers' threads, for as long as the worker lives.
pub(super) async fn watch<L: Ledger, B: Broker>(shared: Arc<Shared<L, B>>) {
    if !shared.threads.are_apart() {
        return;
    }
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = HashSet::new();
    loop {
        let asked = Instant::now();
        let mut answer = pin!(shared.threads.answer());
        loop {
            tokio::select! {
                () = &mut answer => break,
                _ = ticks.tick() => told = tell(&shared, told),
            }
            if asked.elapsed() >= CLOGGED {
                return clogged(&shared).await;
            }
        }
        ticks.tick().await;
        told = tell(&shared, told);
    }
}

/// Tells once of each handler that holds its thread.
fn tell<L: Ledger, B: Broker>(shared: &Shared<L, B>, told: HashSet<Pointer>) -> HashSet<Pointer> {
    let holding = shared.held.holding_threads(HOLDING);
    for (row, kind, lasted) in holding.iter().filter(|(row, ..)| !told.contains(row)) {
        let seconds = lasted.as_secs();
        tracing::warn!(
            event = "handler.blocking",
            job.id = row.id().0,
            job.kind = kind,
            seconds,
            "a handler computes or blocks without a pause: it keeps a thread; use spawn_blocking for such work"
        );
    }
    holding.into_iter().map(|(row, ..)| row).collect()
}

/// The neighbours go back without cost; what holds the threads stays, for R4.
async fn clogged<L: Ledger, B: Broker>(shared: &Shared<L, B>) {
    let blamed: BTreeSet<Pointer> = shared.held.holding_threads(BLAMED).into_iter().map(|(row, ..)| row).collect();
    let jobs: Vec<i64> = blamed.iter().map(|row| row.id().0).collect();
    tracing::error!(
        event = "worker.clogged",
        ?jobs,
        "handlers hold all threads: the worker gives the other jobs back and ends"
    );
    // One that was told to stop before ends as it was told.
    if !shared.drain.is_cancelled() {
        shared.progress.gives_up("handlers hold all threads");
        shared.drain.cancel();
    }
    let neighbours: Vec<Release> = shared
        .held
        .running()
        .difference(&blamed)
        .map(|row| Release { id: row.id(), epoch: row.epoch(), hold: None })
        .collect();
    match shared.ledger.release(&neighbours, &[]).await {
        Ok(released) => tracing::warn!(event = "worker.gave_back", jobs = released.len(), "neighbours went back"),
        // R4 gives them back, at the cost of a loss.
        Err(error) => tracing::warn!(event = "worker.gave_back", %error, "the neighbours could not be given back"),
    }
}
