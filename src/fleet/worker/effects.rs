//! The transaction of a kind with effects: fence, effects, commit; and what to do when an answer is missing.

use super::{attempt::panicked, outcome::Attempt, polled::Polled, report, shared::Shared, signal::StopSignal};
use crate::fleet::{
    crash::{self, Point},
    handler::{Applier, ErrorClass, HandlerError},
    job::MessageId,
    ports::{Broker, Completion, Ledger, LedgerError},
};
use futures_util::FutureExt;
use serde_json::Value;
use std::{collections::BTreeSet, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

/// What became of the effects.
pub(super) enum Applied {
    /// Committed with the completion; or refused, because the row was not ours any more. Either way it is over.
    Settled,
    /// The job's own failure; nothing was written.
    Failed(HandlerError),
}

/// Between two tries of a transaction that the ledger asked to repeat or could not take.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn apply<L: Ledger, B: Broker>(
    shared: &Arc<Shared<L, B>>,
    attempt: &Attempt,
    output: Value,
    effects: &Applier<L::Tx>,
    deadline: Duration,
    signal: &StopSignal,
) -> Applied {
    let keep = shared.retention.keeps(&attempt.kind);
    let completion = Completion { id: attempt.id, epoch: attempt.epoch, output, keep };
    let spent = shared.held.spent(std::iter::once(attempt.message));
    let spent_ids: Vec<MessageId> = spent.iter().copied().collect();
    // What may have been deleted, and may not: forgetting it once more does no harm.
    let unsure = BTreeSet::new();
    let ran = attempt.begun.elapsed();
    loop {
        match transaction(shared, &completion, &spent_ids, effects, (deadline, signal)).await {
            Ok(true) => return settle(shared, attempt, &spent, Some(ran)),
            Ok(false) => return settle(shared, attempt, &unsure, None),
            Err(Trouble::Handler(error)) => return Applied::Failed(error),
            Err(Trouble::Ledger(LedgerError::Refused(text))) => {
                return Applied::Failed(HandlerError::retryable(ErrorClass::Database, text));
            }
            Err(Trouble::Ledger(error)) => tracing::debug!(%error, "effects are tried again"),
        }
        sleep(PAUSE).await;
        if is_decided(shared, attempt).await {
            // The commit that gave no answer did happen, or the row went to someone else.
            return settle(shared, attempt, &unsure, Some(ran));
        }
        if shared.held.is_stopped(attempt.row()) {
            shared.held.abandoned(attempt.row(), attempt.message);
            report::fenced(attempt);
            return Applied::Settled;
        }
    }
}

/// `ran`: it is completed.
fn settle<L: Ledger, B: Broker>(
    shared: &Shared<L, B>,
    attempt: &Attempt,
    spent: &BTreeSet<MessageId>,
    ran: Option<Duration>,
) -> Applied {
    shared.held.finished(attempt.row(), attempt.message, spent);
    match ran {
        Some(ran) => report::completed(attempt, ran),
        None => report::fenced(attempt),
    }
    Applied::Settled
}

enum Trouble {
    Handler(HandlerError),
    Ledger(LedgerError),
}

/// True: committed. False: refused by the fence.
async fn transaction<L: Ledger, B: Broker>(
    shared: &Arc<Shared<L, B>>,
    completion: &Completion,
    spent: &[MessageId],
    effects: &Applier<L::Tx>,
    (deadline, signal): (Duration, &StopSignal),
) -> Result<bool, Trouble> {
    let Some(mut tx) = shared.ledger.begin_effects(completion, spent).await.map_err(Trouble::Ledger)? else {
        return Ok(false);
    };
    let effects = Polled::new(effects(&mut tx), signal.clone());
    let applied = timeout(deadline, AssertUnwindSafe(effects).catch_unwind()).await;
    let error = match applied {
        Ok(Ok(Ok(()))) => {
            crash::point(Point::AfterEffectBeforeCommit);
            shared.ledger.commit(tx).await.map_err(Trouble::Ledger)?;
            crash::point(Point::AfterCommit);
            return Ok(true);
        }
        Ok(Ok(Err(error))) => error,
        Ok(Err(panic)) => panicked(&*panic),
        Err(_) => HandlerError::retryable(ErrorClass::Timeout, format!("effects took longer than {deadline:?}")),
    };
    shared.ledger.rollback(tx).await;
    Err(match error {
        HandlerError::DatabaseAway(text) => Trouble::Ledger(LedgerError::Repeat(text)),
        error => Trouble::Handler(error),
    })
}

/// True: the row has left our epoch. An answer that doesn't come decides nothing.
async fn is_decided<L: Ledger, B: Broker>(shared: &Shared<L, B>, attempt: &Attempt) -> bool {
    let (ledger, row) = (shared.ledger.clone(), attempt.row());
    // A connection is driven by the runtime that opened it: the engine's must never depend on a handler's thread.
    let asked = shared.threads.engine().spawn(async move { ledger.still_held(&[row]).await });
    asked.await.is_ok_and(|answer| answer.is_ok_and(|held| !held.contains(&attempt.id)))
}
