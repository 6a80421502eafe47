//! Holds: the statements of `ledger::holds`.

use super::State;
use docket::fleet::job::{Hold, Status};

impl State {
    pub(crate) fn lift_due(&mut self) -> u64 {
        let now = self.wall();
        let mut lifted = 0;
        for id in &self.active {
            let job = self.jobs.get_mut(id).expect("active rows exist");
            if job.status != Status::Pending || job.hold.is_none() {
                continue;
            }
            let is_over = job.hold_until.is_some_and(|until| until <= now);
            let is_childless =
                job.hold == Some(Hold::Children) && job.hold_until.is_none() && job.open_children.unwrap_or(0) == 0;
            if is_over || is_childless {
                (job.hold, job.hold_key) = (None, None);
                job.hold_until.get_or_insert(now);
                lifted += 1;
            }
        }
        self.history.note("lifted", &[lifted]);
        lifted.unsigned_abs()
    }

    pub(crate) fn lift_kinds(&mut self, kinds: &[String]) -> u64 {
        let now = self.wall();
        let mut lifted = 0;
        for id in &self.active {
            let job = self.jobs.get_mut(id).expect("active rows exist");
            let by_kind = matches!(job.hold, Some(Hold::Paused | Hold::UnknownKind));
            if by_kind && job.hold_key.as_ref().is_some_and(|key| kinds.contains(key)) {
                (job.hold, job.hold_key, job.hold_until) = (None, None, Some(now));
                lifted += 1;
            }
        }
        self.history.note("lifted", &[lifted]);
        lifted.unsigned_abs()
    }

    pub(crate) fn park(&mut self, known: &[String], paused: &[String]) -> u64 {
        let ids = self.due(|job| !known.contains(&job.new.kind) || paused.contains(&job.new.kind));
        for id in &ids {
            let job = self.jobs.get_mut(id).expect("it is due");
            let is_paused = paused.contains(&job.new.kind);
            job.hold = Some(if is_paused { Hold::Paused } else { Hold::UnknownKind });
            (job.hold_key, job.hold_until) = (Some(job.new.kind.clone()), None);
        }
        self.history.add("parked", ids.len());
        ids.len() as u64
    }

    /// Whether a job that has not ended waits for something that is still to come.
    pub(crate) fn is_waiting(&self, job: &super::Job) -> bool {
        if job.status != Status::Pending {
            return false;
        }
        match job.hold {
            None => self.is_lane_paused,
            Some(Hold::Paused) => self.paused.contains(&job.new.kind),
            Some(Hold::Children) => {
                let is_child = |id| self.jobs[id].new.parent == Some(job.id);
                job.open_children.unwrap_or(0) > 0 && self.active.iter().any(is_child)
            }
            Some(Hold::UnknownKind) => false,
            Some(_) => job.hold_until.is_some_and(|until| until > self.wall()),
        }
    }
}
