//! The port: each statement is a round trip of a process that may be dead, over a connection that may fail.

use super::{SimTx, State, sweeps::Rule, work::Pick, workers::WorkerState};
use crate::{chaos::LedgerFate, mutant::Mutant, process::Process, world::World};
use docket::fleet::{
    job::{Envelope, JobId, MessageId, Pointer, WorkerId},
    ports::{
        Beat, Claimed, Completion, DeadCount, DeadLetter, Discard, Dispatch, Failed, Failure, InFlight, Ledger,
        LedgerError, LedgerResult, PickRequest, Quarantined, Release, Retention, RetentionStep, Sweep, Swept,
        WorkerRow, WorkerSpec,
    },
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::time::sleep;

/// A process's connections to the ledger.
#[derive(Clone)]
pub(crate) struct SimLedger {
    pub(crate) world: Arc<World>,
    pub(crate) process: Process,
}

fn unknown() -> LedgerError {
    LedgerError::Unknown("simulated".to_owned())
}

fn size(bound: i32) -> usize {
    usize::try_from(bound).unwrap()
}

impl SimLedger {
    /// One statement. It runs to its end although the process dies meanwhile, or it does not, as the dice have it.
    async fn call<T, F>(&self, what: &'static str, statement: F) -> LedgerResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut State) -> T + Send + 'static,
    {
        self.world.gate(&self.process).await;
        let (there, back, fate) = {
            let mut chaos = self.world.chaos();
            (chaos.latency(), chaos.latency(), chaos.ledger())
        };
        sleep(there).await;
        if self.process.is_dead() && self.world.chaos().chance(0.5) {
            return std::future::pending().await;
        }
        self.world.history.note(what, &[self.process.number().cast_signed()]);
        let result = if self.world.is_ledger_away() {
            Err(LedgerError::Unavailable("away".to_owned()))
        } else {
            self.decide(fate, statement).await
        };
        sleep(back).await;
        self.world.gate(&self.process).await;
        result
    }

    async fn decide<T, F>(&self, fate: LedgerFate, statement: F) -> LedgerResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut State) -> T + Send + 'static,
    {
        let count = |what| self.world.history.count(what, &[]);
        match fate {
            LedgerFate::Fine => Ok(self.world.ledger(statement)),
            LedgerFate::Unavailable => {
                count("statement not sent");
                Err(LedgerError::Unavailable("simulated".to_owned()))
            }
            LedgerFate::Repeat => {
                count("statement aborted");
                Err(LedgerError::Repeat("simulated".to_owned()))
            }
            LedgerFate::Lost => {
                count("statement lost");
                self.no_answer().await;
                Err(unknown())
            }
            LedgerFate::Unknown => {
                count("answer lost");
                self.world.ledger(statement);
                self.no_answer().await;
                Err(unknown())
            }
            LedgerFate::Late(delay) => {
                count("committed later");
                let world = self.world.clone();
                tokio::spawn(async move {
                    sleep(delay).await;
                    world.history.note("late", &[]);
                    world.ledger(statement);
                });
                self.no_answer().await;
                Err(unknown())
            }
        }
    }

    /// A lost connection is noticed at once, or at the statement's deadline.
    async fn no_answer(&self) {
        let is_slow = self.world.chaos().chance(0.3);
        sleep(if is_slow { self.world.protocol.statement } else { Duration::from_millis(1) }).await;
    }

    /// Whether this release is R6's: a worker that drains gives back what it knows.
    fn is_r6(&self, batch: &[Release], spent: &[MessageId]) -> bool {
        spent.is_empty() && batch.iter().all(|one| one.hold.is_none()) && !self.process.stop().is_cancelled()
    }
}

impl Ledger for SimLedger {
    type Tx = SimTx;

    async fn pick(&self, request: PickRequest<'_>) -> LedgerResult<Vec<Dispatch>> {
        let pick = Pick {
            lane: request.lane.to_owned(),
            rows: request.rows,
            aged: request.aged,
            kinds: request.kinds.to_vec(),
            bands: request.bands.to_vec(),
            generation: request.generation,
        };
        self.call("pick", move |s| s.pick(&pick)).await
    }
    async fn hand_back(&self, messages: &[MessageId]) -> LedgerResult<u64> {
        let messages = messages.to_vec();
        self.call("hand back", move |s| {
            let back = s.hand_back(&messages);
            s.history.add("handed back", usize::try_from(back).unwrap());
            back
        })
        .await
    }
    async fn mark_confirmed(&self, messages: &[MessageId]) -> LedgerResult<()> {
        let messages = messages.to_vec();
        self.call("mark confirmed", move |s| s.mark_confirmed(&messages)).await
    }
    async fn in_flight(&self, _lane: &str) -> LedgerResult<[InFlight; 3]> {
        self.call("in flight", |s| s.in_flight()).await
    }
    async fn oldest_due(&self, _lane: &str) -> LedgerResult<Option<Duration>> {
        self.call("oldest due", |s| s.due(|_| true).first().map(|_| Duration::ZERO)).await
    }
    async fn watermark(&self) -> LedgerResult<MessageId> {
        self.call("watermark", |s| s.watermark()).await
    }
    async fn sweep(&self, sweep: Sweep<'_>, bound: i32) -> LedgerResult<Swept> {
        let rule = match sweep {
            Sweep::Unconfirmed(before) => Rule::Unconfirmed(before),
            Sweep::OlderGeneration(generation) => Rule::OlderGeneration(generation),
            Sweep::Forgotten(_, band, before) => Rule::Forgotten(band, before),
        };
        self.call("sweep", move |s| s.sweep(&rule, size(bound))).await
    }
    async fn reap(&self, workers: &[WorkerId], bound: i32) -> LedgerResult<Swept> {
        let workers = workers.to_vec();
        self.call("reap", move |s| s.reap(&workers, size(bound))).await
    }
    async fn workers(&self) -> LedgerResult<Vec<WorkerRow>> {
        self.call("workers", |s| s.worker_rows()).await
    }
    async fn lift_due(&self, _bound: i32) -> LedgerResult<u64> {
        self.call("lift due", State::lift_due).await
    }
    /// Nothing of the simulation stands behind a breaker.
    async fn lift_paces(&self, _bound: i32) -> LedgerResult<u64> {
        Ok(0)
    }
    async fn lift_breakers(&self, _bound: i32) -> LedgerResult<u64> {
        Ok(0)
    }
    async fn lift_kinds(&self, _lane: &str, kinds: &[String], _bound: i32) -> LedgerResult<u64> {
        let kinds = kinds.to_vec();
        self.call("lift kinds", move |s| s.lift_kinds(&kinds)).await
    }
    async fn park(&self, _lane: &str, known: &[String], paused: &[String]) -> LedgerResult<u64> {
        let (known, paused) = (known.to_vec(), paused.to_vec());
        self.call("park", move |s| s.park(&known, &paused)).await
    }
    async fn paused_kinds(&self) -> LedgerResult<Vec<String>> {
        self.call("paused kinds", |s| s.paused.iter().cloned().collect()).await
    }
    async fn retention(&self, _from: JobId, _rows: i32, _keep: &Retention) -> LedgerResult<RetentionStep> {
        // A story is shorter than any retention.
        self.call("retention", |_| RetentionStep::default()).await
    }

    async fn dead_missing(&self, generation: i32, bound: i32) -> LedgerResult<Vec<DeadLetter>> {
        self.call("dead missing", move |s| s.dead_missing(generation, size(bound))).await
    }
    async fn dead_mark(&self, dead: &[Pointer], generation: i32) -> LedgerResult<()> {
        let dead = dead.to_vec();
        self.call("dead mark", move |s| s.dead_mark(&dead, generation)).await
    }
    async fn dead_still(&self, dead: &[Pointer]) -> LedgerResult<HashSet<Pointer>> {
        let dead = dead.to_vec();
        self.call("dead still", move |s| s.dead_still(&dead)).await
    }
    async fn dead_marked(&self, generation: i32, _bound: i32) -> LedgerResult<HashSet<Pointer>> {
        self.call("dead marked", move |s| s.dead_marked(generation)).await
    }
    async fn dead_count(&self, generation: i32) -> LedgerResult<DeadCount> {
        self.call("dead count", move |s| s.dead_count(generation)).await
    }
    async fn dead_unmark(&self, dead: &[Pointer]) -> LedgerResult<()> {
        let dead = dead.to_vec();
        self.world.history.add("R5 published again", dead.len());
        self.call("dead unmark", move |s| s.dead_mark(&dead, 0)).await
    }
    async fn try_dead_lock(&self) -> LedgerResult<bool> {
        // The lock lives on a connection: a call without an answer drops it, and the lock with it.
        let (me, process) = (self.process.number(), self.process.clone());
        let take = move |s: &mut State| !process.is_dead() && *s.dead_lock.get_or_insert(me) == me;
        let held = self.call("dead lock", take).await;
        if held.is_err() {
            self.release_dead_lock().await;
        }
        held
    }
    async fn release_dead_lock(&self) {
        let me = self.process.number();
        self.world.ledger(|s| s.dead_lock = s.dead_lock.filter(|holder| *holder != me));
    }
    async fn generation(&self) -> LedgerResult<i32> {
        self.call("generation", |s| s.generation).await
    }
    async fn advance_generation(&self, from: i32) -> LedgerResult<bool> {
        self.call("advance generation", move |s| {
            let is_first = s.generation == from;
            s.generation += i32::from(is_first);
            is_first
        })
        .await
    }
    async fn quarantine(&self, _message: &Quarantined) -> LedgerResult<()> {
        self.call("quarantine", |s| s.quarantined += 1).await
    }

    async fn register(&self, spec: &WorkerSpec) -> LedgerResult<WorkerId> {
        let (spec, process) = (spec.clone(), self.process.number());
        self.call("register", move |s| s.register(spec, process)).await
    }
    async fn beat(&self, worker: WorkerId, run_us: &[Option<i32>]) -> LedgerResult<Beat> {
        if let Some(dream) = self.process.dream() {
            return Ok(dream);
        }
        let run_us = run_us.to_vec();
        self.call("beat", move |s| s.beat(worker, run_us)).await
    }
    async fn drain(&self, worker: WorkerId) -> LedgerResult<()> {
        self.call("drain", move |s| s.sign_off(worker, WorkerState::Draining)).await
    }
    async fn deregister(&self, worker: WorkerId) -> LedgerResult<()> {
        self.call("deregister", move |s| s.sign_off(worker, WorkerState::Gone)).await
    }
    async fn claim(&self, worker: WorkerId, messages: &[Envelope], repeat: bool) -> LedgerResult<Vec<Claimed>> {
        let messages = messages.to_vec();
        self.call("claim", move |s| s.claim(worker, &messages, repeat)).await
    }
    async fn lease(&self, worker: WorkerId, _lane: &str, kinds: &[String], rows: i32) -> LedgerResult<Vec<Claimed>> {
        let kinds = kinds.to_vec();
        self.call("lease", move |s| s.lease(worker, &kinds, size(rows), false)).await
    }
    async fn lease_suspect(&self, worker: WorkerId, _lane: &str, kinds: &[String]) -> LedgerResult<Option<Claimed>> {
        let kinds = kinds.to_vec();
        self.call("lease suspect", move |s| s.lease(worker, &kinds, 1, true).pop()).await
    }
    async fn complete(&self, batch: &[Completion], spent: &[MessageId]) -> LedgerResult<HashSet<JobId>> {
        let (batch, spent) = (batch.to_vec(), spent.to_vec());
        self.call("complete", move |s| s.complete(&batch, &spent)).await
    }
    async fn fail(&self, batch: &[Failure], spent: &[MessageId]) -> LedgerResult<Vec<Failed>> {
        let (batch, spent) = (batch.to_vec(), spent.to_vec());
        self.call("fail", move |s| s.fail(&batch, &spent)).await
    }
    async fn release(&self, batch: &[Release], spent: &[MessageId]) -> LedgerResult<HashSet<JobId>> {
        let (batch, spent, is_r6) = (batch.to_vec(), spent.to_vec(), self.is_r6(batch, spent));
        self.call("release", move |s| {
            if is_r6 && s.mutant == Mutant::NoR6 {
                return batch.iter().map(|one| one.id).collect();
            }
            let released = s.release(&batch, &spent);
            s.history.add("R6", if is_r6 { released.len() } else { 0 });
            released
        })
        .await
    }
    async fn discard(&self, batch: &[Discard], spent: &[MessageId]) -> LedgerResult<HashSet<JobId>> {
        let (batch, spent) = (batch.to_vec(), spent.to_vec());
        self.call("discard", move |s| s.discard(&batch, &spent)).await
    }
    async fn forget(&self, spent: &[MessageId]) -> LedgerResult<()> {
        let spent = spent.to_vec();
        self.call("forget", move |s| s.forget(&spent)).await
    }
    async fn still_held(&self, rows: &[Pointer]) -> LedgerResult<HashSet<JobId>> {
        let rows = rows.to_vec();
        let held = move |s: &mut State| rows.iter().filter(|p| s.is_held(p.id(), p.epoch())).map(|p| p.id()).collect();
        self.call("still held", held).await
    }

    async fn begin_effects(&self, batch: &[&Completion], spent: &[MessageId]) -> LedgerResult<(SimTx, HashSet<JobId>)> {
        let (batch, spent) = (batch.iter().map(|&one| one.clone()).collect(), spent.to_vec());
        let begun = self.call("begin effects", move |s| s.begin(batch, spent)).await;
        // Nothing is committed before the commit.
        begun.map_err(|error| LedgerError::Unavailable(error.to_string()))
    }
    async fn commit(&self, mut tx: SimTx) -> LedgerResult<()> {
        if self.world.mutant == Mutant::LooseEffects {
            let effects = tx.split();
            self.call("commit effects", move |s| s.effects.extend(effects)).await?;
        }
        match self.call("commit", move |s| s.commit(tx)).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(LedgerError::Repeat("the row was changed meanwhile".to_owned())),
            Err(error) => Err(error),
        }
    }
    async fn rollback(&self, _tx: SimTx) {
        self.world.gate(&self.process).await;
    }
}
