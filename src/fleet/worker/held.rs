//! What this worker holds: the other side of R6.

use crate::fleet::{
    job::{Epoch, JobId, MessageId, Pointer},
    ports::Claimed,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
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
    jobs: BTreeMap<JobId, (Epoch, StopSignal)>,
    /// Pointers of claims without an answer yet, at the epoch that the claim would give them.
    claiming: BTreeSet<Pointer>,
    /// Jobs of each message whose last statement the ledger has not answered.
    left: HashMap<MessageId, usize>,
    /// Messages with a job that was given up, and whose row is still the ledger's to give back.
    abandoned: BTreeSet<MessageId>,
    /// Messages of which nothing is left, and whose row is still there.
    orphans: Vec<MessageId>,
}

impl Inner {
    fn end(&mut self, row: Pointer, message: MessageId) {
        if self.jobs.get(&row.id()).is_some_and(|(at, _)| *at == row.epoch()) {
            self.jobs.remove(&row.id());
        }
        if let Some(left) = self.left.get_mut(&message) {
            *left -= 1;
            if *left == 0 {
                self.left.remove(&message);
            }
        }
    }

    fn orphan(&mut self, messages: impl IntoIterator<Item = MessageId>) {
        self.orphans.extend(messages);
        // Beyond this bound R4's look at a dead worker's messages has to do.
        self.orphans.truncate(ORPHANS_MAX);
    }
}

/// Jobs in this worker's hands, in an order that does not change from run to run, from the claim until the ledger answered their last statement. Bounded by the slots and
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

    /// Which messages a statement may delete that ends one job of each of these (a message may be named more than once):
    /// nothing else of them is left. R4 and R6 find a row by its message, so a message must outlive all its jobs.
    pub(super) fn spent(&self, messages: impl Iterator<Item = MessageId>) -> BTreeSet<MessageId> {
        let mut ending: BTreeMap<MessageId, usize> = BTreeMap::new();
        for message in messages {
            *ending.entry(message).or_default() += 1;
        }
        let inner = self.lock();
        let is_spent = |(m, n): &(MessageId, usize)| inner.left.get(m) == Some(n) && !inner.abandoned.contains(m);
        ending.into_iter().filter(is_spent).map(|(message, _)| message).collect()
    }

    /// Whether this job was told to stop, or is not held at all.
    pub(super) fn is_stopped(&self, row: Pointer) -> bool {
        let inner = self.lock();
        inner.jobs.get(&row.id()).is_none_or(|(epoch, signal)| *epoch != row.epoch() || signal.reason().is_some())
    }

    /// The ledger answered a job's last statement, which deleted the messages `spent`.
    pub(super) fn finished(&self, row: Pointer, message: MessageId, spent: &BTreeSet<MessageId>) {
        let mut inner = self.lock();
        inner.end(row, message);
        if !inner.left.contains_key(&message) && (inner.abandoned.remove(&message) || !spent.contains(&message)) {
            inner.orphan([message]);
        }
    }

    /// A job is given up without a statement: its row is for R6, or gone already.
    pub(super) fn abandoned(&self, row: Pointer, message: MessageId) {
        let mut inner = self.lock();
        inner.end(row, message);
        if inner.left.contains_key(&message) {
            inner.abandoned.insert(message);
        } else {
            inner.abandoned.remove(&message);
            inner.orphan([message]);
        }
    }

    /// All that is held or being claimed.
    pub(super) fn rows(&self) -> BTreeSet<Pointer> {
        let inner = self.lock();
        let held = inner.jobs.iter().map(|(id, (epoch, _))| Pointer(*id, *epoch));
        held.chain(inner.claiming.iter().copied()).collect()
    }

    /// What is held, without claims in flight.
    pub(super) fn running(&self) -> BTreeSet<Pointer> {
        self.lock().jobs.iter().map(|(id, (epoch, _))| Pointer(*id, *epoch)).collect()
    }

    /// Those of these pointers whose attempt is here already: an earlier delivery of the same message brought it.
    pub(super) fn known(&self, pointers: impl Iterator<Item = Pointer>) -> BTreeSet<Pointer> {
        let inner = self.lock();
        let rows = pointers.map(|p| Pointer(p.id(), p.epoch() + 1));
        rows.filter(|row| inner.jobs.get(&row.id()).is_some_and(|(epoch, _)| *epoch == row.epoch())).collect()
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
        self.lock().orphan(messages);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn held(ids: std::ops::RangeInclusive<i64>) -> (Held, MessageId) {
        let (held, message) = (Held::default(), MessageId(7));
        for id in ids {
            held.lock().jobs.insert(JobId(id), (1, StopSignal::default()));
            *held.lock().left.entry(message).or_default() += 1;
        }
        (held, message)
    }

    #[test]
    fn a_message_goes_with_the_statement_that_ends_all_that_is_left_of_it() {
        let (held, message) = held(1..=3);
        let none = BTreeSet::new();
        assert_eq!(held.spent([message; 2].into_iter()), none, "a third job is not booked yet");
        held.finished(Pointer(JobId(1), 1), message, &none);
        let spent = held.spent([message; 2].into_iter());
        assert_eq!(spent, BTreeSet::from([message]));
        held.finished(Pointer(JobId(2), 1), message, &spent);
        held.finished(Pointer(JobId(3), 1), message, &spent);
        assert!(held.is_empty() && held.take_orphans().is_empty());
    }

    #[test]
    fn a_message_with_a_job_that_was_given_up_goes_with_no_statement() {
        let (held, message) = held(1..=2);
        held.abandoned(Pointer(JobId(1), 1), message);
        let spent = held.spent(std::iter::once(message));
        assert_eq!(spent, BTreeSet::new(), "R4 and R6 find the row of job 1 by it");
        held.finished(Pointer(JobId(2), 1), message, &spent);
        assert_eq!(held.take_orphans(), [message], "deleted when the ledger has nothing of it either");
    }
}
