//! The tables, and the one way to change a job's status.

use crate::world::Mutant;
use docket::fleet::{
    job::{Band, Epoch, Hold, JobId, MessageId, NewJob, Status, WorkerId, band_of, is_legal},
    ports::{Claimed, WorkerSpec},
    settings::Protocol,
};
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// A row of `jobs`.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) id: JobId,
    pub(crate) new: NewJob,
    pub(crate) created: Instant,
    pub(crate) priority: i16,
    pub(crate) status: Status,
    pub(crate) epoch: Epoch,
    pub(crate) hold: Option<Hold>,
    pub(crate) hold_key: Option<String>,
    pub(crate) hold_until: Option<Instant>,
    pub(crate) message: Option<MessageId>,
    pub(crate) worker: Option<WorkerId>,
    pub(crate) failures: i16,
    pub(crate) losses: i16,
    pub(crate) open_children: Option<i64>,
    pub(crate) failed_children: i64,
    pub(crate) counted: bool,
    pub(crate) class: String,
    pub(crate) error: String,
    /// Dead letters: the generation that holds the copy.
    pub(crate) dead_gen: Option<i32>,
}

impl Job {
    pub(crate) fn is_due(&self) -> bool {
        self.status == Status::Pending && self.hold.is_none()
    }

    pub(crate) fn band(&self) -> Band {
        band_of(self.priority)
    }

    pub(crate) fn claimed(&self) -> Claimed {
        Claimed {
            id: self.id,
            epoch: self.epoch,
            message: self.message.expect("a claimed row has a message"),
            of_message: 0,
            kind: self.new.kind.clone(),
            lane: self.new.lane.clone(),
            args: Ok(self.new.args.clone()),
            args_version: self.new.args_version,
            priority: self.priority,
            failures: self.failures,
            losses: self.losses,
            max_attempts: self.new.max_attempts,
            trace_id: None,
            parent: self.new.parent,
            waited: self.hold_until.unwrap_or(self.created).elapsed(),
        }
    }
}

/// A row of `job_messages`.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) lane: String,
    pub(crate) band: Band,
    pub(crate) worker: Option<WorkerId>,
    /// None: a direct lease.
    pub(crate) generation: Option<i32>,
    pub(crate) confirmed: bool,
    pub(crate) jobs: Vec<JobId>,
}

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
    pub(crate) beat: i64,
    pub(crate) beat_at: Instant,
    pub(crate) state: WorkerState,
}

/// The whole database.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) jobs: BTreeMap<JobId, Job>,
    pub(crate) messages: BTreeMap<MessageId, Message>,
    pub(crate) workers: BTreeMap<WorkerId, WorkerRecord>,
    /// What effects wrote: the job, and its epoch during the attempt.
    pub(crate) effects: Vec<(JobId, Epoch)>,
    pub(crate) paused: BTreeSet<String>,
    pub(crate) quarantined: usize,
    pub(crate) generation: i32,
    /// Which process holds R5's lock.
    pub(crate) dead_lock: Option<u64>,
    /// `job_message_seq`.
    pub(crate) sequence: i64,
    /// Transitions that the schema's guard would have refused.
    pub(crate) illegal: Vec<String>,
    /// Claims and leases, for the tally.
    pub(crate) attempts: usize,
    /// Jobs that came back by R1 to R4 and R6, for the tally.
    pub(crate) rescued: usize,
    pub(crate) protocol: Protocol,
    pub(crate) mutant: Mutant,
}

/// `nextval` of `job_message_seq`.
pub(crate) const STEP: i64 = 65_536;

impl State {
    pub(crate) fn new(protocol: Protocol, mutant: Mutant) -> Self {
        Self {
            jobs: BTreeMap::new(),
            messages: BTreeMap::new(),
            workers: BTreeMap::new(),
            effects: Vec::new(),
            paused: BTreeSet::new(),
            quarantined: 0,
            generation: 0,
            dead_lock: None,
            sequence: 0,
            illegal: Vec::new(),
            attempts: 0,
            rescued: 0,
            protocol,
            mutant,
        }
    }

    /// `enqueue`, with what it does to a waiting parent.
    pub(crate) fn insert(&mut self, new: NewJob) -> JobId {
        let id = JobId(i64::try_from(self.jobs.len()).unwrap() + 1);
        let waits = new.waits_for_children;
        let mut job = Job {
            id,
            created: Instant::now(),
            priority: new.priority,
            status: Status::Pending,
            epoch: 0,
            hold: waits.then_some(Hold::Children),
            hold_key: None,
            hold_until: None,
            message: None,
            worker: None,
            failures: 0,
            losses: 0,
            open_children: waits.then_some(0),
            failed_children: 0,
            counted: false,
            class: String::new(),
            error: String::new(),
            dead_gen: None,
            new,
        };
        if let Some(parent) = job.new.parent.and_then(|parent| self.jobs.get_mut(&parent)) {
            if parent.status == Status::Pending && matches!(parent.hold, None | Some(Hold::Children)) {
                parent.open_children = Some(parent.open_children.unwrap_or(0) + 1);
                (parent.hold, parent.hold_until) = (Some(Hold::Children), None);
            } else {
                job.counted = true;
            }
        }
        self.jobs.insert(id, job);
        id
    }

    /// Changes a status as every statement does: the guard, epoch + 1, and what the ends of children do to a parent.
    pub(crate) fn turn(&mut self, id: JobId, to: Status) -> &mut Job {
        let job = self.jobs.get_mut(&id).expect("only rows that were read are changed");
        let from = job.status;
        if !is_legal(from, to, None) {
            self.illegal.push(format!("job {id} from {from} to {to} at epoch {}", job.epoch));
        }
        (job.status, job.epoch) = (to, job.epoch + 1);
        self.attempts += usize::from(to == Status::Processing);
        match to {
            Status::Pending => job.message = None,
            Status::DeadLetter => job.dead_gen = Some(0),
            _ => {}
        }
        let counts = to.is_terminal() && !job.counted;
        if counts && let Some(parent) = job.new.parent {
            job.counted = true;
            self.count_child(parent, to);
        }
        self.jobs.get_mut(&id).expect("it was there above")
    }

    fn count_child(&mut self, parent: JobId, ended: Status) {
        let Some(parent) = self.jobs.get_mut(&parent).filter(|p| p.hold == Some(Hold::Children)) else { return };
        let open = parent.open_children.unwrap_or(0) - 1;
        parent.open_children = Some(open.max(0));
        parent.failed_children += i64::from(ended != Status::Completed);
        if open <= 0 {
            (parent.hold, parent.hold_until) = (None, Some(Instant::now()));
        }
    }

    /// A job that this fence still holds.
    pub(crate) fn is_held(&self, id: JobId, epoch: Epoch) -> bool {
        self.jobs.get(&id).is_some_and(|job| job.epoch == epoch && job.status == Status::Processing)
    }

    /// Due rows by priority and age, ids only.
    pub(crate) fn due(&self, filter: impl Fn(&Job) -> bool) -> Vec<JobId> {
        let mut rows: Vec<&Job> = self.jobs.values().filter(|job| job.is_due() && filter(job)).collect();
        rows.sort_by_key(|job| (std::cmp::Reverse(job.priority), job.id));
        rows.into_iter().map(|job| job.id).collect()
    }

    pub(crate) fn next_message(&mut self) -> i64 {
        self.sequence += STEP;
        self.sequence
    }
}
