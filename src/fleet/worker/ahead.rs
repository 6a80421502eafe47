//! Messages that know more than the ledger: it went back in time, or somebody forged them.

use super::shared::Shared;
use crate::{
    fleet::{
        job::{Envelope, Pointer},
        ports::{Broker, Claimed, Ledger, Quarantined},
    },
    telemetry::names,
};
use std::collections::HashSet;

/// Pointers that were not claimed.
pub(super) fn refused(envelopes: &[Envelope], jobs: &[Claimed]) -> Vec<Pointer> {
    // A claimed row's epoch is one above its pointer's.
    let claimed: HashSet<Pointer> = jobs.iter().map(|job| Pointer(job.id, job.epoch - 1)).collect();
    envelopes.iter().flat_map(|e| e.jobs.iter()).filter(|pointer| !claimed.contains(pointer)).copied().collect()
}

/// Keeps, for people, the messages whose refused pointers are ahead of their rows. Nothing depends on this look, so what
/// goes wrong here is only told.
pub(super) async fn keep<L: Ledger, B: Broker>(shared: &Shared<L, B>, envelopes: &[Envelope], refused: &[Pointer]) {
    if refused.is_empty() {
        return;
    }
    let ahead = match shared.ledger.ahead(refused).await {
        Ok(ahead) if ahead.is_empty() => return,
        Ok(ahead) => ahead,
        Err(error) => return tracing::debug!(%error, "stale pointers are dropped without a look"),
    };
    let messages: Vec<&Envelope> = envelopes.iter().filter(|e| e.jobs.iter().any(|job| ahead.contains(job))).collect();
    metrics::counter!(names::QUARANTINED).increment(messages.len() as u64);
    tracing::error!(
        event = "message.ahead",
        messages = messages.len(),
        pointers = ahead.len(),
        "messages are ahead of the ledger and kept in the table quarantine: was the database restored from an older \
         backup? Its jobs run again from there; if not, somebody else publishes"
    );
    for envelope in messages {
        let first = envelope.jobs.iter().find(|job| ahead.contains(job)).copied().unwrap_or(envelope.jobs[0]);
        let kept = Quarantined {
            queue: "claimed".to_owned(),
            reason: format!("ahead of the ledger: no row of job {} has reached epoch {}", first.id().0, first.epoch()),
            body: envelope.encode(),
            headers: String::new(),
        };
        if let Err(error) = shared.ledger.quarantine(&kept).await {
            tracing::debug!(%error, "a message that is ahead of the ledger is not kept");
        }
    }
}
