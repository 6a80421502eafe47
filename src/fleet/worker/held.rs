//! What this worker holds: the other side of R6.

use super::signal::{Stop, StopSignal};
use crate::fleet::{
    job::{Epoch, JobId, MessageId, Pointer},
    ports::Claimed,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

/// Messages that wait to be forgotten.
const ORPHANS_MAX: usize = 10_000;

#[derive(Debug, Default)]
struct Inner {
    jobs: BTreeMap<JobId, (Epoch, StopSignal)>,
    /// Pointers of claims without an answer yet, at the epoch that the claim would give them.
    claiming: BTreeSet<Pointer>,
    /// Jobs of each message whose last statement the ledger has not answered.
    left: HashMap<MessageId, usize>,
    /// Messages with a job that was given up, or was not claimed with the others, and whose row is still the ledger's to give
    /// back.
    abandoned: BTreeSet<MessageId>,
    /// Messages of which nothing is left, and whose row is still there.
    orphans: Vec<MessageId>,
}

impl Inner {
    fn take(&mut self, job: &Claimed) -> (JobId, StopSignal) {
        let signal = StopSignal::default();
        self.jobs.insert(job.id, (job.epoch, signal.clone()));
        *self.left.entry(job.message).or_default() += 1;
        (job.id, signal)
    }

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

/// Jobs in this worker's hands, in an order that does not change from run to run, from the claim until the ledger answered
/// their last statement. Bounded by the slots and the size of a message.
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

    /// A claim of these pointers was answered: the jobs are ours. A signal for each, but for those whose pointer another
    /// claim on its way has brought an answer for meanwhile: they run already, or have ended, or go back by R6.
    pub(super) fn claimed(
        &self,
        pointers: impl Iterator<Item = Pointer>,
        jobs: &[Claimed],
    ) -> HashMap<JobId, StopSignal> {
        let mut inner = self.lock();
        let rows = pointers.map(|p| Pointer(p.id(), p.epoch() + 1));
        let open: HashSet<Pointer> = rows.filter(|row| inner.claiming.remove(row)).collect();
        let ours = jobs.iter().filter(|job| open.contains(&Pointer(job.id, job.epoch)));
        let signals: HashMap<JobId, StopSignal> = ours.map(|job| inner.take(job)).collect();
        if !signals.is_empty() {
            inner.abandoned.extend(parted(jobs));
        }
        signals
    }

    /// These were leased.
    pub(super) fn leased(&self, jobs: &[Claimed]) -> HashMap<JobId, StopSignal> {
        let mut inner = self.lock();
        jobs.iter().map(|job| inner.take(job)).collect()
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

    /// Attempts whose handler has been holding its thread for at least so long: since when, and of which kind.
    pub(super) fn holding_threads(&self, least: Duration) -> Vec<(Pointer, &'static str, Duration)> {
        let inner = self.lock();
        let holding = inner.jobs.iter().filter_map(|(id, (epoch, signal))| {
            let (kind, lasted) = signal.polled_for()?;
            (lasted >= least).then_some((Pointer(*id, *epoch), kind, lasted))
        });
        holding.collect()
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

/// Messages of which only some jobs were claimed.
fn parted(jobs: &[Claimed]) -> impl Iterator<Item = MessageId> {
    let mut missing: HashMap<MessageId, usize> = HashMap::new();
    for job in jobs.iter().filter(|job| job.of_message > 1) {
        let missing = missing.entry(job.message).or_insert(job.of_message);
        *missing = missing.saturating_sub(1);
    }
    missing.into_iter().filter(|(_, missing)| *missing > 0).map(|(message, _)| message)
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

    #[test]
    fn a_message_of_which_only_a_part_was_claimed_goes_with_no_statement() {
        let job = |id, message, of_message| Claimed {
            id: JobId(id),
            epoch: 2,
            message: MessageId(message),
            of_message,
            kind: String::new(),
            lane: String::new(),
            args: Ok(serde_json::Value::Null),
            args_version: 1,
            priority: 100,
            failures: 0,
            losses: 0,
            max_attempts: 3,
            trace_id: None,
            parent: None,
            waited: std::time::Duration::ZERO,
        };
        let held = Held::default();
        let pointers = || (1..=5).map(|id| Pointer(JobId(id), 1));
        held.claiming(pointers());
        let signals =
            held.claimed(pointers(), &[job(1, 7, 2), job(2, 8, 2), job(3, 8, 2), job(4, 9, 1), job(5, 10, 0)]);
        assert_eq!(signals.len(), 5);
        let twice = held.claimed(pointers(), &[job(1, 7, 2)]);
        assert!(twice.is_empty(), "another claim brought the answer");
        let spent = held.spent([7, 8, 8, 9, 10].map(MessageId).into_iter());
        assert_eq!(spent, [8, 9, 10].map(MessageId).into(), "the other job of 7 still needs it");
        held.finished(Pointer(JobId(1), 2), MessageId(7), &spent);
        assert_eq!(held.take_orphans(), [MessageId(7)], "the ledger is asked what is left of it");
    }
}
