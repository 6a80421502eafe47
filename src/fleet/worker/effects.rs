//! The transaction of kinds with effects: fence, effects, commit; and what to do when an answer is missing.
//!
//! The jobs of one message are written together as long as all goes well. At the first trouble nothing of it stands, and
//! each has a transaction of its own: an error is one job's and no one else's.

use super::{
    attempt::{Judge, panicked},
    outcome::{Attempt, Ended},
    polled::Polled,
    report,
    shared::Shared,
    signal::StopSignal,
};
use crate::fleet::{
    crash::{self, Point},
    handler::{Applier, ErrorClass, HandlerError},
    job::{JobId, MessageId},
    ports::{Broker, Completion, Ledger, LedgerError},
};
use futures_util::FutureExt;
use std::{
    collections::{BTreeSet, HashSet},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};
use tracing::{Instrument, Span};

/// An attempt whose handler ended well and whose effects are not written yet.
pub(super) struct Pending<Tx> {
    pub(super) attempt: Attempt,
    pub(super) completion: Completion,
    pub(super) effects: Applier<Tx>,
    /// How long its handler ran.
    pub(super) ran: Duration,
    /// Of its effects.
    pub(super) deadline: Duration,
    pub(super) signal: StopSignal,
    pub(super) judge: Judge,
    pub(super) span: Span,
}

/// Between two tries of a transaction that the ledger asked to repeat or could not take.
const PAUSE: Duration = Duration::from_millis(100);
/// For the effects of a message that was sent with 50 ms of work. What they lock, others wait for.
const TOGETHER: Duration = Duration::from_secs(1);

/// Writes these effects, however often that takes. Those that failed, for the completer.
pub(super) async fn apply<L: Ledger, B: Broker>(
    shared: &Arc<Shared<L, B>>,
    mut pending: Vec<Box<Pending<L::Tx>>>,
) -> Vec<Ended> {
    let mut failed = Vec::new();
    while let Some(first) = pending.pop() {
        // A statement keeps what it completes, or it doesn't.
        let keep = first.completion.keep;
        let mut group: Vec<_> = pending.extract_if(.., |one| one.completion.keep == keep).collect();
        group.push(first);
        let is_unsure = match together(shared, &group).await {
            Together::Settled => continue,
            Together::Apart { is_unsure } => is_unsure,
        };
        for one in group {
            let span = one.span.clone();
            failed.extend(alone(shared, *one, is_unsure).instrument(span).await);
        }
    }
    failed
}

enum Together {
    Settled,
    /// Each for itself. Unsure: a commit gave no answer.
    Apart {
        is_unsure: bool,
    },
}

async fn together<L: Ledger, B: Broker>(shared: &Arc<Shared<L, B>>, group: &[Box<Pending<L::Tx>>]) -> Together {
    if group.len() == 1 {
        return Together::Apart { is_unsure: false };
    }
    let group: Vec<&Pending<L::Tx>> = group.iter().map(AsRef::as_ref).collect();
    match write(shared, &group, TOGETHER).await {
        Ok(()) => Together::Settled,
        Err(trouble) => {
            tracing::debug!(jobs = group.len(), ?trouble, "effects are written one by one");
            Together::Apart { is_unsure: matches!(trouble, Trouble::Ledger(error) if error.is_unknown()) }
        }
    }
}

/// None: it is settled. `is_unsure`: it may have been committed already.
async fn alone<L: Ledger, B: Broker>(
    shared: &Arc<Shared<L, B>>,
    pending: Pending<L::Tx>,
    mut is_unsure: bool,
) -> Option<Ended> {
    let error = loop {
        if is_unsure {
            sleep(PAUSE).await;
            if is_settled(shared, &pending).await {
                return None;
            }
        }
        match write(shared, &[&pending], pending.deadline).await {
            Ok(()) => return None,
            Err(Trouble::Handler(error)) => break error,
            Err(Trouble::Ledger(LedgerError::Refused(text))) => {
                break HandlerError::retryable(ErrorClass::Database, text);
            }
            Err(Trouble::Ledger(error)) => tracing::debug!(%error, "effects are tried again"),
        }
        is_unsure = true;
    };
    let Pending { attempt, judge, ran, .. } = pending;
    Some(Ended { attempt, verdict: judge.verdict(error), ran })
}

