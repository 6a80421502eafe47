//! What this worker holds: the other side of R6.

use crate::fleet::{
    job::{Epoch, JobId, MessageId, Pointer},
    ports::Claimed,
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, OnceLock},
};
use tokio_util::sync::CancellationToken;

/// Why an attempt was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// An operator cancelled the job.
    Cancelled,
    /// The worker shuts down and the grace period is over.
    Shutdown,
    /// The row is no longer ours, or we can't prove that it is.
    Lost,
}

/// The signal to one attempt. The first reason counts.
#[derive(Clone, Debug, Default)]
pub(super) struct StopSignal {
    reason: Arc<OnceLock<Stop>>,
    pub(super) token: CancellationToken,
}

impl StopSignal {
    pub(super) fn stop(&self, reason: Stop) {
        // A second reason changes nothing.
        let _ = self.reason.set(reason);
        self.token.cancel();
    }

    pub(super) fn reason(&self) -> Option<Stop> {
        self.reason.get().copied()
    }
}

/// Messages that wait to be forgotten.
const ORPHANS_MAX: usize = 10_000;

#[derive(Debug, Default)]
struct Inner {
    jobs: HashMap<JobId, (Epoch, StopSignal)>,
    /// Pointers of claims without an answer yet, at the epoch that the claim would give them.
    claiming: HashSet<Pointer>,
    /// Jobs of each message that have not been finished.
    left: HashMap<MessageId, usize>,
    /// Messages of which nothing is left, and whose row is still there.
    orphans: Vec<MessageId>,
}

/// Jobs in this worker's hands, from the claim until the ledger answered their last statement. Bounded by the slots and
/// the size of a message.
#[derive(Clone, Debug, Default)]
pub(super) struct Held(Arc<Mutex<Inner>>);

impl Held {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("nothing panics while it holds this lock")
    }

    /// A claim of these pointers goes out.
    pub(super) fn claiming(&self, pointers: impl Iterator<Item = Pointer>) {
        self.lock().claiming.extend(pointers.map(|p| Pointer(p.id(), p.epoch() + 1)));
    }

    /// The claim was answered: these are ours.
    pub(super) fn claimed(
        &self,
        pointers: impl Iterator<Item = Pointer>,
        jobs: &[Claimed],
    ) -> HashMap<JobId, StopSignal> {
        let mut inner = self.lock();
        for p in pointers {
            inner.claiming.remove(&Pointer(p.id(), p.epoch() + 1));
        }
        let mut signals = HashMap::with_capacity(jobs.len());
        for job in jobs {
            let signal = StopSignal::default();
            inner.jobs.insert(job.id, (job.epoch, signal.clone()));
            *inner.left.entry(job.message).or_default() += 1;
            signals.insert(job.id, signal);
        }
        signals
    }

    /// A job's last statement is about to be sent. The message, if nothing else of it is left.
    pub(super) fn last_of(&self, message: MessageId) -> Option<MessageId> {
        let mut inner = self.lock();
        let left = inner.left.get_mut(&message)?;
        *left = left.saturating_sub(1);
        (*left == 0).then(|| {
            inner.left.remove(&message);
            message
        })
    }

    /// That statement was undone, and another one will follow.
    pub(super) fn not_last_of(&self, message: MessageId) {
        *self.lock().left.entry(message).or_default() += 1;
    }

    /// Whether this job was told to stop, or is not held at all.
    pub(super) fn is_stopped(&self, row: Pointer) -> bool {
        let inner = self.lock();
        inner.jobs.get(&row.id()).is_none_or(|(epoch, signal)| *epoch != row.epoch() || signal.reason().is_some())
    }

    /// The ledger answered a job's last statement.
    pub(super) fn finished(&self, id: JobId, epoch: Epoch) {
        let mut inner = self.lock();
        if inner.jobs.get(&id).is_some_and(|(at, _)| *at == epoch) {
            inner.jobs.remove(&id);
        }
    }

    /// All that is held or being claimed.
    pub(super) fn rows(&self) -> HashSet<Pointer> {
        let inner = self.lock();
        let held = inner.jobs.iter().map(|(id, (epoch, _))| Pointer(*id, *epoch));
        held.chain(inner.claiming.iter().copied()).collect()
    }

    /// What is held, without claims in flight.
    pub(super) fn running(&self) -> HashSet<Pointer> {
        self.lock().jobs.iter().map(|(id, (epoch, _))| Pointer(*id, *epoch)).collect()
    }

    /// Stops one job, if it is still held at that epoch.
    pub(super) fn stop(&self, row: Pointer, reason: Stop) {
        if let Some((epoch, signal)) = self.lock().jobs.get(&row.id())
            && *epoch == row.epoch()
        {
            signal.stop(reason);
        }
    }

    /// Stops everything.
    pub(super) fn stop_all(&self, reason: Stop) {
        for (_, signal) in self.lock().jobs.values() {
            signal.stop(reason);
        }
    }

    /// The rows of these messages are to be deleted when the ledger answers again.
    pub(super) fn orphan(&self, messages: impl IntoIterator<Item = MessageId>) {
        let mut inner = self.lock();
        inner.orphans.extend(messages);
        // Beyond this bound R4's look at a dead worker's messages has to do.
        inner.orphans.truncate(ORPHANS_MAX);
    }

    /// Takes them.
    pub(super) fn take_orphans(&self) -> Vec<MessageId> {
        std::mem::take(&mut self.lock().orphans)
    }

    /// Nothing is held, and nothing is being claimed.
    pub(super) fn is_empty(&self) -> bool {
        let inner = self.lock();
        inner.jobs.is_empty() && inner.claiming.is_empty()
    }
}
