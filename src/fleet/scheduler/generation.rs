//! The broker's generation: a durable exchange that vanishes with the broker's data.

use crate::fleet::{
    crash::{self, Point},
    ports::{Broker, Ledger, LedgerResult},
};

/// The generation that ledger and broker agree on. None: unknown at the moment, so nothing may be concluded from it.
///
/// A broker without the exchange of the ledger's generation was wiped (or is new): the exchange of the next one is declared,
/// then the ledger follows by compare-and-set. R2 brings back what was in flight.
pub(super) async fn agree<L: Ledger, B: Broker>(ledger: &L, broker: &B) -> LedgerResult<Option<i32>> {
    let known = ledger.generation().await?;
    if !broker.can_publish() {
        return Ok(None);
    }
    if known > 0 {
        match broker.has_generation(known).await {
            Ok(true) => return Ok(Some(known)),
            Ok(false) => {}
            Err(error) => {
                tracing::debug!(%error, "the broker's generation is unknown");
                return Ok(None);
            }
        }
    }
    let next = known + 1;
    if let Err(error) = broker.declare_generation(next).await {
        tracing::debug!(%error, "the next generation is not declared");
        return Ok(None);
    }
    crash::point(Point::BeforeGenerationMark);
    if ledger.advance_generation(known).await? {
        if known > 0 {
            tracing::warn!(
                event = "broker.wiped",
                generation = next,
                "the broker lost its data: what was in flight is published again"
            );
        }
        return Ok(Some(next));
    }
    // Another scheduler was first; the next look agrees with it.
    Ok(None)
}
