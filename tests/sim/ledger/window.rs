//! How many jobs may be queued, reckoned beside the schedulers from what the ledger saw leave the queue.

use super::State;
use crate::process::Cause;
use docket::fleet::job::Status;
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// What leaves is counted over this time.
const OVER: Duration = Duration::from_secs(5);
/// In windows. A scheduler takes another one to add as much as itself: of what left the queue it sees up to twice as much,
/// and that widens what it fills, to three windows and a third where it comes to rest; schedulers that see each other's picks
/// a look later make it a little more. Taken to add by three or more, the queue would grow by itself.
const OVERSHOOT_MAX: usize = 4;

#[derive(Debug, Default)]
pub(crate) struct Window {
    left: VecDeque<Instant>,
    /// The largest that it was.
    most: usize,
    /// Queued jobs at most, in hundredths of the largest window until then.
    pub(crate) overshoot: usize,
}

impl Window {
    /// A job is not queued any more: claimed, given back by a sweep, or cancelled. A scheduler can't tell them apart.
    pub(super) fn left(&mut self, now: Instant) {
        self.left.push_back(now);
        while self.left.front().is_some_and(|at| now.duration_since(*at) > OVER) {
            self.left.pop_front();
        }
    }
}

impl State {
    /// After a pick.
    pub(super) fn check_window(&mut self) {
        let now = Instant::now();
        let left = self.window.left.iter().filter(|at| now.duration_since(**at) <= OVER).count();
        let seconds = (left as u128 * self.protocol.window.as_millis() / OVER.as_millis()) as usize;
        // Those that are up, and those that live although the ledger does not believe it: schedulers go by the counters.
        let is_dead = |process| matches!(self.causes.get(process), Some(Cause::Kill | Cause::Poison | Cause::End));
        let live = self.workers.values().filter(|w| w.is_up() || (w.is_given_up() && !is_dead(&w.process)));
        let slots: usize = live.map(|w| usize::try_from(w.spec.slots).unwrap()).sum();
        let window = seconds.max(2 * slots).max(1);
        self.window.most = self.window.most.max(window);
        let queued = self.active.iter().filter(|id| self.jobs[id].status == Status::Queued).count();
        self.window.overshoot = self.window.overshoot.max(100 * queued / self.window.most);
        if queued > OVERSHOOT_MAX * self.window.most {
            self.illegal.push(format!("{queued} jobs are queued, the window was {} at most", self.window.most));
        }
    }
}
