//! Proof that a loop goes on: liveness is progress, not a socket.

use std::{
    future::Future,
    sync::{
        Arc, OnceLock,
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
    gave_up: OnceLock<&'static str>,
}

impl Default for Progress {
    /// Marked now: a loop that has just started is given time.
    fn default() -> Self {
        Self(Arc::new(Inner {
            marks: watch::Sender::new(Instant::now()),
            stuck: AtomicUsize::new(0),
            gave_up: OnceLock::new(),
        }))
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

    /// The loop ends before it is told to, to be started again.
    pub(super) fn gives_up(&self, reason: &'static str) {
        // The first reason is the reason.
        let _ = self.0.gave_up.set(reason);
    }

    /// Why the loop ended before it was told to.
    #[must_use]
    pub fn gave_up(&self) -> Option<&'static str> {
        self.0.gave_up.get().copied()
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

    #[test]
    fn what_is_stuck_is_counted_and_the_first_reason_stays() {
        let progress = Progress::default();
        assert_eq!((progress.stuck_begins(), progress.clone().stuck_begins(), progress.stuck_ends()), (1, 2, 1));
        assert_eq!((progress.stuck(), progress.gave_up()), (1, None));
        progress.gives_up("first");
        progress.gives_up("second");
        assert_eq!(progress.gave_up(), Some("first"));
    }
}
