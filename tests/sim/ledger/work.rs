//! Pick, claim, finish: the statements of `ledger::pick`, `ledger::claim` and `ledger::finish` as functions.

use super::state::{Message, State, millis};
use crate::mutant::Mutant;
use docket::fleet::{
    job::{Band, Envelope, Hold, JobId, MessageId, Pointer, Status, WorkerId, lowered_after_failure},
    ports::{Claimed, Completion, Discard, Dispatch, Failed, Failure, InFlight, Picked, Release},
};
use std::collections::{BTreeMap, HashSet};

/// [`docket::fleet::ports::PickRequest`], owned.
pub(crate) struct Pick {
    pub(crate) lane: String,
    pub(crate) rows: i32,
    pub(crate) aged: i32,
    pub(crate) kinds: Vec<(String, i32)>,
    pub(crate) bands: Vec<Band>,
    pub(crate) generation: i32,
}

impl State {
    pub(crate) fn pick(&mut self, pick: &Pick) -> Vec<Dispatch> {
        let known = |kind: &str| pick.kinds.iter().any(|(k, _)| k == kind);
        let mut rows =
            self.runnable(|job| known(&job.new.kind) && !self.is_suspect(job) && pick.bands.contains(&job.band()));
        let mut oldest = rows.split_off(rows.len().min(usize::try_from(pick.rows).unwrap()));
        oldest.sort_unstable();
        rows.extend(oldest.into_iter().take(usize::try_from(pick.aged).unwrap()));
        if rows.is_empty() {
            return Vec::new();
        }
        let mut groups: BTreeMap<(Band, String, bool), Vec<JobId>> = BTreeMap::new();
        for id in rows {
            let job = &self.jobs[&id];
            let alone = job.failures > 0 || (job.losses > 0 && self.mutant != Mutant::NoSuspects);
            groups.entry((job.band(), job.new.kind.clone(), alone)).or_default().push(id);
        }
        let (mut message, mut dispatches) = (self.next_message(), Vec::new());
        for ((band, kind, alone), ids) in groups {
            let most = pick.kinds.iter().find(|(k, _)| *k == kind).map_or(1, |(_, most)| *most).max(1);
            let size = if alone { 1 } else { usize::try_from(most).unwrap() };
            for jobs in ids.chunks(size) {
                message += 1;
                dispatches.push(self.dispatch(MessageId(message), pick, band, &kind, jobs));
            }
        }
        self.check_window();
        dispatches
    }

    fn dispatch(&mut self, message: MessageId, pick: &Pick, band: Band, kind: &str, ids: &[JobId]) -> Dispatch {
        self.history.add("dispatched with K > 1", usize::from(ids.len() > 1));
        self.add_message(message, band, None, Some(pick.generation), ids);
        let jobs = ids.iter().map(|id| {
            let job = self.turn(*id, Status::Queued);
            job.message = Some(message);
            let (priority, failures, max_attempts) = (job.priority, job.failures, job.new.max_attempts);
            Picked { pointer: Pointer(job.id, job.epoch), priority, failures, max_attempts, trace_id: None }
        });
        let jobs = jobs.collect();
        Dispatch { message, lane: pick.lane.clone(), band, kind: kind.to_owned(), jobs }
    }

    fn add_message(
        &mut self,
        id: MessageId,
        band: Band,
        worker: Option<WorkerId>,
        generation: Option<i32>,
        jobs: &[JobId],
    ) {
        let sent = self.wall();
        self.messages.insert(id, Message { band, worker, generation, confirmed: false, jobs: jobs.to_vec(), sent });
    }

    pub(crate) fn in_flight(&self) -> [InFlight; 3] {
        let mut flights = [InFlight::default(); 3];
        for (id, m) in self.messages.iter().filter(|(_, m)| m.worker.is_none() && m.generation.is_some()) {
            let index = Band::ALL.iter().position(|band| *band == m.band).expect("ALL has every band");
            let flight = &mut flights[index];
            flight.messages += 1;
            flight.jobs += i64::try_from(m.jobs.len()).unwrap();
            flight.oldest.get_or_insert(*id);
        }
        flights
    }

    pub(crate) fn claim(&mut self, worker: WorkerId, envelopes: &[Envelope], repeat: bool) -> Vec<Claimed> {
        let mut claimed = Vec::new();
        for envelope in envelopes {
            if let Some(message) = self.messages.get_mut(&envelope.message) {
                message.worker.get_or_insert(worker);
            }
            for pointer in &envelope.jobs {
                let Some(job) = self.jobs.get(&pointer.id()) else { continue };
                let is_its = job.message == Some(envelope.message);
                if is_its && job.status == Status::Queued && job.epoch == pointer.epoch() {
                    self.turn(pointer.id(), Status::Processing).worker = Some(worker);
                    claimed.push(self.claimed(pointer.id()));
                } else if repeat
                    && is_its
                    && job.worker == Some(worker)
                    && job.status == Status::Processing
                    && job.epoch == pointer.epoch() + 1
                {
                    claimed.push(self.claimed(pointer.id()));
                } else {
                    self.history.count("pointer dropped", &[pointer.id().0]);
                }
            }
        }
        claimed
    }

