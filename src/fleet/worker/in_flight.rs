//! How many jobs this worker has at once, as a gauge.

use crate::telemetry::names;
use metrics::gauge;

/// One more job in flight, for as long as it lives: whichever way an attempt goes, it can't be counted on for ever.
#[derive(Debug)]
pub(super) struct InFlight(());

impl InFlight {
    pub(super) fn new() -> Self {
        gauge!(names::JOBS_IN_FLIGHT).increment(1.0);
        Self(())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        gauge!(names::JOBS_IN_FLIGHT).decrement(1.0);
    }
}
