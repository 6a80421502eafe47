//! The transaction of kinds with effects: fence, effects, commit; and what to do when an answer is missing.
//!
//! The jobs of one message are written together as long as all goes well. At the first trouble nothing of it stands, and
//! each has a transaction of its own: an error is one job's and no one else's.

use super::{
    attempt::{Judge, panicked, stopped},
    outcome::{Attempt, Ended},
    polled::Polled,
    report,
    shared::Shared,
    signal::{Stop, StopSignal},
};
use crate::fleet::{
    crash::{self, Point},
    handler::{Applier, ErrorClass, HandlerError},
    job::{JobId, MessageId},
    ports::{Broker, Completion, Ledger, LedgerError},
};
use futures_util::{
    FutureExt,
    stream::{self, StreamExt},
};
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

/// Of a message that fell apart, so many are written at once: one that waits holds up few of the others.
const APART: usize = 8;

/// Writes these effects, however often that takes.
pub(super) async fn apply<L: Ledger, B: Broker>(shared: &Arc<Shared<L, B>>, pending: Vec<Pending<L::Tx>>) {
    // A statement keeps what it completes, or it doesn't.
    let (kept, others): (Vec<_>, Vec<_>) = pending.into_iter().partition(|one| one.completion.keep);
    for group in [kept, others] {
        let is_unsure = match together(shared, &group).await {
            Together::Settled => continue,
            Together::Apart { is_unsure } => is_unsure,
        };
        let waited = group.len() > 1;
        let apart = |one: Pending<L::Tx>| {
            let span = one.span.clone();
            let written = async move {
                let verdict = match one.signal.reason().filter(|_| waited && !is_unsure) {
                    Some(stop) => given_up(shared, one, stop),
                    None => alone(shared, one, is_unsure).await,
                };
                shared.hand_over(verdict.into_iter().collect()).await;
            };
            written.instrument(span)
        };
        stream::iter(group).for_each_concurrent(APART, apart).await;
    }
}

enum Together {
    Settled,
    /// Each for itself. Unsure: a commit gave no answer.
    Apart {
        is_unsure: bool,
    },
}

async fn together<L: Ledger, B: Broker>(shared: &Arc<Shared<L, B>>, group: &[Pending<L::Tx>]) -> Together {
    if group.len() < 2 || group.iter().any(|one| one.signal.reason().is_some()) {
        return Together::Apart { is_unsure: false };
    }
    let group: Vec<&Pending<L::Tx>> = group.iter().collect();
    match write(shared, &group, TOGETHER).await {
        Ok(()) => Together::Settled,
        Err(trouble) => {
            tracing::debug!(jobs = group.len(), ?trouble, "effects are written one by one");
            Together::Apart { is_unsure: matches!(trouble, Trouble::Ledger(error) if error.is_unknown()) }
        }
    }
}

/// It was told to stop while it waited for others of its message.
fn given_up<L: Ledger, B: Broker>(shared: &Shared<L, B>, pending: Pending<L::Tx>, stop: Stop) -> Option<Ended> {
    let verdict = stopped(shared, &pending.attempt, stop)?;
    Some(Ended { attempt: pending.attempt, verdict, ran: pending.ran })
}

/// The verdict, if it isn't settled. `is_unsure`: it may have been committed already.
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
    let Pending { attempt, judge, .. } = pending;
    let ran = attempt.begun.elapsed();
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
    let (until, mut times) = (Instant::now() + limit, Vec::with_capacity(ours.len()));
    for one in group.iter().filter(|one| ours.contains(&one.attempt.id)) {
        let begun = Instant::now();
        let written = run(one, &mut tx, until).instrument(one.span.clone()).await;
        times.push((one.attempt.kind(), one.ran + begun.elapsed()));
        if let Err(error) = written {
            shared.ledger.rollback(tx).await;
            // Of several, each is measured when it is written apart.
            if group.len() == 1 {
                record(shared, &times, Duration::ZERO);
            }
            return Err(match error {
                HandlerError::DatabaseAway(text) => Trouble::Ledger(LedgerError::Repeat(text)),
                error => Trouble::Handler(error),
            });
        }
    }
    crash::point(Point::AfterEffectBeforeCommit);
    let begun = Instant::now();
    shared.ledger.commit(tx).await.map_err(Trouble::Ledger)?;
    crash::point(Point::AfterCommit);
    record(shared, &times, begun.elapsed());
    settle(shared, group, &ours, &spent);
    Ok(())
}

/// How long each job took, with its share of the commit. Without the wait for a connection, which would make short jobs look
/// long when many wait.
fn record<L: Ledger, B: Broker>(shared: &Shared<L, B>, times: &[(&str, Duration)], commit: Duration) {
    let share = commit / u32::try_from(times.len()).unwrap_or(u32::MAX).max(1);
    times.iter().for_each(|(kind, time)| shared.run_times.record(kind, *time + share));
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
