//! R3: messages that their queue has lost.

use super::{
    dispatch::probe,
    health::{Presence, Proof},
    shared::Shared,
    sweeps::{BOUND, repeat},
};
use crate::fleet::{
    job::{Band, MessageId},
    ports::{Broker, BrokerError, Ledger, LedgerResult, Sweep},
};
use std::sync::Arc;
use tokio::time::Instant;

/// Watermarks of the message sequence; none: not watched for long enough.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    /// What is below has had time enough to be claimed.
    pub(super) old: Option<MessageId>,
    /// What is below was given out before this turn.
    pub(super) all: Option<MessageId>,
}

/// Published and unclaimed for a minute, while the queue holds fewer messages than the ledger has; at once when the queue
/// isn't there. It rests when the lane has no live worker: then messages just wait.
pub(super) async fn forgotten<L: Ledger, B: Broker>(
    shared: &Arc<Shared<L, B>>,
    lane: &str,
    before: Before,
    now: Instant,
) -> LedgerResult<()> {
    let presences = Band::ALL.map(|band| (band, shared.health.presence(lane, band, now)));
    if shared.view.borrow().slots(lane) == 0 {
        return Ok(());
    }
    let flights = shared.ledger.in_flight(lane).await?;
    for ((band, presence), flight) in presences.into_iter().zip(flights) {
        let Some(oldest) = flight.oldest else { continue };
        let is_old = before.old.is_some_and(|old| oldest < old);
        let before = if is_gone(shared, lane, band, presence).await {
            before.all
        } else if is_old && is_missing(shared, lane, band, flight.messages, now).await {
            before.old
        } else {
            None
        };
        if let Some(before) = before {
            repeat("R3", || shared.ledger.sweep(Sweep::Forgotten(lane, band, before), BOUND)).await?;
        }
    }
    Ok(())
}

/// What is published tells whether a queue is there; where nothing is, because its window is full, the broker is asked.
/// A queue that was deleted took its messages along. Where only its binding is gone they come twice: the fence's work.
async fn is_gone<L: Ledger, B: Broker>(shared: &Arc<Shared<L, B>>, lane: &str, band: Band, presence: Presence) -> bool {
    match presence {
        Presence::Gone => true,
        Presence::Here => false,
        Presence::Unknown => matches!(shared.broker.depth(lane, band).await, Err(BrokerError::Topology(_))),
    }
}

/// Whether the queue holds fewer messages than these. A count is believed only after a confirm.
async fn is_missing<L: Ledger, B: Broker>(
    shared: &Arc<Shared<L, B>>,
    lane: &str,
    band: Band,
    messages: i64,
    now: Instant,
) -> bool {
    match shared.health.proof(lane, band, now) {
        Proof::Wait => false,
        Proof::Probe => {
            probe(shared, lane, band);
            false
        }
        Proof::Silent => true,
        Proof::Fresh => {
            let depth = shared.broker.depth(lane, band).await;
            depth.is_ok_and(|depth| i64::try_from(depth).unwrap_or(i64::MAX) < messages)
        }
    }
}