    pub(crate) fn lease(&mut self, worker: WorkerId, kinds: &[String], rows: usize, suspect: bool) -> Vec<Claimed> {
        let mut ids = self.runnable(|job| kinds.contains(&job.new.kind) && self.is_suspect(job) == suspect);
        ids.truncate(rows);
        if ids.is_empty() {
            return Vec::new();
        }
        self.history.add(if suspect { "suspects leased" } else { "leased directly" }, ids.len());
        let message = MessageId(self.next_message());
        self.add_message(message, Band::Normal, Some(worker), None, &ids);
        ids.into_iter()
            .map(|id| {
                let job = self.turn(id, Status::Processing);
                (job.message, job.worker) = (Some(message), Some(worker));
                self.claimed(id)
            })
            .collect()
    }

    /// The fence of completions, and what two mutants make of it.
    pub(crate) fn passes(&self, one: &Completion) -> bool {
        match self.mutant {
            Mutant::NoFence => !self.jobs[&one.id].status.is_terminal(),
            Mutant::StatusFence => self.jobs[&one.id].status == Status::Processing,
            _ => self.is_held(one.id, one.epoch),
        }
    }

    pub(super) fn spend(&mut self, spent: &[MessageId]) {
        for message in spent {
            self.messages.remove(message);
        }
    }

    pub(crate) fn complete(&mut self, batch: &[Completion], spent: &[MessageId]) -> HashSet<JobId> {
        self.spend(spent);
        let mut done = HashSet::new();
        for one in batch {
            if self.passes(one) {
                self.turn(one.id, Status::Completed);
                done.insert(one.id);
            } else {
                self.history.count("fenced", &[one.id.0]);
            }
        }
        done
    }

    pub(crate) fn fail(&mut self, batch: &[Failure], spent: &[MessageId]) -> Vec<Failed> {
        let (mut failed, generation, now) = (Vec::new(), self.generation, self.wall());
        for one in batch {
            if !self.is_held(one.id, one.epoch) {
                self.history.count("fenced", &[one.id.0]);
                continue;
            }
            let before = &self.jobs[&one.id];
            let to = match one.retryable {
                _ if before.cancel_requested => Status::Cancelled,
                false => Status::Failed,
                true if before.failures + 1 >= before.new.max_attempts => Status::DeadLetter,
                true => Status::Pending,
            };
            let message = before.message;
            let job = self.turn(one.id, to);
            if one.retryable {
                job.priority = lowered_after_failure(job.priority, job.failures);
            }
            job.failures += 1;
            (job.class, job.error) = (one.class.to_string(), one.error.clone());
            if to == Status::Pending {
                (job.hold, job.hold_until) = (Some(Hold::Retry), Some(now + millis(one.delay)));
            }
            let (id, epoch, priority, failures) = (job.id, job.epoch, job.priority, job.failures);
            failed.push(Failed { id, epoch, status: to, priority, failures, generation });
            if self.mutant == Mutant::NackWhole && matches!(to, Status::Failed | Status::DeadLetter) {
                self.nack(message);
            }
        }
        self.spend(spent);
        failed
    }

    /// The mutant's broker has put the whole message into docket.dead, and what lies there is dead.
    fn nack(&mut self, message: Option<MessageId>) {
        let jobs = message.and_then(|id| self.messages.get(&id)).map(|row| row.jobs.clone()).unwrap_or_default();
        for id in jobs {
            if self.jobs[&id].message == message && self.jobs[&id].status == Status::Processing {
                self.turn(id, Status::DeadLetter);
            }
        }
    }

    pub(crate) fn release(&mut self, batch: &[Release], spent: &[MessageId]) -> HashSet<JobId> {
        self.spend(spent);
        let (mut released, now) = (HashSet::new(), self.wall());
        for one in batch {
            if !self.is_held(one.id, one.epoch) {
                self.history.count("fenced", &[one.id.0]);
                continue;
            }
            released.insert(one.id);
            if self.jobs[&one.id].cancel_requested {
                self.turn(one.id, Status::Cancelled);
                continue;
            }
            let job = self.turn(one.id, Status::Pending);
            if let Some(hold) = &one.hold {
                (job.hold, job.hold_key) = (Some(hold.hold), hold.key.clone());
                job.hold_until = hold.delay.map(|delay| now + millis(delay));
            }
        }
        released
    }

    pub(crate) fn discard(&mut self, batch: &[Discard], spent: &[MessageId]) -> HashSet<JobId> {
        self.spend(spent);
        let mut discarded = HashSet::new();
        for one in batch {
            if self.is_held(one.id, one.epoch) {
                self.turn(one.id, Status::Cancelled);
                discarded.insert(one.id);
            } else {
                self.history.count("fenced", &[one.id.0]);
            }
        }
        discarded
    }

    pub(crate) fn forget(&mut self, spent: &[MessageId]) {
        for message in spent {
            let Some(row) = self.messages.get_mut(message) else { continue };
            let mut theirs = row.jobs.iter().map(|id| &self.jobs[id]).filter(|job| job.message == Some(*message));
            if theirs.clone().any(|job| job.status == Status::Queued) {
                row.worker = None;
            } else if !theirs.any(|job| job.status == Status::Processing) {
                self.messages.remove(message);
            }
        }
    }
}
