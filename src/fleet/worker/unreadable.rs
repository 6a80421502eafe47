//! Messages that nobody can read.

use super::shared::Shared;
use crate::{
    fleet::ports::{Broker, Delivery, Ledger, LedgerError, Quarantined},
    telemetry::names,
};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// Between two tries.
const RETRY: Duration = Duration::from_millis(200);

/// Keeps one for people: requeued it would come back for ever. Its tag, which can be acknowledged then; none: the worker
/// drains, and it returns to its queue when the channel closes.
pub(super) async fn keep<L: Ledger, B: Broker>(
    shared: Arc<Shared<L, B>>,
    lane: String,
    delivery: Delivery,
    reason: String,
) -> Option<u64> {
    metrics::counter!(names::QUARANTINED).increment(1);
    tracing::warn!(
        event = "message.quarantined",
        lane,
        reason,
        "an unreadable message is kept in the table quarantine"
    );
    let queue = format!("{lane}.{}", delivery.band);
    let message = Quarantined { queue, reason, body: delivery.body, headers: delivery.headers };
    loop {
        match shared.ledger.quarantine(&message).await {
            Ok(()) => return Some(delivery.tag),
            // Not even quarantine can hold it: better gone than in the way for ever.
            Err(error @ LedgerError::Refused(_)) => {
                tracing::error!(event = "message.dropped", %error, queue = message.queue, "an unreadable message can't be kept, and is dropped");
                return Some(delivery.tag);
            }
            Err(error) => tracing::debug!(%error, "quarantine is tried again"),
        }
        shared.drain.run_until_cancelled(sleep(RETRY)).await?;
    }
}
