//! R1 to R4, and the hand-back: the statements of `ledger::sweeps`.

use super::state::{Message, STEP, State, Wall, millis};
use crate::{mutant::Mutant, process::Cause};
use docket::fleet::{
    job::{Band, JobId, MessageId, Status, WorkerId},
    ports::Swept,
};
use std::{collections::BTreeMap, time::Duration};

/// [`docket::fleet::ports::Sweep`], owned.
pub(crate) enum Rule {
    Unconfirmed(MessageId),
    OlderGeneration(i32),
    Forgotten(Band, MessageId),
}

impl Rule {
    const fn name(&self) -> &'static str {
        match self {
            Self::Unconfirmed(_) => "R1",
            Self::OlderGeneration(_) => "R2",
            Self::Forgotten(..) => "R3",
        }
    }
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
        match (self.mutant, rule) {
            (Mutant::NoR1R2R3, _) | (Mutant::NoR3, Rule::Forgotten(..)) => return Swept::default(),
            _ => {}
        }
        let unclaimed = self.messages.iter().filter(|(_, message)| message.worker.is_none());
        let lost: Vec<MessageId> = unclaimed
            .filter(|(id, message)| self.is_lost(rule, **id, message))
            .map(|(id, _)| *id)
            .take(bound)
            .collect();
        let rescued = self.hand_back(&lost);
        self.history.add(rule.name(), usize::try_from(rescued).unwrap());
        Swept { messages: lost.len() as u64, rescued, dead_letters: 0, workers: 0 }
    }

    fn is_lost(&self, rule: &Rule, id: MessageId, message: &Message) -> bool {
        let is_before = |before: MessageId, age: Duration| match self.mutant {
            Mutant::WallSweeps => message.sent < self.wall() - millis(age),
            _ => id < before,
        };
        match rule {
            Rule::OlderGeneration(generation) => message.generation.is_some_and(|g| g < *generation),
            Rule::Unconfirmed(before) => {
                message.generation.is_some() && !message.confirmed && is_before(*before, self.protocol.unconfirmed)
            }
            Rule::Forgotten(band, before) => {
                message.generation.is_some() && message.band == *band && is_before(*before, self.protocol.forgotten)
            }
        }
    }

    pub(super) fn holds(&self, message: MessageId, job: JobId) -> bool {
        let job = &self.jobs[&job];
        job.message == Some(message) && job.status == Status::Processing
    }

    /// R4. A suspect pays only if it was its worker's only row.
    pub(crate) fn reap(&mut self, workers: &[WorkerId], bound: usize) -> Swept {
        if matches!(self.mutant, Mutant::NoR4 | Mutant::WallLeases) {
            return Swept::default();
        }
        self.take_from(workers, bound)
    }

    /// The mutant's R4: whoever has not beaten for a lease of the wall clock is dead.
    pub(crate) fn reap_by_wall_clock(&mut self) {
        let until: Wall = self.wall() - millis(self.protocol.lease);
        let late = self.workers.iter().filter(|(_, w)| w.beat_at < until).map(|(id, _)| *id);
        let late: Vec<WorkerId> = late.collect();
        self.take_from(&late, usize::MAX);
    }

    fn take_from(&mut self, workers: &[WorkerId], bound: usize) -> Swept {
        for id in workers {
            if let Some(worker) = self.workers.get_mut(id) {
                worker.die();
            }
        }
        let theirs: Vec<MessageId> = self.messages_of(workers).map(|(id, _)| id).collect();
        let mut held: BTreeMap<WorkerId, usize> = BTreeMap::new();
        for (id, message) in self.messages_of(workers) {
            let rows = message.jobs.iter().filter(|job| self.holds(id, **job)).count();
            *held.entry(message.worker.expect("filtered by worker")).or_default() += rows;
        }
        let mut swept = Swept::default();
        for id in theirs.into_iter().take(bound) {
            swept.messages += 1;
            let Some(message) = self.messages.remove(&id) else { continue };
            let worker = message.worker.expect("filtered by worker");
            let is_alone = held.get(&worker) == Some(&1);
            for job in message.jobs {
                if self.holds(id, job) {
                    self.lose(job, worker, is_alone, &mut swept);
                } else if self.jobs[&job].message == Some(id) && self.jobs[&job].status == Status::Queued {
                    self.turn(job, Status::Pending);
                }
            }
        }
        swept
    }

    pub(super) fn messages_of(&self, workers: &[WorkerId]) -> impl Iterator<Item = (MessageId, &Message)> {
        let theirs = self.messages.iter().filter(|(_, m)| m.worker.is_some_and(|worker| workers.contains(&worker)));
        theirs.map(|(id, message)| (*id, message))
    }

    fn lose(&mut self, id: JobId, worker: WorkerId, is_alone: bool, swept: &mut Swept) {
        let before = &self.jobs[&id];
        let is_free = self.is_suspect(before) && !is_alone;
        let losses = before.losses + i16::from(!is_free);
        let is_over = losses >= self.protocol.losses_max;
        let to = match before.cancel_requested {
            true => Status::Cancelled,
            false if is_over => Status::DeadLetter,
            false => Status::Pending,
        };
        let cause = self.cause_of(worker);
        let job = self.turn(id, to);
        (job.losses, job.class, job.error) = (losses, "worker_lost".to_owned(), "worker lost".to_owned());
        if !is_free {
            job.lost_by.push(cause);
        }
        match to {
            Status::Pending => swept.rescued += 1,
            Status::DeadLetter => swept.dead_letters += 1,
            _ => {}
        }
        self.history.count("R4", &[id.0, losses.into()]);
        self.history.add("R4 of a living worker", usize::from(cause == Cause::Alive));
        self.history.add("R4 free of charge", usize::from(is_free));
    }

    fn cause_of(&self, worker: WorkerId) -> Cause {
        let process = self.workers.get(&worker).map(|w| w.process);
        process.and_then(|process| self.causes.get(&process)).copied().unwrap_or(Cause::Alive)
    }
}
