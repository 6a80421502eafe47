//! The level of the log, changed while the process runs, for a limited time.

use super::{LogError, init::filter};
use std::{
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;
use tracing_subscriber::EnvFilter;

/// Nobody leaves a fleet at `debug` for longer.
pub const LEVEL_FOR_MAX: Duration = Duration::from_hours(1);

/// What the process logs by.
pub(super) struct Level {
    /// Puts a filter in place.
    put: Box<dyn Fn(EnvFilter) -> bool + Send + Sync>,
    /// What it was started with.
    calm: String,
    /// What is in force.
    now: Mutex<String>,
    /// Counts the changes: only the last one's end brings the calm filter back.
    turn: AtomicU64,
}

static LEVEL: OnceLock<Level> = OnceLock::new();

impl Level {
    pub(super) fn new(calm: &str, put: impl Fn(EnvFilter) -> bool + Send + Sync + 'static) -> Self {
        let (calm, now) = (calm.to_owned(), Mutex::new(calm.to_owned()));
        Self { put: Box::new(put), calm, now, turn: AtomicU64::new(0) }
    }

    /// Makes it the process's own.
    pub(super) fn install(self) {
        // The subscriber can be set once only, and so can this.
        let _ = LEVEL.set(self);
    }

    fn set(&self, directives: &str) -> Result<u64, LogError> {
        let filter = filter(directives)?;
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if (self.put)(filter) {
            directives.clone_into(&mut now);
        }
        Ok(self.turn.fetch_add(1, Ordering::AcqRel) + 1)
    }

    fn end(&self, turn: u64) {
        if self.turn.load(Ordering::Acquire) == turn {
            // It was in force before, so it can be read.
            let _ = self.set(&self.calm);
        }
    }
}

/// The directives that are in force; none: this process has no log.
#[must_use]
pub fn level() -> Option<String> {
    LEVEL.get().map(|level| level.now.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

/// Logs by these directives (`docket::fleet=debug`) for so long, at most [`LEVEL_FOR_MAX`]; then by those of the start again.
/// A later change takes the place of an earlier one, with its own time.
///
/// # Errors
/// When the directives can't be read.
pub fn set_level(directives: &str, time: Duration) -> Result<(), LogError> {
    let Some(level) = LEVEL.get() else { return Ok(()) };
    let turn = level.set(directives)?;
    tracing::warn!(
        event = "log.level",
        filter = directives,
        seconds = time.as_secs(),
        "the level of the log was changed"
    );
    tokio::spawn(async move {
        sleep(time.min(LEVEL_FOR_MAX)).await;
        level.end(turn);
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn only_the_last_changes_end_brings_the_calm_filter_back() {
        let put = Arc::new(Mutex::new(Vec::new()));
        let seen = put.clone();
        let level = Level::new("info", move |filter| {
            seen.lock().unwrap().push(filter.to_string());
            true
        });
        let first = level.set("docket::fleet=debug").unwrap();
        let second = level.set("docket::db=trace").unwrap();
        level.end(first);
        assert_eq!(*level.now.lock().unwrap(), "docket::db=trace");
        level.end(second);
        assert_eq!(*level.now.lock().unwrap(), "info");
        let put = put.lock().unwrap();
        assert_eq!(put.len(), 3);
        assert!(put[0].contains("docket::fleet=debug") && put[1].contains("docket::db=trace"), "{put:?}");
        assert!(!put[2].contains("docket"), "{put:?}");
    }

    #[test]
    fn what_can_not_be_read_changes_nothing() {
        let level = Level::new("info", |_| panic!("nothing is put"));
        assert!(level.set("docket=loud=very").is_err());
        assert_eq!(*level.now.lock().unwrap(), "info");
    }
}
