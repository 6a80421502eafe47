//! How many jobs this worker has at once, as a gauge.

use metrics::Gauge;

/// One more job in flight, for as long as it lives: whichever way an attempt goes, it can't be counted on for ever.
#[derive(Debug)]
pub(super) struct InFlight(Gauge);

impl InFlight {
    pub(super) fn new(gauge: &Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
