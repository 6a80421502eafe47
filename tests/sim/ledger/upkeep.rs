//! Sweeps, holds, workers and dead letters: the statements of `ledger::sweeps`, `holds`, `workers` and `dead`.

use super::state::{Job, Message, STEP, State, WorkerRecord, WorkerState};
use crate::world::Mutant;
use docket::fleet::{
    job::{Band, Hold, JobId, MessageId, Pointer, Status, WorkerId},
    ports::{Beat, DeadCount, DeadLetter, HeldRow, Swept, WorkerRow, WorkerSpec},
};
use std::collections::{HashMap, HashSet};
use tokio::time::Instant;

/// [`docket::fleet::ports::Sweep`], owned.
pub(crate) enum Rule {
    Unconfirmed(MessageId),
    OlderGeneration(i32),
    Forgotten(String, Band, MessageId),
}

impl State {
    pub(crate) fn watermark(&self) -> MessageId {
        MessageId(self.sequence + STEP)
    }

    /// Whole unclaimed messages: queued → pending, fenced by the message.
    pub(crate) fn hand_back(&mut self, messages: &[MessageId]) -> u64 {
        let mut back = 0;
        for id in messages {
            if self.messages.get(id).is_none_or(|message| message.worker.is_some()) {
                continue;
            }
            for job in self.messages.remove(id).map(|message| message.jobs).unwrap_or_default() {
                if self.jobs[&job].message == Some(*id) && self.jobs[&job].status == Status::Queued {
                    self.turn(job, Status::Pending);
                    back += 1;
                }
            }
        }
        back
    }

    pub(crate) fn mark_confirmed(&mut self, messages: &[MessageId]) {
        for id in messages {
            if let Some(message) = self.messages.get_mut(id).filter(|message| message.worker.is_none()) {
                message.confirmed = true;
            }
        }
    }

    pub(crate) fn sweep(&mut self, rule: &Rule, bound: usize) -> Swept {
        if self.mutant == Mutant::NoR3 && matches!(rule, Rule::Forgotten(..)) {
            return Swept::default();
        }
        let is_lost = |id: &MessageId, message: &Message| match rule {
            Rule::Unconfirmed(before) => message.generation.is_some() && !message.confirmed && id < before,
            Rule::OlderGeneration(generation) => message.generation.is_some_and(|g| g < *generation),
            Rule::Forgotten(lane, band, before) => {
                message.generation.is_some() && message.lane == *lane && message.band == *band && id < before
            }
        };
        let unclaimed = self.messages.iter().filter(|(_, message)| message.worker.is_none());
        let lost: Vec<MessageId> =
            unclaimed.filter(|(id, message)| is_lost(id, message)).map(|(id, _)| *id).take(bound).collect();
        let rescued = self.hand_back(&lost);
        self.rescued += usize::try_from(rescued).unwrap();
        Swept { messages: lost.len() as u64, rescued, dead_letters: 0 }
    }

    fn holds(&self, message: &MessageId, job: &JobId) -> bool {
        let job = &self.jobs[job];
        job.message == Some(*message) && job.status == Status::Processing
    }

    /// R4. A suspect pays only if it was its worker's only row.
    pub(crate) fn reap(&mut self, workers: &[WorkerId], bound: usize) -> Swept {
        if self.mutant == Mutant::NoR4 {
            return Swept::default();
        }
        for id in workers {
            if let Some(worker) = self.workers.get_mut(id).filter(|w| w.state != WorkerState::Gone) {
                worker.state = WorkerState::Dead;
            }
        }
        let theirs: Vec<MessageId> = self.messages_of(workers).map(|(id, _)| *id).collect();
        let mut held: HashMap<WorkerId, usize> = HashMap::new();
        for (id, message) in self.messages_of(workers) {
            let rows = message.jobs.iter().filter(|job| self.holds(id, job)).count();
            *held.entry(message.worker.expect("filtered by worker")).or_default() += rows;
        }
        let mut swept = Swept::default();
        for id in theirs.into_iter().take(bound) {
            swept.messages += 1;
            let Some(message) = self.messages.remove(&id) else { continue };
            let alone = message.worker.is_some_and(|worker| held.get(&worker) == Some(&1));
            for job in message.jobs {
                if self.jobs[&job].message == Some(id) && self.jobs[&job].status == Status::Queued {
                    self.turn(job, Status::Pending);
                } else if self.holds(&id, &job) {
                    self.lose(job, alone, &mut swept);
                }
            }
        }
        swept
    }

