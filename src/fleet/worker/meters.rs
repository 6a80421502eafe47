//! The series of each kind, looked up once and not five times a job.

use crate::telemetry::{AttemptOutcome, names};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use std::{collections::HashMap, sync::Arc};

/// Those of the kinds that this worker knows.
#[derive(Debug)]
pub(super) struct Meters(HashMap<String, Arc<KindMeters>>);

/// Those of one kind.
#[derive(Debug)]
pub(super) struct KindMeters {
    pub(super) kind: String,
    pub(super) waited: Histogram,
    pub(super) ran: Histogram,
    pub(super) in_flight: Gauge,
    /// In the order of [`AttemptOutcome::ALL`].
    ended: [Counter; AttemptOutcome::ALL.len()],
}

impl Meters {
    pub(super) fn new(kinds: &[String]) -> Self {
        Self(kinds.iter().map(|kind| (kind.clone(), Arc::new(KindMeters::new(kind)))).collect())
    }

    pub(super) fn of(&self, kind: &str) -> Arc<KindMeters> {
        self.0.get(kind).map_or_else(|| Arc::new(KindMeters::new(kind)), Arc::clone)
    }
}

impl KindMeters {
    fn new(kind: &str) -> Self {
        let ended = |outcome: AttemptOutcome| {
            let status = outcome.as_str();
            counter!(names::JOBS_PROCESSED, "job_type" => kind.to_owned(), "status" => status)
        };
        Self {
            kind: kind.to_owned(),
            waited: histogram!(names::QUEUE_WAIT, "job_type" => kind.to_owned()),
            ran: histogram!(names::PROCESSING_DURATION, "job_type" => kind.to_owned()),
            in_flight: gauge!(names::JOBS_IN_FLIGHT),
            ended: AttemptOutcome::ALL.map(ended),
        }
    }

    /// Counts an attempt that ended so.
    pub(super) fn ended(&self, outcome: AttemptOutcome) {
        self.ended[outcome as usize].increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_finds_its_counter() {
        for (at, outcome) in AttemptOutcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, at);
        }
    }
}
