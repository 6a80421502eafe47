//! Messages that know more than the ledger: it went back in time, or somebody forged them.

use super::shared::Shared;
use crate::{
    fleet::{
        job::{Envelope, Pointer},
        ports::{Broker, Ledger, Quarantined},
    },
    telemetry::names,
};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Messages that are kept in a second. Each costs a statement in the way of the next claim, and those of a flood are alike.
const KEPT: u32 = 20;

/// What is left of this second's [`KEPT`].
#[derive(Debug, Default)]
pub(super) struct Allowance(Mutex<Option<(Instant, u32)>>);

impl Allowance {
    /// Whether one more may be kept.
    fn take(&self, now: Instant) -> bool {
        let mut second = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (begun, kept) = second.filter(|(begun, _)| now - *begun < Duration::from_secs(1)).unwrap_or((now, 0));
        *second = Some((begun, (kept + 1).min(KEPT)));
        kept < KEPT
    }
}

/// Keeps, for people, the messages whose refused pointers are ahead of their rows. Nothing depends on this look, so what
/// goes wrong here is only told.
pub(super) async fn keep<L: Ledger, B: Broker>(shared: &Shared<L, B>, envelopes: &[Envelope], refused: &[Pointer]) {
    if refused.is_empty() {
        return;
    }
    let ahead = match shared.ledger.ahead(refused, !shared.retention.deletes()).await {
        Ok(ahead) if ahead.is_empty() => return,
        Ok(ahead) => ahead,
        Err(error) => return tracing::debug!(%error, "stale pointers are dropped without a look"),
    };
    let first_ahead = |e: &Envelope| e.jobs.iter().find(|job| ahead.contains(job)).copied();
    let now = Instant::now();
    let ahead_ones = envelopes.iter().filter_map(|e| first_ahead(e).map(|job| (e, job)));
    let messages: Vec<(&Envelope, Pointer)> = ahead_ones.filter(|_| shared.ahead.take(now)).collect();
    if messages.is_empty() {
        return;
    }
    metrics::counter!(names::QUARANTINED).increment(messages.len() as u64);
    tracing::error!(
        event = "message.ahead",
        messages = messages.len(),
        pointers = ahead.len(),
        "messages are ahead of the ledger and kept in the table quarantine: was the database restored from an older \
         backup? Its jobs run again from there; if not, somebody else publishes"
    );
    for (envelope, first) in messages {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_kept_in_part() {
        let (allowance, start) = (Allowance::default(), Instant::now());
        let kept = |at: u64| (0..100).filter(|_| allowance.take(start + Duration::from_millis(at))).count();
        assert_eq!([kept(0), kept(900), kept(1000), kept(1999), kept(9000)], [20, 0, 20, 0, 20]);
    }
}
