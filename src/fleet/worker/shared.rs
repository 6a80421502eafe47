//! What the worker's loops share.

use super::{
    ahead::Allowance, held::Held, meters::Meters, outcome::Ended, run_times::RunTimes, stuck::Followed,
    threads::Threads,
};
use crate::fleet::{
    Progress,
    crash::{self, Point},
    handler::Registry,
    job::WorkerId,
    ports::{Broker, Ledger, Outgoing, PublishOutcome, Retention},
    settings::Protocol,
};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// One worker's state. Cheap to share, never locked over an await.
pub(super) struct Shared<L: Ledger, B: Broker> {
    pub(super) ledger: L,
    pub(super) broker: B,
    pub(super) registry: Arc<Registry<L::Tx>>,
    pub(super) protocol: Protocol,
    pub(super) worker: WorkerId,
    /// Kinds that it knows.
    pub(super) kinds: Vec<String>,
    pub(super) lanes: Vec<String>,
    pub(super) slot_count: u32,
    pub(super) slots: Arc<Semaphore>,
    pub(super) held: Held,
    /// To the completer, what ends together. Bounded: runs wait when the ledger is slow.
    pub(super) ended: mpsc::Sender<Vec<Ended>>,
    /// False: it can't prove that it lives, and takes nothing.
    pub(super) fit: watch::Sender<bool>,
    /// Marked by each heartbeat.
    pub(super) progress: Progress,
    /// No more work is taken.
    pub(super) drain: CancellationToken,
    /// Attempts, and copies of dead letters.
    pub(super) tasks: TaskTracker,
    /// Where attempts run.
    pub(super) threads: Threads,
    /// How many messages that are ahead of the ledger may still be kept.
    pub(super) ahead: Allowance,
    /// Whether a completed job stays.
    pub(super) retention: Retention,
    /// How long jobs run.
    pub(super) run_times: RunTimes,
    pub(super) meters: Meters,
    /// Handlers of attempts that are over.
    pub(super) followed: Followed,
}

impl<L: Ledger, B: Broker> Shared<L, B> {
    /// To the completer: together what one statement may end.
    pub(super) async fn hand_over(&self, ended: Vec<Ended>) {
        // The completer lives until every attempt has ended.
        if !ended.is_empty() && self.ended.send(ended).await.is_err() {
            tracing::error!(event = "worker.broken", "the completer is gone; the lease will give the jobs back");
        }
    }

    /// Puts the copy of a dead letter into docket.dead. If it fails, R5 finds the row unmarked.
    pub(super) async fn publish_dead(&self, dead: crate::fleet::ports::DeadLetter, generation: i32) {
        let pointer = crate::fleet::job::Pointer(dead.id, dead.epoch);
        if self.broker.publish(Outgoing::Dead(dead)).await != PublishOutcome::Confirmed {
            return;
        }
        crash::point(Point::BeforeDeadMark);
        if let Err(e) = self.ledger.dead_mark(&[pointer], generation).await {
            tracing::debug!(error = %e, job.id = pointer.id().0, "a dead letter's copy is not marked; the next pass finds it");
        }
    }
}
