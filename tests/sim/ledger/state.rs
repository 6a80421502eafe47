//! The tables, and the one way to change a job's status.

use super::{window::Window, workers::WorkerRecord};
use crate::{history::History, mutant::Mutant, process::Cause};
use docket::fleet::{
    job::{Band, Epoch, Hold, JobId, MessageId, NewJob, Status, WorkerId, band_of, is_legal},
    ports::Claimed,
    settings::Protocol,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// The database's wall clock, in milliseconds. It jumps.
pub(crate) type Wall = i64;

/// A row of `jobs`, and what the checker wants to know besides.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) id: JobId,
    pub(crate) new: NewJob,
    pub(crate) created: Wall,
    pub(crate) priority: i16,
    pub(crate) status: Status,
    pub(crate) epoch: Epoch,
    pub(crate) hold: Option<Hold>,
    pub(crate) hold_key: Option<String>,
    pub(crate) hold_until: Option<Wall>,
    pub(crate) message: Option<MessageId>,
    pub(crate) worker: Option<WorkerId>,
    pub(crate) failures: i16,
    pub(crate) losses: i16,
    pub(crate) open_children: Option<i64>,
    pub(crate) failed_children: i64,
    pub(crate) counted: bool,
    pub(crate) cancel_requested: bool,
    pub(crate) class: String,
    pub(crate) error: String,
    /// Dead letters: the generation that holds the copy.
    pub(crate) dead_gen: Option<i32>,
    /// `requeued_from`, with the rest that an undo brings back.
    pub(crate) requeued: Option<Before>,
    /// What each loss of this round was by. Not a column.
    pub(crate) lost_by: Vec<Cause>,
    /// An operator cancelled or discarded it. Not a column.
    pub(crate) is_given_up: bool,
}

/// A job before its requeue.
#[derive(Clone, Debug)]
pub(crate) struct Before {
    pub(crate) status: Status,
    pub(crate) failures: i16,
    pub(crate) losses: i16,
    pub(crate) priority: i16,
    pub(crate) lost_by: Vec<Cause>,
}

impl Job {
    pub(crate) fn is_due(&self) -> bool {
        self.status == Status::Pending && self.hold.is_none()
    }

    pub(crate) fn band(&self) -> Band {
        band_of(self.priority)
    }
}

/// A row of `job_messages`.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) band: Band,
    pub(crate) worker: Option<WorkerId>,
    /// None: a direct lease.
    pub(crate) generation: Option<i32>,
    pub(crate) confirmed: bool,
    pub(crate) jobs: Vec<JobId>,
    /// For the mutant that sweeps by the wall clock.
    pub(crate) sent: Wall,
}

/// The whole database.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) history: Arc<History>,
    start: Instant,
    /// How far the wall clock has jumped.
    pub(crate) skew: Wall,
    pub(crate) jobs: BTreeMap<JobId, Job>,
    /// Those that have not ended.
    pub(crate) active: BTreeSet<JobId>,
    pub(crate) messages: BTreeMap<MessageId, Message>,
    pub(crate) workers: BTreeMap<WorkerId, WorkerRecord>,
    /// What effects wrote: the job, and its epoch during the attempt.
    pub(crate) effects: Vec<(JobId, Epoch)>,
    pub(crate) paused: BTreeSet<String>,
    pub(crate) is_lane_paused: bool,
    pub(crate) quarantined: usize,
    pub(crate) generation: i32,
    /// How often a job has left `dead_letter`.
    pub(crate) dead_left: i64,
    /// Which process holds R5's lock.
    pub(crate) dead_lock: Option<u64>,
    /// `job_message_seq`.
    pub(crate) sequence: i64,
    /// What must never happen, as it happened.
    pub(crate) illegal: Vec<String>,
    /// What came over a process.
    pub(crate) causes: BTreeMap<u64, Cause>,
    pub(crate) window: Window,
    pub(crate) protocol: Protocol,
    pub(crate) mutant: Mutant,
}

/// `nextval` of `job_message_seq`.
pub(crate) const STEP: i64 = 65_536;

impl State {
    pub(crate) fn new(protocol: Protocol, mutant: Mutant, history: Arc<History>) -> Self {
        Self {
            history,
            start: Instant::now(),
            skew: 0,
            jobs: BTreeMap::new(),
            active: BTreeSet::new(),
            messages: BTreeMap::new(),
            workers: BTreeMap::new(),
            effects: Vec::new(),
            paused: BTreeSet::new(),
            is_lane_paused: false,
            quarantined: 0,
            generation: 0,
            dead_left: 0,
            dead_lock: None,
            sequence: 0,
            illegal: Vec::new(),
            causes: BTreeMap::new(),
            window: Window::default(),
            protocol,
            mutant,
        }
    }

    /// `now()`.
    pub(crate) fn wall(&self) -> Wall {
        millis(self.start.elapsed()) + self.skew
    }

