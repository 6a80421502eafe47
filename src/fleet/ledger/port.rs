//! The ledger as the loops see it: each method is one group of statements.

use super::{PgTx, pg::PgLedger};
use crate::fleet::{
    job::{Envelope, JobId, MessageId, Pointer, WorkerId},
    ports::{
        Beat, Claimed, Completion, DeadCount, DeadLetter, Discard, Dispatch, Failed, Failure, InFlight, Ledger,
        LedgerResult, PickRequest, Quarantined, Release, Retention, RetentionStep, Sweep, Swept, WorkerRow, WorkerSpec,
    },
};
use std::{collections::HashSet, time::Duration};

impl Ledger for PgLedger {
    type Tx = PgTx;

    async fn pick(&self, request: PickRequest<'_>) -> LedgerResult<Vec<Dispatch>> {
        self.pick_rows(request).await
    }
    async fn hand_back(&self, messages: &[MessageId]) -> LedgerResult<u64> {
        self.hand_back_messages(messages).await
    }
    async fn mark_confirmed(&self, messages: &[MessageId]) -> LedgerResult<()> {
        self.mark_messages(messages).await
    }
    async fn in_flight(&self, lane: &str) -> LedgerResult<[InFlight; 3]> {
        self.lane_in_flight(lane).await
    }
    async fn oldest_due(&self, lane: &str) -> LedgerResult<Option<Duration>> {
        self.lane_oldest_due(lane).await
    }
    async fn watermark(&self) -> LedgerResult<MessageId> {
        self.message_watermark().await
    }
    async fn sweep(&self, sweep: Sweep<'_>, bound: i32) -> LedgerResult<Swept> {
        self.sweep_messages(sweep, bound).await
    }
    async fn reap(&self, workers: &[WorkerId], bound: i32) -> LedgerResult<Swept> {
        self.reap_workers(workers, bound).await
    }
    async fn workers(&self) -> LedgerResult<Vec<WorkerRow>> {
        self.list_workers().await
    }
    async fn lift_due(&self, bound: i32) -> LedgerResult<u64> {
        self.lift_time_and_parents(bound).await
    }
    async fn lift_paces(&self, bound: i32) -> LedgerResult<u64> {
        self.lift_at_their_pace(bound).await
    }

    async fn lift_breakers(&self, bound: i32) -> LedgerResult<u64> {
        self.lift_behind_breakers(bound).await
    }
    async fn lift_kinds(&self, lane: &str, kinds: &[String], bound: i32) -> LedgerResult<u64> {
        self.lift_free_kinds(lane, kinds, bound).await
    }
    async fn park(&self, lane: &str, known: &[String], paused: &[String]) -> LedgerResult<u64> {
        self.park_rows(lane, known, paused).await
    }
    async fn paused_kinds(&self) -> LedgerResult<Vec<String>> {
        self.list_paused().await
    }
    async fn retention(&self, from: JobId, rows: i32, keep: &Retention) -> LedgerResult<RetentionStep> {
        self.retention_step(from, rows, keep).await
    }
    async fn dead_missing(&self, generation: i32, bound: i32) -> LedgerResult<Vec<DeadLetter>> {
        self.missing_copies(generation, bound).await
    }
    async fn dead_mark(&self, dead: &[Pointer], generation: i32) -> LedgerResult<()> {
        self.mark_copies(dead, generation).await
    }
    async fn dead_still(&self, dead: &[Pointer]) -> LedgerResult<HashSet<Pointer>> {
        self.still_dead(dead).await
    }
    async fn dead_marked(&self, generation: i32, bound: i32) -> LedgerResult<HashSet<Pointer>> {
        self.marked_copies(generation, bound).await
    }
    async fn dead_count(&self, generation: i32) -> LedgerResult<DeadCount> {
        self.count_dead(generation).await
    }
    async fn dead_unmark(&self, dead: &[Pointer]) -> LedgerResult<()> {
        self.mark_copies(dead, 0).await
    }
    async fn try_dead_lock(&self) -> LedgerResult<bool> {
        self.lock_dead().await
    }
    async fn release_dead_lock(&self) {
        self.unlock_dead().await;
    }
    async fn generation(&self) -> LedgerResult<i32> {
        self.known_generation().await
    }
    async fn advance_generation(&self, from: i32) -> LedgerResult<bool> {
        self.next_generation(from).await
    }
    async fn quarantine(&self, message: &Quarantined) -> LedgerResult<()> {
        self.keep_unreadable(message).await
    }
    async fn register(&self, spec: &WorkerSpec) -> LedgerResult<WorkerId> {
        self.insert_worker(spec).await
    }
    async fn beat(&self, worker: WorkerId, run_us: &[Option<i32>]) -> LedgerResult<Beat> {
        self.heart_beat(worker, run_us).await
    }
    async fn drain(&self, worker: WorkerId) -> LedgerResult<()> {
        self.drain_worker(worker).await
    }
    async fn deregister(&self, worker: WorkerId) -> LedgerResult<()> {
        self.sign_off(worker).await
    }
    async fn claim(&self, worker: WorkerId, messages: &[Envelope], repeat: bool) -> LedgerResult<Vec<Claimed>> {
        self.claim_messages(worker, messages, repeat).await
    }
    async fn ahead(&self, pointers: &[Pointer], all_kept: bool) -> LedgerResult<HashSet<Pointer>> {
        self.ahead_of_rows(pointers, all_kept).await
    }
    async fn lease(&self, worker: WorkerId, lane: &str, kinds: &[String], rows: i32) -> LedgerResult<Vec<Claimed>> {
        self.lease_rows(worker, lane, kinds, rows, false).await
    }
    async fn lease_suspect(&self, worker: WorkerId, lane: &str, kinds: &[String]) -> LedgerResult<Option<Claimed>> {
        Ok(self.lease_rows(worker, lane, kinds, 1, true).await?.pop())
    }
    async fn complete(&self, batch: &[Completion], spent: &[MessageId]) -> LedgerResult<HashSet<JobId>> {
        self.complete_batch(batch, spent).await
    }
    async fn fail(&self, batch: &[Failure], spent: &[MessageId]) -> LedgerResult<Vec<Failed>> {
        self.fail_batch(batch, spent).await
    }
    async fn release(&self, batch: &[Release], spent: &[MessageId]) -> LedgerResult<HashSet<JobId>> {
        self.release_batch(batch, spent).await
    }
    async fn discard(&self, batch: &[Discard], spent: &[MessageId]) -> LedgerResult<HashSet<JobId>> {
        self.discard_batch(batch, spent).await
    }
    async fn forget(&self, spent: &[MessageId]) -> LedgerResult<()> {
        self.forget_messages(spent).await
    }
    async fn still_held(&self, rows: &[Pointer]) -> LedgerResult<HashSet<JobId>> {
        self.rows_still_held(rows).await
    }
    async fn begin_effects(&self, batch: &[&Completion], spent: &[MessageId]) -> LedgerResult<(PgTx, HashSet<JobId>)> {
        self.begin_with(batch, spent).await
    }
    async fn commit(&self, tx: PgTx) -> LedgerResult<()> {
        self.commit_tx(tx).await
    }
    async fn rollback(&self, tx: PgTx) {
        self.rollback_tx(tx).await;
    }
}
