//! Whether a model is asked about several items at once.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// After a call about several items that failed, each is asked about alone for so long: what made it fail (a text among them, a
/// model that can't write so much, a limit of tokens a minute) would make the next one fail too.
const ALONE: Duration = Duration::from_mins(10);

/// What this process has seen of calls about several items. It is not shared: each process pays for its own lesson.
#[derive(Debug, Default)]
pub struct Company(Mutex<Option<Instant>>);

impl Company {
    /// Whether a question may take others along.
    #[must_use]
    pub fn is_welcome(&self) -> bool {
        self.last_failure().is_none_or(|at| at.elapsed() >= ALONE)
    }

    /// A call about several items failed.
    pub fn failed(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn last_failure(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_remembered_for_ten_minutes() {
        let company = Company::default();
        assert!(company.is_welcome());
        company.failed();
        tokio::time::advance(ALONE.checked_sub(Duration::from_secs(1)).unwrap()).await;
        assert!(!company.is_welcome());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(company.is_welcome());
    }
}
