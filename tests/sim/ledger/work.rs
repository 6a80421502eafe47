//! Pick, claim, finish: the statements of `ledger::pick`, `ledger::claim` and `ledger::finish` as functions.

use super::state::{Message, State};
use crate::world::Mutant;
use docket::fleet::{
    job::{Band, Envelope, Hold, JobId, MessageId, Pointer, Status, WorkerId, lowered_after_failure},
    ports::{Claimed, Completion, Discard, Dispatch, Failed, Failure, InFlight, Picked, Release},
};
use std::collections::{BTreeMap, HashSet};
use tokio::time::Instant;

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
        let suspect = self.protocol.suspect_losses;
        let known = |kind: &str| pick.kinds.iter().any(|(k, _)| k == kind);
        let mut rows = self.due(|job| {
            job.new.lane == pick.lane
                && known(&job.new.kind)
                && job.losses < suspect
                && pick.bands.contains(&job.band())
        });
        let mut oldest = rows.split_off(rows.len().min(usize::try_from(pick.rows).unwrap()));
        oldest.sort_unstable();
        rows.extend(oldest.into_iter().take(usize::try_from(pick.aged).unwrap()));
        if rows.is_empty() {
            return Vec::new();
        }
        let mut groups: BTreeMap<(Band, String, bool), Vec<JobId>> = BTreeMap::new();
        for id in rows {
            let job = &self.jobs[&id];
            let alone = job.failures > 0 || job.losses > 0;
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
        dispatches
    }

    fn dispatch(&mut self, message: MessageId, pick: &Pick, band: Band, kind: &str, ids: &[JobId]) -> Dispatch {
        let row = Message {
            lane: pick.lane.clone(),
            band,
            worker: None,
            generation: Some(pick.generation),
            confirmed: false,
            jobs: ids.to_vec(),
        };
        self.messages.insert(message, row);
        let jobs = ids.iter().map(|id| {
            let job = self.turn(*id, Status::Queued);
            job.message = Some(message);
            let (priority, failures, max_attempts) = (job.priority, job.failures, job.new.max_attempts);
            Picked { pointer: Pointer(job.id, job.epoch), priority, failures, max_attempts, trace_id: None }
        });
        let jobs = jobs.collect();
        Dispatch { message, lane: pick.lane.clone(), band, kind: kind.to_owned(), jobs }
    }

    pub(crate) fn in_flight(&self, lane: &str) -> [InFlight; 3] {
        Band::ALL.map(|band| {
            let unclaimed =
                |m: &&Message| m.lane == lane && m.band == band && m.worker.is_none() && m.generation.is_some();
            let jobs: usize = self.messages.values().filter(unclaimed).map(|m| m.jobs.len()).sum();
            InFlight {
                messages: i64::try_from(self.messages.values().filter(unclaimed).count()).unwrap(),
                jobs: i64::try_from(jobs).unwrap(),
                oldest: self.messages.iter().find(|(_, m)| unclaimed(m)).map(|(id, _)| *id),
            }
        })
    }

    pub(crate) fn claim(&mut self, worker: WorkerId, envelopes: &[Envelope], repeat: bool) -> Vec<Claimed> {
        let mut claimed = Vec::new();
        for envelope in envelopes {
            if let Some(message) = self.messages.get_mut(&envelope.message) {
                message.worker.get_or_insert(worker);
            }
            for pointer in &envelope.jobs {
                let Some(job) = self.jobs.get(&pointer.id()) else { continue };
                if job.message != Some(envelope.message) {
                    continue;
                }
                if job.status == Status::Queued && job.epoch == pointer.epoch() {
                    let job = self.turn(pointer.id(), Status::Processing);
                    job.worker = Some(worker);
                    claimed.push(job.claimed());
                } else if repeat
                    && job.worker == Some(worker)
                    && job.status == Status::Processing
                    && job.epoch == pointer.epoch() + 1
                {
                    claimed.push(job.claimed());
                }
            }
        }
        claimed
    }

    pub(crate) fn lease(
        &mut self,
        worker: WorkerId,
        lane: &str,
        kinds: &[String],
        rows: usize,
        suspect: bool,
    ) -> Vec<Claimed> {
        let limit = self.protocol.suspect_losses;
        let mut ids =
            self.due(|job| job.new.lane == lane && kinds.contains(&job.new.kind) && (job.losses >= limit) == suspect);
        ids.truncate(rows);
        if ids.is_empty() {
            return Vec::new();
        }
        let message = MessageId(self.next_message());
        let (lane, worker_id) = (lane.to_owned(), Some(worker));
        let row = Message {
            lane,
            band: Band::Normal,
            worker: worker_id,
            generation: None,
            confirmed: false,
            jobs: ids.clone(),
        };
        self.messages.insert(message, row);
        ids.into_iter()
            .map(|id| {
                let job = self.turn(id, Status::Processing);
                (job.message, job.worker) = (Some(message), worker_id);
                job.claimed()
            })
            .collect()
    }

    /// The fence of completions. A mutant looks at the status alone.
    pub(crate) fn passes(&self, one: &Completion) -> bool {
        match self.mutant {
            Mutant::NoFence => self.jobs[&one.id].status == Status::Processing,
            _ => self.is_held(one.id, one.epoch),
        }
    }

    fn spend(&mut self, spent: &[MessageId]) {
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
            }
        }
        done
    }

    pub(crate) fn fail(&mut self, batch: &[Failure], spent: &[MessageId]) -> Vec<Failed> {
        self.spend(spent);
        let (mut failed, generation) = (Vec::new(), self.generation);
        for one in batch.iter() {
            if !self.is_held(one.id, one.epoch) {
                continue;
            }
            let before = &self.jobs[&one.id];
            let to = match one.retryable {
                false => Status::Failed,
                true if before.failures + 1 >= before.new.max_attempts => Status::DeadLetter,
                true => Status::Pending,
            };
            let job = self.turn(one.id, to);
            if one.retryable {
                job.priority = lowered_after_failure(job.priority, job.failures);
            }
            job.failures += 1;
            (job.class, job.error) = (one.class.to_string(), one.error.clone());
            if to == Status::Pending {
                (job.hold, job.hold_until) = (Some(Hold::Retry), Some(Instant::now() + one.delay));
            }
            let (id, epoch, priority, failures) = (job.id, job.epoch, job.priority, job.failures);
            failed.push(Failed { id, epoch, status: to, priority, failures, generation });
        }
        failed
    }

    pub(crate) fn release(&mut self, batch: &[Release], spent: &[MessageId]) -> HashSet<JobId> {
        self.spend(spent);
        let mut released = HashSet::new();
        for one in batch {
            if !self.is_held(one.id, one.epoch) {
                continue;
            }
            let job = self.turn(one.id, Status::Pending);
            if let Some(hold) = &one.hold {
                (job.hold, job.hold_key) = (Some(hold.hold), hold.key.clone());
                job.hold_until = hold.delay.map(|delay| Instant::now() + delay);
            }
            released.insert(one.id);
        }
        released
    }

    pub(crate) fn discard(&mut self, batch: &[Discard], spent: &[MessageId]) -> HashSet<JobId> {
        self.spend(spent);
        let held: Vec<JobId> = batch.iter().filter(|one| self.is_held(one.id, one.epoch)).map(|one| one.id).collect();
        for id in &held {
            self.turn(*id, Status::Cancelled);
        }
        held.into_iter().collect()
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
