//! The sweeps: once a second, in any number of schedulers. Each row by compare-and-set, so that two of them do no harm.

use super::{
    ages::AgeWatch,
    beats::BeatWatch,
    forgotten::{Before, forgotten},
    generation,
    shared::Shared,
};
use crate::{
    fleet::{
        crash::{self, Point},
        job::WorkerId,
        ports::{Broker, Ledger, LedgerResult, Sweep, Swept},
    },
    telemetry::names,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::broadcast,
    time::{Instant, MissedTickBehavior, interval},
};

/// Messages, or rows, of one statement.
pub(super) const BOUND: i32 = 1000;
/// Statements of one rule in one turn: what is left waits for the next second.
const TURNS: usize = 20;
/// Messages whose confirm is marked in one statement.
const MARKS: usize = 5000;

/// The loop and what it remembers.
pub(super) struct Sweeps<L: Ledger, B: Broker> {
    shared: Arc<Shared<L, B>>,
    beats: BeatWatch,
    ages: AgeWatch,
    /// R4 is at work.
    reaping: Arc<AtomicBool>,
    /// R3 is at work.
    recalling: Arc<AtomicBool>,
}

impl<L: Ledger, B: Broker> Sweeps<L, B> {
    pub(super) fn new(shared: Arc<Shared<L, B>>) -> Self {
        let beats = BeatWatch::new(shared.protocol.lease, shared.protocol.watch_gap);
        Self { shared, beats, ages: AgeWatch::default(), reaping: Arc::default(), recalling: Arc::default() }
    }

    /// Each second, and at once when an operator paused or resumed a kind.
    pub(super) async fn run(mut self, mut wake: broadcast::Receiver<String>) {
        let mut ticks = interval(self.shared.protocol.sweep);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased; // a tick and an operator's act do the same, so neither can starve the other
                () = self.shared.shutdown.cancelled() => return,
                _ = ticks.tick() => {}
                () = operators_act(&mut wake) => {}
            }
            match self.turn().await {
                Ok(()) => self.shared.progress.mark(),
                Err(error) => self.shared.put_off.tell("sweep", &error),
            }
        }
    }

    async fn turn(&mut self) -> LedgerResult<()> {
        let shared = self.shared.clone();
        let now = Instant::now();
        let look = self.beats.look(shared.ledger.workers().await?, now);
        let paused = shared.ledger.paused_kinds().await?;
        let generation = generation::agree(&shared.ledger, &shared.broker).await?;
        shared.view.send_modify(|view| {
            (view.live, view.paused) = (look.live, paused);
            view.generation = generation.unwrap_or(view.generation);
        });
        self.ages.mark(now, shared.ledger.watermark().await?);
        self.reap(look.lost);
        // Each on its own: one that has to wait must not keep the others from their work.
        shared.put_off.look("marks", self.mark_confirmed(now).await);
        if let Some(before) = self.ages.older_than(shared.protocol.unconfirmed, now) {
            shared.put_off.look("R1", repeat("R1", || shared.ledger.sweep(Sweep::Unconfirmed(before), BOUND)).await);
        }
        if let Some(generation) = generation {
            shared
                .put_off
                .look("R2", repeat("R2", || shared.ledger.sweep(Sweep::OlderGeneration(generation), BOUND)).await);
        }
        self.recall(now);
        for lane in &shared.lanes {
            shared.put_off.look("holds", self.holds(lane).await);
        }
        shared.put_off.look("lift", shared.ledger.lift_due(BOUND * 5).await);
        shared.put_off.look("paces", shared.ledger.lift_paces(BOUND).await);
        shared.put_off.look("breakers", shared.ledger.lift_breakers(BOUND).await);
        // The dispatchers look again: there may be more to do than a moment ago.
        shared.view.send_modify(|_| {});
        Ok(())
    }

    /// R4, beside the turn: a lost worker's open transaction may still lock its rows, and R4 has to wait for it.
    fn reap(&self, lost: Vec<WorkerId>) {
        if lost.is_empty() {
            return;
        }
        let shared = self.shared.clone();
        self.beside(&self.reaping, async move {
            shared.put_off.look("R4", repeat("R4", || shared.ledger.reap(&lost, BOUND)).await);
        });
    }

    /// R3, beside the turn: it asks the broker, and one that answers slowly must not keep R4 from its looks.
    fn recall(&self, now: Instant) {
        let shared = self.shared.clone();
        let before = Before {
            old: self.ages.older_than(shared.protocol.forgotten, now),
            all: self.ages.older_than(Duration::ZERO, now),
        };
        self.beside(&self.recalling, async move {
            for lane in &shared.lanes {
                shared.put_off.look("R3", forgotten(&shared, lane, before, now).await);
            }
        });
    }

    /// Unless the last time's work is still going on.
    fn beside(&self, busy: &Arc<AtomicBool>, work: impl Future<Output = ()> + Send + 'static) {
        if busy.swap(true, Ordering::AcqRel) {
            return;
        }
        let (busy, shutdown) = (busy.clone(), self.shared.shutdown.clone());
        self.shared.tasks.spawn(async move {
            shutdown.run_until_cancelled(work).await;
            busy.store(false, Ordering::Release);
        });
    }

    async fn mark_confirmed(&self, now: Instant) -> LedgerResult<()> {
        let shared = &self.shared;
        let ripe = shared.confirmed.older_than(shared.protocol.mark_confirmed_after, now);
        for chunk in ripe.chunks(MARKS) {
            shared.ledger.mark_confirmed(chunk).await?;
        }
        Ok(())
    }

    /// Puts aside what no live worker may run, and lifts what one may run again.
    async fn holds(&self, lane: &str) -> LedgerResult<()> {
        let (known, runnable, paused) = {
            let view = self.shared.view.borrow();
            (view.known(lane), view.runnable(lane), view.paused.clone())
        };
        if known.is_empty() {
            return Ok(());
        }
        self.shared.ledger.park(lane, &known, &paused).await?;
        self.shared.ledger.lift_kinds(lane, &runnable, BOUND).await?;
        Ok(())
    }
}

/// Resolves when a kind was paused or resumed.
async fn operators_act(wake: &mut broadcast::Receiver<String>) {
    loop {
        match wake.recv().await {
            Ok(payload) if payload.starts_with("pause:") || payload.starts_with("resume:") => return,
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// One rule, until it finds nothing more or its turns are over.
pub(super) async fn repeat<F, Fut>(rule: &'static str, mut sweep: F) -> LedgerResult<()>
where
    F: FnMut() -> Fut + Send,
    Fut: Future<Output = LedgerResult<Swept>> + Send,
{
    for _ in 0..TURNS {
        let swept = sweep().await?;
        metrics::counter!(names::WORKERS_LOST).increment(swept.workers);
        if swept.rescued + swept.dead_letters > 0 {
            metrics::counter!(names::RESCUED, "rule" => rule).increment(swept.rescued);
            let (rescued, dead) = (swept.rescued, swept.dead_letters);
            tracing::warn!(event = "sweep.rescued", rule, rescued, dead_letters = dead, "lost work goes on");
            crash::point(Point::MidSweep);
        }
        if swept.messages < BOUND.unsigned_abs().into() {
            break;
        }
    }
    Ok(())
}
