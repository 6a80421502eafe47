//! PostgreSQL, as the loops see it.

use super::{
    Beat, Claimed, Completion, DeadCount, DeadLetter, Discard, Dispatch, Failed, Failure, InFlight, LedgerError,
    PickRequest, Quarantined, Release, Retention, RetentionStep, Sweep, Swept, WorkerRow, WorkerSpec,
};
use crate::fleet::job::{Envelope, JobId, MessageId, Pointer, WorkerId};
use std::{collections::HashSet, future::Future, time::Duration};

/// A result that the ledger may not have given.
pub type LedgerResult<T> = Result<T, LedgerError>;

/// PostgreSQL, as the loops see it. Zero rows for an (id, epoch) means: refused by the fence.
pub trait Ledger: Clone + Send + Sync + 'static {
    /// A transaction that effects are written in.
    type Tx: Send + 'static;

    // -- scheduler
    /// Point 1: due rows become queued, grouped into messages.
    fn pick(&self, request: PickRequest<'_>) -> impl Future<Output = LedgerResult<Vec<Dispatch>>> + Send;
    /// Unclaimed messages back to pending: nacked, returned, or handed back by a worker that has no slot.
    fn hand_back(&self, messages: &[MessageId]) -> impl Future<Output = LedgerResult<u64>> + Send;
    /// Marks messages that are confirmed and still unclaimed.
    fn mark_confirmed(&self, messages: &[MessageId]) -> impl Future<Output = LedgerResult<()>> + Send;
    /// Unclaimed messages of a lane, by band (high, normal, low).
    fn in_flight(&self, lane: &str) -> impl Future<Output = LedgerResult<[InFlight; 3]>> + Send;
    /// Whether the lane has a due job, and for how long its first one has been due.
    fn oldest_due(&self, lane: &str) -> impl Future<Output = LedgerResult<Option<Duration>>> + Send;

    // -- sweeps
    /// A number above every message id given so far. What is below one that I saw ten seconds ago is ten seconds old,
    /// whatever any wall clock says.
    fn watermark(&self) -> impl Future<Output = LedgerResult<MessageId>> + Send;
    /// R1 to R3: at most `bound` messages.
    fn sweep(&self, sweep: Sweep<'_>, bound: i32) -> impl Future<Output = LedgerResult<Swept>> + Send;
    /// R4: what these workers held, losses + 1; at most `bound` messages a call. Zero messages: done.
    fn reap(&self, workers: &[WorkerId], bound: i32) -> impl Future<Output = LedgerResult<Swept>> + Send;
    /// All workers and schedulers that have not signed off.
    fn workers(&self) -> impl Future<Output = LedgerResult<Vec<WorkerRow>>> + Send;
    /// Holds whose time has come become due, and parents whose children have all ended; at most `bound` each.
    fn lift_due(&self, bound: i32) -> impl Future<Output = LedgerResult<u64>> + Send;
    /// Lifts the jobs whose turn comes in the next second, at most `bound` of each key.
    fn lift_paces(&self, bound: i32) -> impl Future<Output = LedgerResult<u64>> + Send;
    /// Lifts the jobs of closed circuit breakers, at most `bound` of each, and one of each whose probe is due.
    fn lift_breakers(&self, bound: i32) -> impl Future<Output = LedgerResult<u64>> + Send;
    /// Lifts `paused` and `unknown_kind` of these kinds in a lane.
    fn lift_kinds(&self, lane: &str, kinds: &[String], bound: i32) -> impl Future<Output = LedgerResult<u64>> + Send;
    /// Holds due rows near the head of a lane whose kind is paused, or is known to no live worker.
    fn park(&self, lane: &str, known: &[String], paused: &[String]) -> impl Future<Output = LedgerResult<u64>> + Send;
    /// The paused kinds.
    fn paused_kinds(&self) -> impl Future<Output = LedgerResult<Vec<String>>> + Send;
    /// Deletes ended rows that are older than their retention: one bounded step along the primary key.
    fn retention(
        &self,
        from: JobId,
        rows: i32,
        keep: &Retention,
    ) -> impl Future<Output = LedgerResult<RetentionStep>> + Send;

    // -- dead letters and the broker's generation
    /// Dead letters without a copy in this generation of the broker.
    fn dead_missing(&self, generation: i32, bound: i32) -> impl Future<Output = LedgerResult<Vec<DeadLetter>>> + Send;
    /// Marks copies as confirmed in this generation.
    fn dead_mark(&self, dead: &[Pointer], generation: i32) -> impl Future<Output = LedgerResult<()>> + Send;
    /// Which of these still are dead letters at that epoch.
    fn dead_still(&self, dead: &[Pointer]) -> impl Future<Output = LedgerResult<HashSet<Pointer>>> + Send;
    /// The dead letters that are marked as published in this generation, up to `bound`: what docket.dead should hold.
    fn dead_marked(&self, generation: i32, bound: i32) -> impl Future<Output = LedgerResult<HashSet<Pointer>>> + Send;
    /// Dead letters, counted.
    fn dead_count(&self, generation: i32) -> impl Future<Output = LedgerResult<DeadCount>> + Send;
    /// Takes the mark off again: the copy is missing.
    fn dead_unmark(&self, dead: &[Pointer]) -> impl Future<Output = LedgerResult<()>> + Send;
    /// One holder at a time does R5. True: this caller holds the lock until `release_dead_lock` or its connection ends.
    fn try_dead_lock(&self) -> impl Future<Output = LedgerResult<bool>> + Send;
    /// Gives the lock back.
    fn release_dead_lock(&self) -> impl Future<Output = ()> + Send;
    /// The generation that the ledger knows.
    fn generation(&self) -> impl Future<Output = LedgerResult<i32>> + Send;
    /// Compare-and-set to the next generation. False: someone else was first.
    fn advance_generation(&self, from: i32) -> impl Future<Output = LedgerResult<bool>> + Send;
    /// Keeps an unreadable message; the table is bounded.
    fn quarantine(&self, message: &Quarantined) -> impl Future<Output = LedgerResult<()>> + Send;

    // -- worker
    /// A new row of `workers`.
    fn register(&self, spec: &WorkerSpec) -> impl Future<Output = LedgerResult<WorkerId>> + Send;
    /// The heartbeat, on a connection of its own. `run_us`: as in [`WorkerRow`]; empty for a scheduler.
    fn beat(&self, worker: WorkerId, run_us: &[Option<i32>]) -> impl Future<Output = LedgerResult<Beat>> + Send;
    /// Announces that the worker takes nothing more.
    fn drain(&self, worker: WorkerId) -> impl Future<Output = LedgerResult<()>> + Send;
    /// Signs off. The worker holds nothing any more.
    fn deregister(&self, worker: WorkerId) -> impl Future<Output = LedgerResult<()>> + Send;
    /// Point 4: claims what these messages point to. `repeat`: an earlier call had no answer.
    fn claim(
        &self,
        worker: WorkerId,
        messages: &[Envelope],
        repeat: bool,
    ) -> impl Future<Output = LedgerResult<Vec<Claimed>>> + Send;
    /// Those of these pointers that are ahead of their rows, or point to none. The scheduler writes a row before it
    /// publishes, so such a message is forged, or the ledger went back in time: an older backup was restored. A ledger that
    /// can't go back has none. Where not all completed jobs are kept (`all_kept` false), a row that isn't there tells nothing.
    fn ahead(
        &self,
        pointers: &[Pointer],
        all_kept: bool,
    ) -> impl Future<Output = LedgerResult<HashSet<Pointer>>> + Send {
        let _ = (pointers, all_kept);
        std::future::ready(Ok(HashSet::new()))
    }
    /// Point 1, second target: due rows become processing without the broker. Never a suspect.
    fn lease(
        &self,
        worker: WorkerId,
        lane: &str,
        kinds: &[String],
        rows: i32,
    ) -> impl Future<Output = LedgerResult<Vec<Claimed>>> + Send;
    /// One suspect, for a worker that holds nothing else.
    fn lease_suspect(
        &self,
        worker: WorkerId,
        lane: &str,
        kinds: &[String],
    ) -> impl Future<Output = LedgerResult<Option<Claimed>>> + Send;
    /// Ends jobs of kinds without effects. `spent`: messages of which nothing is left. Returns those not fenced off.
    fn complete(
        &self,
        batch: &[Completion],
        spent: &[MessageId],
    ) -> impl Future<Output = LedgerResult<HashSet<JobId>>> + Send;
    /// Books failures.
    fn fail(&self, batch: &[Failure], spent: &[MessageId]) -> impl Future<Output = LedgerResult<Vec<Failed>>> + Send;
    /// Gives jobs back without cost. Returns those not fenced off.
    fn release(
        &self,
        batch: &[Release],
        spent: &[MessageId],
    ) -> impl Future<Output = LedgerResult<HashSet<JobId>>> + Send;
    /// Cancels jobs: their handler gave them up, or an operator did and their attempt has stopped.
    fn discard(
        &self,
        batch: &[Discard],
        spent: &[MessageId],
    ) -> impl Future<Output = LedgerResult<HashSet<JobId>>> + Send;
    /// Deletes message rows of which nothing is left.
    fn forget(&self, spent: &[MessageId]) -> impl Future<Output = LedgerResult<()>> + Send;
    /// Which of these rows still are at that epoch, in processing: the look after an unknown commit.
    fn still_held(&self, rows: &[Pointer]) -> impl Future<Output = LedgerResult<HashSet<JobId>>> + Send;

    // -- effects
    /// Opens a transaction and writes the completions first: that locks their rows. `batch`: not empty, and all kept or all
    /// not. Returns those not fenced off.
    fn begin_effects(
        &self,
        batch: &[&Completion],
        spent: &[MessageId],
    ) -> impl Future<Output = LedgerResult<(Self::Tx, HashSet<JobId>)>> + Send;
    /// Commits completion and effects together.
    fn commit(&self, tx: Self::Tx) -> impl Future<Output = LedgerResult<()>> + Send;
    /// Undoes both.
    fn rollback(&self, tx: Self::Tx) -> impl Future<Output = ()> + Send;
}
