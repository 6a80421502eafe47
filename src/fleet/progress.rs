//! Proof that a loop goes on: liveness is progress, not a socket.

use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::Instant};

/// When a loop last did its work. The loop marks, probes read.
#[derive(Clone, Debug)]
pub struct Progress(Arc<watch::Sender<Instant>>);

impl Default for Progress {
    /// Marked now: a loop that has just started is given time.
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Instant::now())))
    }
}

impl Progress {
    /// The loop did its work.
    pub fn mark(&self) {
        self.0.send_replace(Instant::now());
    }

    /// How long ago that was.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.0.borrow().elapsed()
    }
}
