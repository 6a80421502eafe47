//! Who works, and what the ledger thinks they hold.

use crate::fleet::job::{Epoch, JobId, MessageId, WorkerId};
use std::time::Duration;

/// Who a worker is.
#[derive(Clone, Debug)]
pub struct WorkerSpec {
    /// For people: host and process id.
    pub name: String,
    /// Jobs at once.
    pub slots: i32,
    /// Lanes that it serves; a scheduler has none.
    pub lanes: Vec<String>,
    /// Kinds that it knows.
    pub kinds: Vec<String>,
}

/// A row that the ledger thinks a worker holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HeldRow {
    /// Message or lease.
    pub message: MessageId,
    /// The row.
    pub id: JobId,
    /// Its epoch.
    pub epoch: Epoch,
    /// An operator asked to cancel it.
    pub cancel_requested: bool,
}

/// The ledger's answer to a heartbeat.
#[derive(Clone, Debug, Default)]
pub struct Beat {
    /// The worker has no row any more: it was away for so long that its name has ended.
    pub gone: bool,
    /// What the ledger thinks this worker holds.
    pub held: Vec<HeldRow>,
    /// A suspect of the worker's lanes and kinds is due.
    pub suspect_due: bool,
    /// Workers of the lanes that beat lately, this one included; at least 1.
    pub live_workers: i64,
}

/// A row of `workers`, for those who watch it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerRow {
    /// The row.
    pub id: WorkerId,
    /// The heartbeat's counter. Watched with the reader's own clock.
    pub beat: i64,
    /// Jobs at once; 0 for a scheduler.
    pub slots: i32,
    /// Lanes; empty for a scheduler.
    pub lanes: Vec<String>,
    /// Kinds that it knows.
    pub kinds: Vec<String>,
    /// False: it drains, and takes nothing more.
    pub takes_work: bool,
    /// How long a job of each kind runs there on average, in the order of `kinds`, in microseconds; none: not measured. An
    /// older version measures nothing.
    pub run_us: Vec<Option<i32>>,
}

impl WorkerRow {
    /// How long a job of this kind runs there on average; none: it was not measured.
    #[must_use]
    pub fn run(&self, kind: &str) -> Option<Duration> {
        let at = self.kinds.iter().position(|known| known == kind)?;
        let micros = (*self.run_us.get(at)?)?;
        Some(Duration::from_micros(micros.unsigned_abs().into()))
    }
}
