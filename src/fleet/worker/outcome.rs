//! How an attempt ended, on its way to the ledger.

use super::{
    in_flight::InFlight,
    meters::{KindMeters, Meters},
};
use crate::fleet::{
    handler::{Component, ErrorClass},
    job::{Epoch, JobId, MessageId, Pointer},
    ports::{Claimed, ReleaseHold},
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use uuid::Uuid;

/// What the canonical log line and the metrics tell of an attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) id: JobId,
    pub(super) epoch: Epoch,
    pub(super) message: MessageId,
    pub(super) lane: String,
    /// 1 for the first of its round.
    pub(super) number: i16,
    pub(super) losses: i16,
    pub(super) max_attempts: i16,
    pub(super) trace_id: Option<Uuid>,
    pub(super) component: Component,
    pub(super) begun: Instant,
    pub(super) waited: Duration,
    /// With the name of its kind.
    pub(super) meters: Arc<KindMeters>,
    _in_flight: InFlight,
}

impl Attempt {
    /// The row, at its epoch during this attempt.
    pub(super) const fn row(&self) -> Pointer {
        Pointer(self.id, self.epoch)
    }

    pub(super) fn kind(&self) -> &str {
        &self.meters.kind
    }

    pub(super) fn of(job: &Claimed, component: Component, meters: &Meters) -> Self {
        let meters = meters.of(&job.kind);
        Self {
            id: job.id,
            epoch: job.epoch,
            message: job.message,
            lane: job.lane.clone(),
            number: job.failures.saturating_add(1),
            losses: job.losses,
            max_attempts: job.max_attempts,
            trace_id: job.trace_id,
            component,
            begun: Instant::now(),
            waited: job.waited,
            _in_flight: InFlight::new(&meters.in_flight),
            meters,
        }
    }
}

/// What is to be booked.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// Done, without effects of its own.
    Completed(Value),
    /// Failed.
    Failed { retryable: bool, class: ErrorClass, error: String, delay: Duration },
    /// Back without cost.
    Released(Option<ReleaseHold>),
    /// Given up for good.
    Discarded(String),
}

/// An attempt and its verdict, for the completer.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) attempt: Attempt,
    pub(super) verdict: Verdict,
    /// How long it ran.
    pub(super) ran: Duration,
}
