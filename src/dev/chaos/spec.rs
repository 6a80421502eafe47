//! What a run is.

use crate::fleet::settings::Protocol;
use std::{path::PathBuf, time::Duration};

/// Schedulers of a run.
pub(super) const SCHEDULERS: usize = 2;
/// Workers of a run.
pub(super) const WORKERS: usize = 4;
/// Jobs at once, each worker.
pub(super) const SLOTS: usize = 8;
/// Jobs in a message, where so many wait, as they do after a fault: each must keep a fate of its own.
pub(super) const POINTERS: u32 = 8;
/// Jobs a second, on average.
pub(super) const RATE: f64 = 20.0;
/// Runs shorter than this use the short profile.
const REAL: f64 = 10.0;

/// A run.
#[derive(Clone, Debug)]
pub struct ChaosSpec {
    /// Of the load and the faults: the same seed makes the same ones in the same order, not the same interleaving.
    pub seed: u64,
    /// For how long load and faults go on; the fixed set is always played to its end.
    pub minutes: f64,
    /// Where services and evidence go.
    pub dir: PathBuf,
    /// The program whose processes are hurt.
    pub binary: PathBuf,
}

impl ChaosSpec {
    /// Whether the protocol is five times shorter.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.minutes < REAL
    }

    /// The protocol of the run.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        if self.is_short() { Protocol::five_times_shorter() } else { Protocol::default() }
    }

    /// Where the evidence goes.
    #[must_use]
    pub fn evidence(&self) -> PathBuf {
        self.dir.join("evidence")
    }

    pub(super) fn time(&self) -> Duration {
        Duration::from_secs_f64(self.minutes * 60.0)
    }
}
