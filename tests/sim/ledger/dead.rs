//! Dead letters: the statements of `ledger::dead`.

use super::state::{Job, State};
use docket::fleet::{
    job::{Pointer, Status},
    ports::{DeadCount, DeadLetter},
};
use std::collections::HashSet;

impl State {
    pub(crate) fn dead_count(&self, generation: i32) -> DeadCount {
        let (mut dead, mut unpublished) = (0, 0);
        for marked_in in self.jobs.values().filter_map(|job| job.dead_gen) {
            dead += 1;
            unpublished += i64::from(marked_in < generation);
        }
        DeadCount { dead, unpublished, left: self.dead_left }
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
