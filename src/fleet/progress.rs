//! Proof that a loop goes on: liveness is progress, not a socket.

use std::{future::Future, sync::Arc, time::Duration};
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

    /// Resolves at the first mark after this call.
    pub fn marked(&self) -> impl Future<Output = ()> + Send + use<> {
        let (mut marks, kept) = (self.0.subscribe(), self.clone());
        async move {
            // The sender lives as long as this future, so there is a next mark, or none for ever.
            let _ = marks.changed().await;
            drop(kept);
        }
    }

    /// How long ago that was.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.0.borrow().elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn only_a_mark_after_the_call_counts() {
        let progress = Progress::default();
        progress.mark();
        let next = progress.marked();
        assert_eq!(progress.marked().now_or_never(), None);
        progress.mark();
        next.await;
    }
}
