//! What can't be done now is done later; what the database refuses will be refused again, and somebody must hear of it.

use crate::fleet::{
    handler::{Component, ErrorClass},
    ports::LedgerError,
};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// A refusal that goes on is told again after this time.
const TELL_AGAIN: Duration = Duration::from_mins(1);

/// Which refusals were told, and when. Bounded by the rules that there are.
#[derive(Debug, Default)]
pub(super) struct PutOff(Mutex<HashMap<&'static str, Instant>>);

impl PutOff {
    /// Tells of a rule that was not followed. One that is away or asks to repeat is nothing new: it is followed at the next
    /// turn. A refusal is: the role lacks a right, or the schema is not this binary's.
    pub(super) fn tell(&self, rule: &'static str, error: &LedgerError) {
        let is_refused = matches!(error, LedgerError::Refused(_));
        // What is only away is counted where it was asked.
        if is_refused {
            Component::Scheduler.failed(ErrorClass::Database);
        }
        if is_refused && self.is_due(rule, Instant::now()) {
            tracing::warn!(
                event = "scheduler.refused",
                rule,
                %error,
                "the database refuses a statement of the scheduler; check its role's rights (infra/postgres/roles.sql)"
            );
        } else {
            tracing::debug!(%error, rule, "put off");
        }
    }

    /// The same for a result.
    pub(super) fn look<T>(&self, rule: &'static str, result: Result<T, LedgerError>) {
        if let Err(error) = result {
            self.tell(rule, &error);
        }
    }

    fn is_due(&self, rule: &'static str, now: Instant) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = told.get(rule).is_none_or(|at| now.saturating_duration_since(*at) >= TELL_AGAIN);
        if due {
            told.insert(rule, now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_once_a_minute_and_each_rule_has_its_own() {
        let (put_off, start) = (PutOff::default(), Instant::now());
        let told: Vec<bool> =
            [0, 1, 59, 60, 61, 120].map(|second| put_off.is_due("R3", start + Duration::from_secs(second))).into();
        assert_eq!(told, [true, false, false, true, false, true]);
        assert!(put_off.is_due("R1", start));
    }
}