    /// `enqueue`, with what it does to a waiting parent.
    pub(crate) fn insert(&mut self, new: NewJob, after: Option<Duration>) -> JobId {
        let id = JobId(i64::try_from(self.jobs.len()).unwrap() + 1);
        let (waits, now) = (new.waits_for_children, self.wall());
        let scheduled = after.is_some().then_some(Hold::Scheduled);
        let mut job = Job {
            id,
            created: now,
            priority: new.priority,
            status: Status::Pending,
            epoch: 0,
            hold: if waits { Some(Hold::Children) } else { scheduled },
            hold_key: None,
            hold_until: after.map(|after| now + millis(after)),
            message: None,
            worker: None,
            failures: 0,
            losses: 0,
            open_children: waits.then_some(0),
            failed_children: 0,
            counted: false,
            cancel_requested: false,
            class: String::new(),
            error: String::new(),
            dead_gen: None,
            requeued: None,
            lost_by: Vec::new(),
            is_given_up: false,
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
        self.history.note("insert", &[id.0]);
        self.jobs.insert(id, job);
        self.active.insert(id);
        id
    }

    /// Changes a status as every statement does: the guard, epoch + 1, and what the ends of children do to a parent.
    pub(crate) fn turn(&mut self, id: JobId, to: Status) -> &mut Job {
        let job = self.jobs.get_mut(&id).expect("only rows that were read are changed");
        let (from, undo) = (job.status, job.requeued.as_ref().map(|before| before.status));
        if !is_legal(from, to, undo) {
            self.illegal.push(format!("job {id} from {from} to {to} at epoch {}", job.epoch));
        }
        (job.status, job.epoch) = (to, job.epoch + 1);
        (job.hold, job.hold_key) = (None, None);
        job.dead_gen = (to == Status::DeadLetter).then_some(0);
        match to {
            Status::Pending => job.message = None,
            Status::Processing => job.requeued = None,
            _ => {}
        }
        self.history.note(to.as_str(), &[id.0, job.epoch.into()]);
        self.dead_left += i64::from(from == Status::DeadLetter);
        if to.is_terminal() {
            self.active.remove(&id)
        } else {
            self.active.insert(id)
        };
        if from == Status::Queued {
            self.window.left(Instant::now());
        }
        let counts = to.is_terminal() && !job.counted;
        if counts && let Some(parent) = job.new.parent {
            job.counted = true;
            self.count_child(parent, to);
        }
        self.jobs.get_mut(&id).expect("it was there above")
    }

    fn count_child(&mut self, parent: JobId, ended: Status) {
        let now = self.wall();
        let is_running = |job: &Job| job.new.parent == Some(parent) && !job.status.is_terminal();
        let runs = self.active.iter().any(|id| is_running(&self.jobs[id]));
        let Some(parent) = self.jobs.get_mut(&parent).filter(|p| p.hold == Some(Hold::Children)) else { return };
        let open = parent.open_children.unwrap_or(0) - 1;
        parent.open_children = Some(open.max(0));
        parent.failed_children += i64::from(ended != Status::Completed);
        if open < 0 {
            self.illegal.push(format!("job {} has counted more children than it has", parent.id));
        }
        if open <= 0 {
            (parent.hold, parent.hold_until) = (None, Some(now));
            if runs {
                self.illegal.push(format!("job {} is due before its children have ended", parent.id));
            }
        }
    }

    /// A job that this fence still holds.
    pub(crate) fn is_held(&self, id: JobId, epoch: Epoch) -> bool {
        self.jobs.get(&id).is_some_and(|job| job.epoch == epoch && job.status == Status::Processing)
    }

    /// Due rows by priority and age, ids only.
    pub(crate) fn due(&self, filter: impl Fn(&Job) -> bool) -> Vec<JobId> {
        let rows = self.active.iter().map(|id| &self.jobs[id]);
        let mut rows: Vec<&Job> = rows.filter(|job| job.is_due() && filter(job)).collect();
        rows.sort_by_key(|job| (std::cmp::Reverse(job.priority), job.id));
        rows.into_iter().map(|job| job.id).collect()
    }

    /// Due, and nothing of it paused.
    pub(crate) fn runnable(&self, filter: impl Fn(&Job) -> bool) -> Vec<JobId> {
        if self.is_lane_paused {
            return Vec::new();
        }
        self.due(|job| !self.paused.contains(&job.new.kind) && filter(job))
    }

    pub(crate) fn is_suspect(&self, job: &Job) -> bool {
        job.losses >= self.protocol.suspect_losses && self.mutant != Mutant::NoSuspects
    }

    pub(crate) fn next_message(&mut self) -> i64 {
        self.sequence += STEP;
        self.sequence
    }

    /// What a claim returns of a row.
    pub(crate) fn claimed(&self, id: JobId) -> Claimed {
        let job = &self.jobs[&id];
        let due_since = job.hold_until.unwrap_or(job.created).max(job.created);
        let message = job.message.expect("a claimed row has a message");
        Claimed {
            id: job.id,
            epoch: job.epoch,
            message,
            of_message: self.messages.get(&message).map_or(0, |row| row.jobs.len()),
            kind: job.new.kind.clone(),
            lane: job.new.lane.clone(),
            args: Ok(job.new.args.clone()),
            args_version: job.new.args_version,
            priority: job.priority,
            failures: job.failures,
            losses: job.losses,
            max_attempts: job.new.max_attempts,
            trace_id: None,
            parent: job.new.parent,
            waited: Duration::from_millis(u64::try_from(self.wall() - due_since).unwrap_or(0)),
        }
    }
}

pub(crate) fn millis(time: Duration) -> Wall {
    i64::try_from(time.as_millis()).unwrap()
}