/// Whether nothing is left to do after a transaction without an answer: the commit did happen, or the row is someone else's.
async fn is_settled<L: Ledger, B: Broker>(shared: &Arc<Shared<L, B>>, pending: &Pending<L::Tx>) -> bool {
    let attempt = &pending.attempt;
    if is_decided(shared, attempt).await {
        // What may have been deleted, and may not: forgetting it once more does no harm.
        shared.held.finished(attempt.row(), attempt.message, &BTreeSet::new());
        report::completed(attempt, pending.ran);
        return true;
    }
    let is_stopped = shared.held.is_stopped(attempt.row());
    if is_stopped {
        shared.held.abandoned(attempt.row(), attempt.message);
        report::fenced(attempt);
    }
    is_stopped
}

#[derive(Debug)]
enum Trouble {
    Handler(HandlerError),
    Ledger(LedgerError),
}

/// One transaction. When it commits, or the fence refuses all, these attempts are over; an error leaves nothing written.
async fn write<L: Ledger, B: Broker>(
    shared: &Arc<Shared<L, B>>,
    group: &[&Pending<L::Tx>],
    limit: Duration,
) -> Result<(), Trouble> {
    let spent = shared.held.spent(group.iter().map(|one| one.attempt.message));
    let spent_ids: Vec<MessageId> = spent.iter().copied().collect();
    let batch: Vec<&Completion> = group.iter().map(|one| &one.completion).collect();
    let (mut tx, ours) = shared.ledger.begin_effects(&batch, &spent_ids).await.map_err(Trouble::Ledger)?;
    if ours.is_empty() {
        shared.ledger.rollback(tx).await;
        settle(shared, group, &ours, &BTreeSet::new());
        return Ok(());
    }
    let until = Instant::now() + limit;
    for one in group.iter().filter(|one| ours.contains(&one.attempt.id)) {
        let begun = Instant::now();
        let written = run(one, &mut tx, until).instrument(one.span.clone()).await;
        // Without the wait for a connection, which would make a short job look long when many wait.
        shared.run_times.record(&one.attempt.kind, one.ran + begun.elapsed());
        if let Err(error) = written {
            shared.ledger.rollback(tx).await;
            return Err(match error {
                HandlerError::DatabaseAway(text) => Trouble::Ledger(LedgerError::Repeat(text)),
                error => Trouble::Handler(error),
            });
        }
    }
    crash::point(Point::AfterEffectBeforeCommit);
    shared.ledger.commit(tx).await.map_err(Trouble::Ledger)?;
    crash::point(Point::AfterCommit);
    settle(shared, group, &ours, &spent);
    Ok(())
}

async fn run<Tx>(pending: &Pending<Tx>, tx: &mut Tx, until: Instant) -> Result<(), HandlerError> {
    let effects = Polled::new((pending.effects)(tx), pending.signal.clone());
    let left = until.saturating_duration_since(Instant::now());
    match timeout(left, AssertUnwindSafe(effects).catch_unwind()).await {
        Ok(Ok(written)) => written,
        Ok(Err(panic)) => Err(panicked(&*panic)),
        Err(_) => {
            let deadline = pending.deadline;
            Err(HandlerError::retryable(ErrorClass::Timeout, format!("effects took longer than {deadline:?}")))
        }
    }
}

/// `ours`: those that are completed; the fence refused the others.
fn settle<L: Ledger, B: Broker>(
    shared: &Shared<L, B>,
    group: &[&Pending<L::Tx>],
    ours: &HashSet<JobId>,
    spent: &BTreeSet<MessageId>,
) {
    for one in group {
        let attempt = &one.attempt;
        shared.held.finished(attempt.row(), attempt.message, spent);
        if ours.contains(&attempt.id) {
            report::completed(attempt, one.ran);
        } else {
            report::fenced(attempt);
        }
    }
}

/// True: the row has left our epoch. An answer that doesn't come decides nothing.
async fn is_decided<L: Ledger, B: Broker>(shared: &Shared<L, B>, attempt: &Attempt) -> bool {
    let (ledger, row) = (shared.ledger.clone(), attempt.row());
    // A connection is driven by the runtime that opened it: the engine's must never depend on a handler's thread.
    let asked = shared.threads.engine().spawn(async move { ledger.still_held(&[row]).await });
    asked.await.is_ok_and(|answer| answer.is_ok_and(|held| !held.contains(&attempt.id)))
}
