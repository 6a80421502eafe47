//! How many jobs may be queued, reckoned beside the schedulers from the ledger's own claims.

use super::State;
use crate::process::Cause;
use docket::fleet::job::Status;
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// Claims are counted over this time.
const OVER: Duration = Duration::from_secs(5);
/// What sweeps give back, and what others were taken to have added, looks like claims to a scheduler for so long: in a storm
/// the queue is some windows long, and never grows by itself.
const OVERSHOOT_MAX: usize = 10;

#[derive(Debug, Default)]
pub(crate) struct Window {
    claims: VecDeque<Instant>,
    /// The largest that it was.
    most: usize,
    /// Queued jobs at most, in hundredths of the window of that moment.
    pub(crate) overshoot: usize,
}

impl Window {
    pub(super) fn claimed(&mut self, now: Instant) {
        self.claims.push_back(now);
        while self.claims.front().is_some_and(|at| now.duration_since(*at) > OVER) {
            self.claims.pop_front();
        }
    }
}

impl State {
    /// After a pick.
    pub(super) fn check_window(&mut self) {
        let now = Instant::now();
        let claims = self.window.claims.iter().filter(|at| now.duration_since(**at) <= OVER).count();
        let seconds = (claims as u128 * self.protocol.window.as_millis() / OVER.as_millis()) as usize;
        // Those that are up, and those that live although the ledger does not believe it: schedulers go by the counters.
        let is_dead = |process| matches!(self.causes.get(process), Some(Cause::Kill | Cause::Poison | Cause::End));
        let live = self.workers.values().filter(|w| w.is_up() || (w.is_given_up() && !is_dead(&w.process)));
        let slots: usize = live.map(|w| usize::try_from(w.spec.slots).unwrap()).sum();
        let window = seconds.max(2 * slots).max(1);
        self.window.most = self.window.most.max(window);
        let queued = self.active.iter().filter(|id| self.jobs[id].status == Status::Queued).count();
        self.window.overshoot = self.window.overshoot.max(100 * queued / window);
        if queued > OVERSHOOT_MAX * self.window.most {
            self.illegal.push(format!("{queued} jobs are queued, the window was {} at most", self.window.most));
        }
    }
}
