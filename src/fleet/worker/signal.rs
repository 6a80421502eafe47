//! What an attempt and those who watch it tell each other.

use std::{
    sync::{
        Arc, LazyLock, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Why an attempt was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// An operator cancelled the job.
    Cancelled,
    /// The worker shuts down and the grace period is over.
    Shutdown,
    /// The row is no longer ours, or we can't prove that it is.
    Lost,
}

/// The signal to one attempt, and what can be seen of its handler from outside. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct StopSignal {
    state: Arc<State>,
    pub(super) token: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    /// The first reason counts.
    reason: OnceLock<Stop>,
    /// The kind whose handler runs.
    kind: OnceLock<&'static str>,
    /// When the poll began that the handler is in, in milliseconds after [`EPOCH`]; 0: it is in none.
    poll_began: AtomicU64,
}

/// The beginning of this process's time; one millisecond before the first poll, so that no poll begins at 0.
static EPOCH: LazyLock<Instant> = LazyLock::new(|| {
    let now = Instant::now();
    now.checked_sub(Duration::from_millis(1)).unwrap_or(now)
});

fn millis() -> u64 {
    u64::try_from(EPOCH.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
}

impl StopSignal {
    pub(super) fn stop(&self, reason: Stop) {
        // A second reason changes nothing.
        let _ = self.state.reason.set(reason);
        self.token.cancel();
    }

    pub(super) fn reason(&self) -> Option<Stop> {
        self.state.reason.get().copied()
    }

    /// A handler of this kind is about to run.
    pub(super) fn runs(&self, kind: &'static str) {
        // An attempt runs one handler.
        let _ = self.state.kind.set(kind);
    }

    /// The handler gets its thread.
    pub(super) fn poll_begins(&self) {
        self.state.poll_began.store(millis(), Ordering::Relaxed);
    }

    /// It gave its thread back.
    pub(super) fn poll_ends(&self) {
        self.state.poll_began.store(0, Ordering::Relaxed);
    }

    /// The kind of the handler that has its thread now, and for how long; none while it waits for something.
    pub(super) fn polled_for(&self) -> Option<(&'static str, Duration)> {
        match self.state.poll_began.load(Ordering::Relaxed) {
            0 => None,
            began => Some((
                self.state.kind.get().copied().unwrap_or_default(),
                Duration::from_millis(millis().saturating_sub(began)),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_counts() {
        let signal = StopSignal::default();
        assert_eq!(signal.reason(), None);
        signal.stop(Stop::Cancelled);
        signal.stop(Stop::Lost);
        assert_eq!((signal.reason(), signal.token.is_cancelled()), (Some(Stop::Cancelled), true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_poll_is_seen_while_it_lasts() {
        let signal = StopSignal::default();
        signal.runs("busy");
        assert_eq!(signal.polled_for(), None);
        signal.poll_begins();
        tokio::time::advance(Duration::from_secs(7)).await;
        assert_eq!(signal.clone().polled_for(), Some(("busy", Duration::from_secs(7))));
        signal.poll_ends();
        assert_eq!(signal.polled_for(), None);
    }
}