    fn messages_of(&self, workers: &[WorkerId]) -> impl Iterator<Item = (&MessageId, &Message)> {
        self.messages.iter().filter(move |(_, m)| m.worker.is_some_and(|worker| workers.contains(&worker)))
    }

    fn lose(&mut self, id: JobId, alone: bool, swept: &mut Swept) {
        let before = &self.jobs[&id];
        let cost = i16::from(before.losses < self.protocol.suspect_losses || alone);
        let losses = before.losses + cost;
        let is_over = losses >= self.protocol.losses_max;
        let job = self.turn(id, if is_over { Status::DeadLetter } else { Status::Pending });
        (job.losses, job.class, job.error) = (losses, "worker_lost".to_owned(), "worker lost".to_owned());
        if is_over {
            swept.dead_letters += 1;
        } else {
            swept.rescued += 1;
        }
        self.rescued += 1;
    }

    pub(crate) fn lift_due(&mut self) -> u64 {
        let now = Instant::now();
        let mut lifted = 0;
        for job in self.jobs.values_mut().filter(|job| job.status == Status::Pending && job.hold.is_some()) {
            let is_over = job.hold_until.is_some_and(|until| until <= now);
            let is_childless =
                job.hold == Some(Hold::Children) && job.hold_until.is_none() && job.open_children.unwrap_or(0) == 0;
            if is_over || is_childless {
                (job.hold, job.hold_key, job.hold_until) = (None, None, Some(now));
                lifted += 1;
            }
        }
        lifted
    }

    pub(crate) fn lift_kinds(&mut self, lane: &str, kinds: &[String]) -> u64 {
        let mut lifted = 0;
        for job in self.jobs.values_mut().filter(|job| job.new.lane == lane) {
            let by_kind = matches!(job.hold, Some(Hold::Paused | Hold::UnknownKind));
            if by_kind && job.hold_key.as_ref().is_some_and(|key| kinds.contains(key)) {
                (job.hold, job.hold_key, job.hold_until) = (None, None, Some(Instant::now()));
                lifted += 1;
            }
        }
        lifted
    }

    pub(crate) fn park(&mut self, lane: &str, known: &[String], paused: &[String]) -> u64 {
        let unfit = |job: &Job| !known.contains(&job.new.kind) || paused.contains(&job.new.kind);
        let ids = self.due(|job| job.new.lane == lane && unfit(job));
        for id in &ids {
            let job = self.jobs.get_mut(id).expect("it is due");
            let is_paused = paused.contains(&job.new.kind);
            job.hold = Some(if is_paused { Hold::Paused } else { Hold::UnknownKind });
            (job.hold_key, job.hold_until) = (Some(job.new.kind.clone()), None);
        }
        ids.len() as u64
    }

    pub(crate) fn register(&mut self, spec: WorkerSpec) -> WorkerId {
        let id = WorkerId(i64::try_from(self.workers.len()).unwrap() + 1);
        let record = WorkerRecord { spec, beat: 0, beat_at: Instant::now(), state: WorkerState::Up };
        self.workers.insert(id, record);
        id
    }

