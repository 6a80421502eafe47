//! A process of the fleet: it can be frozen, told to drain, and killed.

use std::sync::{Arc, Mutex};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// One process. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Process(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    number: u64,
    frozen_until: Mutex<Instant>,
    dead: CancellationToken,
    /// Fires when it is told to drain.
    stop: CancellationToken,
}

impl Process {
    pub(crate) fn new(number: u64) -> Self {
        let (dead, stop) = (CancellationToken::new(), CancellationToken::new());
        Self(Arc::new(Inner { number, frozen_until: Mutex::new(Instant::now()), dead, stop }))
    }

    pub(crate) fn number(&self) -> u64 {
        self.0.number
    }

    /// Passes when the process may go on: not while it is frozen, never when it is dead. Everything that a loop does to
    /// the outside goes through here, before and after.
    pub(crate) async fn gate(&self) {
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

    pub(crate) fn freeze(&self, until: Instant) {
        *self.0.frozen_until.lock().unwrap() = until;
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
