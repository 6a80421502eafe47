//! Proof that a loop goes on: liveness is progress, not a socket.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// When a loop last did its work, and how many handlers are stuck. The loop marks, probes read.
#[derive(Clone, Debug)]
pub struct Progress(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    marks: watch::Sender<Instant>,
    stuck: AtomicUsize,
}

impl Default for Progress {
    /// Marked now: a loop that has just started is given time.
    fn default() -> Self {
        Self(Arc::new(Inner { marks: watch::Sender::new(Instant::now()), stuck: AtomicUsize::new(0) }))
    }
}

impl Progress {
    /// The loop did its work.
    pub fn mark(&self) {
        self.0.marks.send_replace(Instant::now());
    }

    /// Resolves at the first mark after this call.
    pub fn marked(&self) -> impl Future<Output = ()> + Send + use<> {
        let (mut marks, kept) = (self.0.marks.subscribe(), self.clone());
        async move {
            // The sender lives as long as this future, so there is a next mark, or none for ever.
            let _ = marks.changed().await;
            drop(kept);
        }
    }

    /// How long ago that was.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.0.marks.borrow().elapsed()
    }

    /// One more handler goes on after its attempt has ended. Returns how many there are.
    pub(super) fn stuck_begins(&self) -> usize {
        self.0.stuck.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// One of them has ended after all.
    pub(super) fn stuck_ends(&self) -> usize {
        self.0.stuck.fetch_sub(1, Ordering::Relaxed) - 1
    }

    /// How many handlers go on although their attempts have ended.
    #[must_use]
    pub fn stuck(&self) -> usize {
        self.0.stuck.load(Ordering::Relaxed)
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
