//! The level of the log, changed while the process runs, for a limited time.

use super::{LogError, init::filter};
use std::{
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};
use tokio::{task::AbortHandle, time::sleep};
use tracing_subscriber::EnvFilter;

/// Nobody leaves a fleet at `debug` for longer.
pub const LEVEL_FOR_MAX: Duration = Duration::from_hours(1);

/// What the process logs by.
pub(super) struct Level {
    /// Puts a filter in place.
    put: Box<dyn Fn(EnvFilter) -> bool + Send + Sync>,
    /// What it was started with.
    calm: String,
    now: Mutex<Now>,
}

struct Now {
    directives: String,
    /// Brings the calm filter back; one at a time.
    end: Option<AbortHandle>,
}

static LEVEL: OnceLock<Level> = OnceLock::new();

impl Level {
    pub(super) fn new(calm: &str, put: impl Fn(EnvFilter) -> bool + Send + Sync + 'static) -> Self {
        let now = Now { directives: calm.to_owned(), end: None };
        Self { put: Box::new(put), calm: calm.to_owned(), now: Mutex::new(now) }
    }

    /// Makes it the process's own.
    pub(super) fn install(self) {
        // The subscriber can be set once only, and so can this.
        let _ = LEVEL.set(self);
    }

    /// Tells before the change, by the filter that may be about to silence it.
    fn set(&'static self, directives: &str, time: Duration, actor: &str) -> Result<(), LogError> {
        let filter = filter(directives)?;
        let mut now = self.now();
        let seconds = time.as_secs();
        tracing::warn!(event = "log.level", filter = directives, seconds, actor, "the level of the log is changed");
        if !(self.put)(filter) {
            return Err(LogError::Fixed);
        }
        directives.clone_into(&mut now.directives);
        let end = tokio::spawn(async move {
            sleep(time.min(LEVEL_FOR_MAX)).await;
            self.calm_down();
        });
        if let Some(earlier) = now.end.replace(end.abort_handle()) {
            earlier.abort();
        }
        Ok(())
    }

    /// As at the start again; told after the change.
    fn calm_down(&self) {
        let mut now = self.now();
        // It was in force before, so it can be read.
        if filter(&self.calm).is_ok_and(|filter| (self.put)(filter)) {
            self.calm.clone_into(&mut now.directives);
            tracing::warn!(event = "log.level", filter = self.calm, "the level of the log is as at the start again");
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The directives that are in force; none: this process has no log.
#[must_use]
pub fn level() -> Option<String> {
    LEVEL.get().map(|level| level.now().directives.clone())
}

/// Logs by these directives (`docket::fleet=debug`) for a while, on behalf of `actor`.
///
/// For at most [`LEVEL_FOR_MAX`]; then by those of the start again. A later change takes the place of an earlier one, with its
/// own time.
///
/// # Errors
/// When the directives can't be read, or this process has no log of its own.
pub fn set_level(directives: &str, time: Duration, actor: &str) -> Result<(), LogError> {
    LEVEL.get().ok_or(LogError::Fixed)?.set(directives, time, actor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn level(put: impl Fn(EnvFilter) -> bool + Send + Sync + 'static) -> &'static Level {
        Box::leak(Box::new(Level::new("info", put)))
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_last_changes_end_brings_the_calm_filter_back() {
        let put = Arc::new(Mutex::new(Vec::new()));
        let seen = put.clone();
        let level = level(move |filter| {
            seen.lock().unwrap().push(filter.to_string());
            true
        });
        level.set("docket::fleet=debug", Duration::from_secs(10), "test").unwrap();
        sleep(Duration::from_secs(5)).await;
        level.set("docket::db=trace", Duration::from_secs(10), "test").unwrap();
        sleep(Duration::from_secs(8)).await;
        assert_eq!(level.now().directives, "docket::db=trace", "the first one's end ended nothing");
        sleep(Duration::from_secs(3)).await;
        assert_eq!(level.now().directives, "info");
        let put = put.lock().unwrap();
        assert_eq!(put.len(), 3);
        assert!(put[0].contains("docket::fleet=debug") && put[1].contains("docket::db=trace"), "{put:?}");
        assert!(!put[2].contains("docket"), "{put:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_leaves_it_changed_for_longer_than_an_hour() {
        let level = level(|_| true);
        level.set("debug", Duration::from_secs(1_000_000), "test").unwrap();
        sleep(LEVEL_FOR_MAX + Duration::from_secs(1)).await;
        assert_eq!(level.now().directives, "info");
    }

    #[tokio::test]
    async fn what_can_not_be_read_or_put_changes_nothing() {
        let unread = level(|_| panic!("nothing is put"));
        assert!(unread.set("docket=loud=very", Duration::from_secs(1), "test").is_err());
        let fixed = level(|_| false);
        assert!(matches!(fixed.set("debug", Duration::from_secs(1), "test"), Err(LogError::Fixed)));
        assert_eq!((&unread.now().directives[..], &fixed.now().directives[..]), ("info", "info"));
    }
}