    pub(crate) fn beat(&mut self, id: WorkerId) -> Beat {
        let mut beat = Beat { live_workers: 1, ..Beat::default() };
        let Some(me) = self.workers.get_mut(&id).filter(|w| w.state != WorkerState::Gone) else {
            return Beat { gone: true, ..beat };
        };
        (me.beat, me.beat_at) = (me.beat + 1, Instant::now());
        if me.state == WorkerState::Dead {
            me.state = WorkerState::Up;
        }
        let spec = me.spec.clone();
        if spec.lanes.is_empty() {
            return beat;
        }
        for (message, row) in self.messages_of(&[id]) {
            let held = row.jobs.iter().filter(|job| self.holds(message, job));
            beat.held.extend(held.map(|job| HeldRow {
                message: *message,
                id: *job,
                epoch: self.jobs[job].epoch,
                cancel_requested: false,
            }));
        }
        let mine = |job: &Job| spec.lanes.contains(&job.new.lane) && spec.kinds.contains(&job.new.kind);
        beat.suspect_due = !self.due(|job| job.losses >= self.protocol.suspect_losses && mine(job)).is_empty();
        let live = self.workers.values().filter(|w| {
            w.state == WorkerState::Up && !w.spec.lanes.is_empty() && w.beat_at.elapsed() < self.protocol.lease
        });
        beat.live_workers = i64::try_from(live.count()).unwrap().max(1);
        beat
    }

    pub(crate) fn sign_off(&mut self, id: WorkerId, to: WorkerState) {
        if let Some(worker) = self.workers.get_mut(&id)
            && (to == WorkerState::Gone || worker.state != WorkerState::Gone)
        {
            worker.state = to;
        }
    }

    pub(crate) fn worker_rows(&self) -> Vec<WorkerRow> {
        let owns = |id| self.messages.values().any(|message| message.worker == Some(id));
        let is_listed = |id, w: &WorkerRecord| matches!(w.state, WorkerState::Up | WorkerState::Draining) || owns(id);
        let rows = self.workers.iter().filter(|(id, w)| is_listed(**id, w));
        rows.map(|(id, w)| WorkerRow {
            id: *id,
            beat: w.beat,
            slots: w.spec.slots,
            lanes: w.spec.lanes.clone(),
            kinds: w.spec.kinds.clone(),
            takes_work: w.state == WorkerState::Up,
        })
        .collect()
    }

    pub(crate) fn dead_count(&self, generation: i32) -> DeadCount {
        let dead: Vec<i32> = self.jobs.values().filter_map(|job| job.dead_gen).collect();
        let unpublished = dead.iter().filter(|gen_of| **gen_of < generation).count();
        let number = |count: usize| i64::try_from(count).unwrap();
        DeadCount { dead: number(dead.len()), unpublished: number(unpublished), left: 0 }
    }

    pub(crate) fn dead_missing(&self, generation: i32, bound: usize) -> Vec<DeadLetter> {
        let missing = self.jobs.values().filter(|job| job.dead_gen.is_some_and(|g| g < generation));
        missing.take(bound).map(Self::dead_letter).collect()
    }

    fn dead_letter(job: &Job) -> DeadLetter {
        DeadLetter {
            id: job.id,
            epoch: job.epoch,
            kind: job.new.kind.clone(),
            lane: job.new.lane.clone(),
            error_class: job.class.clone(),
            error: job.error.clone(),
            failures: job.failures,
            losses: job.losses,
            priority: job.priority,
            max_attempts: job.new.max_attempts,
            trace_id: None,
        }
    }

    pub(crate) fn dead_mark(&mut self, dead: &[Pointer], generation: i32) {
        for pointer in self.dead_still(dead) {
            self.jobs.get_mut(&pointer.id()).expect("it is dead").dead_gen = Some(generation);
        }
    }

    pub(crate) fn dead_still(&self, dead: &[Pointer]) -> HashSet<Pointer> {
        let is_dead = |p: &&Pointer| {
            self.jobs.get(&p.id()).is_some_and(|job| job.epoch == p.epoch() && job.status == Status::DeadLetter)
        };
        dead.iter().filter(is_dead).copied().collect()
    }

    pub(crate) fn dead_marked(&self, generation: i32) -> HashSet<Pointer> {
        let marked = self.jobs.values().filter(|job| job.dead_gen == Some(generation));
        marked.map(|job| Pointer(job.id, job.epoch)).collect()
    }
}
