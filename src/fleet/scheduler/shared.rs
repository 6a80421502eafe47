//! What the scheduler's loops share.

use super::{health::PublishHealth, put_off::PutOff, view::View};
use crate::fleet::{
    Progress,
    job::MessageId,
    ports::{Broker, Ledger},
    settings::Protocol,
};
use std::{collections::VecDeque, sync::Mutex, time::Duration};
use tokio::{sync::watch, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// One scheduler's state.
pub(super) struct Shared<L: Ledger, B: Broker> {
    pub(super) ledger: L,
    pub(super) broker: B,
    pub(super) protocol: Protocol,
    pub(super) lanes: Vec<String>,
    pub(super) health: PublishHealth,
    pub(super) view: watch::Sender<View>,
    pub(super) confirmed: Confirmed,
    pub(super) put_off: PutOff,
    pub(super) shutdown: CancellationToken,
    /// Marked by each sweep.
    pub(super) progress: Progress,
    /// Probes, R3 and R4.
    pub(super) tasks: TaskTracker,
}

/// Confirmed messages that may have to be marked: most are claimed before that.
#[derive(Debug, Default)]
pub(super) struct Confirmed(Mutex<VecDeque<(Instant, MessageId)>>);

/// Enough for two seconds at the fastest that a broker confirms. A message beyond that is not marked, so R1 takes it back
/// after ten seconds if no worker has it by then: slower, not wrong.
const CONFIRMED_MAX: usize = 200_000;

impl Confirmed {
    pub(super) fn push(&self, message: MessageId, now: Instant) {
        let mut queue = self.0.lock().expect("nothing panics while it holds this lock");
        if queue.len() < CONFIRMED_MAX {
            queue.push_back((now, message));
        }
    }

    /// Those that were confirmed at least `age` ago.
    pub(super) fn older_than(&self, age: Duration, now: Instant) -> Vec<MessageId> {
        let mut queue = self.0.lock().expect("nothing panics while it holds this lock");
        let ripe = queue.partition_point(|(at, _)| now.saturating_duration_since(*at) >= age);
        queue.drain(..ripe).map(|(_, message)| message).collect()
    }
}
