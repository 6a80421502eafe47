//! A process of the fleet: it can be frozen, told to drain, and killed, at any moment or at the n-th of its next calls.

use docket::fleet::ports::Beat;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// What happens to a process.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Blow {
    Kill,
    Freeze(Duration),
    Stop,
}

/// Why a worker lost its jobs, for the checker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Killed from outside.
    Kill,
    /// By a job that it ran.
    Poison,
    /// Frozen for longer than its lease.
    Stall,
    /// It drained, or ended by itself.
    End,
    /// It lived: the ledger never heard it.
    Alive,
}

/// One process. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Process(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    number: u64,
    frozen_until: Mutex<Instant>,
    /// What its heartbeat is told while it is frozen.
    dream: Mutex<Option<Beat>>,
    /// Passages through the gate until the blow falls.
    fuse: Mutex<Option<(u32, Blow)>>,
    dead: CancellationToken,
    /// Fires when it is told to drain.
    stop: CancellationToken,
}

impl Process {
    pub(crate) fn new(number: u64) -> Self {
        let (dead, stop) = (CancellationToken::new(), CancellationToken::new());
        let (frozen_until, fuse) = (Mutex::new(Instant::now()), Mutex::default());
        Self(Arc::new(Inner { number, frozen_until, dream: Mutex::default(), fuse, dead, stop }))
    }

    pub(crate) fn number(&self) -> u64 {
        self.0.number
    }

    /// The blow falls at the n-th passage from now.
    pub(crate) fn light(&self, passages: u32, blow: Blow) {
        *self.0.fuse.lock().unwrap() = Some((passages, blow));
    }

    pub(crate) fn quench(&self) {
        *self.0.fuse.lock().unwrap() = None;
    }

    /// One passage: the blow, if it falls now.
    pub(crate) fn burn(&self) -> Option<Blow> {
        let mut fuse = self.0.fuse.lock().unwrap();
        let (left, blow) = fuse.take()?;
        if left == 0 {
            return Some(blow);
        }
        *fuse = Some((left - 1, blow));
        None
    }

    /// Passes when the process may go on: not while it is frozen, never when it is dead.
    pub(crate) async fn pass(&self) {
        loop {
            if self.is_dead() {
                return std::future::pending().await;
            }
            let until = *self.0.frozen_until.lock().unwrap();
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }

    pub(crate) fn freeze(&self, until: Instant, dream: Option<Beat>) {
        *self.0.frozen_until.lock().unwrap() = until;
        *self.0.dream.lock().unwrap() = dream;
    }

    /// The timers of a frozen process go on here, so its heartbeat would notice what a real one can't. Told that all is as
    /// it was, the process wakes as a real one does: in the belief that its jobs are its own.
    pub(crate) fn dream(&self) -> Option<Beat> {
        if self.is_frozen() { self.0.dream.lock().unwrap().clone() } else { None }
    }

    /// Awake at once.
    pub(crate) fn thaw(&self) {
        self.freeze(Instant::now(), None);
    }

    pub(crate) fn is_frozen(&self) -> bool {
        *self.0.frozen_until.lock().unwrap() > Instant::now()
    }

    pub(crate) fn kill(&self) {
        self.0.dead.cancel();
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.0.dead.is_cancelled()
    }

    pub(crate) async fn died(&self) {
        self.0.dead.cancelled().await;
    }

    pub(crate) fn stop(&self) -> CancellationToken {
        self.0.stop.clone()
    }
}
