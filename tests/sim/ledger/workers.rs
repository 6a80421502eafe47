//! Who works: the statements of `ledger::workers`.

use super::state::{Job, State, Wall, millis};
use crate::mutant::Mutant;
use docket::fleet::{
    job::WorkerId,
    ports::{Beat, HeldRow, WorkerRow, WorkerSpec},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkerState {
    Up,
    Draining,
    Gone,
    Dead,
}

/// A row of `workers`.
#[derive(Clone, Debug)]
pub(crate) struct WorkerRecord {
    pub(crate) spec: WorkerSpec,
    /// Not a column.
    pub(crate) process: u64,
    pub(crate) beat: i64,
    pub(crate) beat_at: Wall,
    pub(crate) state: WorkerState,
    pub(crate) run_us: Vec<Option<i32>>,
}

impl WorkerRecord {
    pub(crate) fn is_up(&self) -> bool {
        self.state == WorkerState::Up
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.state == WorkerState::Dead
    }

    pub(super) fn die(&mut self) {
        if self.state != WorkerState::Gone {
            self.state = WorkerState::Dead;
        }
    }
}

impl State {
    pub(crate) fn register(&mut self, spec: WorkerSpec, process: u64) -> WorkerId {
        let id = WorkerId(i64::try_from(self.workers.len()).unwrap() + 1);
        let record =
            WorkerRecord { spec, process, beat: 0, beat_at: self.wall(), state: WorkerState::Up, run_us: Vec::new() };
        self.workers.insert(id, record);
        id
    }

    pub(crate) fn beat(&mut self, id: WorkerId, run_us: Vec<Option<i32>>) -> Beat {
        let mut beat = Beat { live_workers: 1, ..Beat::default() };
        let now = self.wall();
        let Some(me) = self.workers.get_mut(&id).filter(|w| w.state != WorkerState::Gone) else {
            return Beat { gone: true, ..beat };
        };
        (me.beat, me.beat_at, me.run_us) = (me.beat + 1, now, run_us);
        if me.state == WorkerState::Dead {
            me.state = WorkerState::Up;
        }
        let spec = me.spec.clone();
        if spec.lanes.is_empty() {
            return beat;
        }
        beat.held = self.held_by(id);
        let suspects = self.runnable(|job| self.is_suspect(job) && spec.kinds.contains(&job.new.kind));
        beat.suspect_due = !suspects.is_empty();
        let since = now - millis(self.protocol.lease);
        let live = self.workers.values().filter(|w| w.is_up() && !w.spec.lanes.is_empty() && w.beat_at > since);
        beat.live_workers = i64::try_from(live.count()).unwrap().max(1);
        beat
    }

    fn held_by(&self, id: WorkerId) -> Vec<HeldRow> {
        let mut held = Vec::new();
        for (message, row) in self.messages_of(&[id]) {
            let jobs = row.jobs.iter().filter(|job| self.holds(message, **job)).map(|job| &self.jobs[job]);
            let row =
                |job: &Job| HeldRow { message, id: job.id, epoch: job.epoch, cancel_requested: job.cancel_requested };
            held.extend(jobs.map(row));
        }
        held
    }

    /// What a worker process believes to hold now.
    pub(crate) fn dream(&self, process: u64) -> Option<Beat> {
        let (id, _) = self.workers.iter().find(|(_, w)| w.process == process && !w.spec.lanes.is_empty())?;
        Some(Beat { held: self.held_by(*id), live_workers: 1, ..Beat::default() })
    }

    pub(crate) fn sign_off(&mut self, id: WorkerId, to: WorkerState) {
        if let Some(worker) = self.workers.get_mut(&id)
            && (to == WorkerState::Gone || worker.state != WorkerState::Gone)
        {
            worker.state = to;
        }
    }

    pub(crate) fn worker_rows(&mut self) -> Vec<WorkerRow> {
        if self.mutant == Mutant::WallLeases {
            self.reap_by_wall_clock();
        }
        let owns = |id| self.messages.values().any(|message| message.worker == Some(id));
        let is_listed = |id, w: &WorkerRecord| matches!(w.state, WorkerState::Up | WorkerState::Draining) || owns(id);
        let rows = self.workers.iter().filter(|(id, w)| is_listed(**id, w));
        rows.map(|(id, w)| WorkerRow {
            id: *id,
            beat: w.beat,
            slots: w.spec.slots,
            lanes: w.spec.lanes.clone(),
            kinds: w.spec.kinds.clone(),
            takes_work: w.is_up(),
            run_us: w.run_us.clone(),
        })
        .collect()
    }
}
