//! What operators do: the statements of `ledger::operate`.

use super::state::{Before, State};
use docket::fleet::job::{Hold, JobId, Status, WorkerId};

/// One act.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Cancel(JobId),
    Discard(JobId),
    Requeue(JobId),
    Undo(JobId),
    PauseKind(&'static str),
    ResumeKind(&'static str),
    PauseLane,
    ResumeLane,
}

impl State {
    /// The notification that goes out with it, if one does.
    pub(crate) fn act(&mut self, act: &Act) -> Option<String> {
        match act {
            Act::Cancel(id) => self.cancel(*id).map(|worker| format!("cancel:{worker}")),
            Act::Discard(id) => self.give_up(*id),
            Act::Requeue(id) => self.requeue(*id),
            Act::Undo(id) => self.undo(*id),
            Act::PauseKind(kind) => self.paused.insert((*kind).to_owned()).then(|| format!("pause:{kind}")),
            Act::ResumeKind(kind) => self.paused.remove(*kind).then(|| format!("resume:{kind}")),
            Act::PauseLane => {
                self.is_lane_paused = true;
                None
            }
            Act::ResumeLane => {
                self.is_lane_paused = false;
                Some(String::new())
            }
        }
    }

    /// The worker that runs it, which must be told.
    fn cancel(&mut self, id: JobId) -> Option<WorkerId> {
        let job = self.jobs.get_mut(&id)?;
        if job.status.is_terminal() || job.cancel_requested {
            return None;
        }
        (job.cancel_requested, job.is_given_up) = (true, true);
        self.history.count("operator cancels", &[id.0]);
        let job = self.jobs.get_mut(&id)?;
        if job.status == Status::Processing {
            job.requeued = None;
            return job.worker;
        }
        self.turn(id, Status::Cancelled).requeued = None;
        None
    }

    fn give_up(&mut self, id: JobId) -> Option<String> {
        let job = self.jobs.get_mut(&id).filter(|job| is_over(job.status))?;
        job.is_given_up = true;
        self.history.count("operator discards", &[id.0]);
        self.turn(id, Status::Cancelled);
        None
    }

    fn requeue(&mut self, id: JobId) -> Option<String> {
        let job = self.jobs.get(&id).filter(|job| is_over(job.status))?;
        self.history.count("operator requeues", &[id.0]);
        let (status, failures, losses, priority) = (job.status, job.failures, job.losses, job.priority);
        let before = Before { status, failures, losses, priority, lost_by: job.lost_by.clone() };
        // Only a parent that still waits counts it up again; any other has gone on and keeps what it counted.
        let parent = job.new.parent.filter(|_| job.counted).filter(|id| {
            let parent = &self.jobs[id];
            parent.status == Status::Pending && parent.hold == Some(Hold::Children)
        });
        let now = self.wall();
        let job = self.turn(id, Status::Pending);
        (job.failures, job.losses, job.priority, job.requeued) = (0, 0, job.new.priority, Some(before));
        (job.hold_until, job.cancel_requested) = (Some(now), false);
        job.lost_by.clear();
        job.counted &= parent.is_none();
        if let Some(parent) = parent.and_then(|id| self.jobs.get_mut(&id)) {
            parent.open_children = parent.open_children.map(|open| open + 1);
            parent.failed_children = (parent.failed_children - 1).max(0);
        }
        Some("default".to_owned())
    }

    fn undo(&mut self, id: JobId) -> Option<String> {
        let job = self.jobs.get(&id).filter(|job| job.status == Status::Pending)?;
        let before = job.requeued.clone()?;
        self.history.count("operator undoes", &[id.0]);
        let job = self.turn(id, before.status);
        (job.failures, job.losses, job.priority) = (before.failures, before.losses, before.priority);
        (job.lost_by, job.requeued, job.hold_until) = (before.lost_by, None, None);
        None
    }
}

/// Ended, and an operator may still decide otherwise.
pub(crate) fn is_over(status: Status) -> bool {
    matches!(status, Status::Failed | Status::DeadLetter)
}
