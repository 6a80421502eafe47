//! Books verdicts in batches: bounded in size, without a delay when idle (what comes while batches are with the ledger makes
//! up the next), and with backpressure (the channel is bounded, and a slow ledger fills it).

use super::{
    outcome::{Ended, Verdict},
    report,
    shared::Shared,
};
use crate::fleet::{
    crash::{self, Point},
    handler::ErrorClass,
    job::{JobId, MessageId, Pointer, Status},
    ports::{Broker, Completion, DeadLetter, Discard, Failed, Failure, Ledger, LedgerError, LedgerResult, Release},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::mpsc, time::sleep};

/// Batches with the ledger at once: while one waits for the disk, the database works on the other.
const AT_ONCE: usize = 2;
/// Between two tries of a batch. The rows stay ours: the heartbeat renews their lease.
const PAUSE: Duration = Duration::from_millis(200);

/// Runs until every sender is gone and everything is booked.
pub(super) async fn run<L: Ledger, B: Broker>(shared: Arc<Shared<L, B>>, mut ended: mpsc::Receiver<Vec<Ended>>) {
    let (full, mut booking) = (shared.protocol.batch, FuturesUnordered::new());
    // What was handed over together stays together: a message can be deleted by a statement that ends all that is left of
    // it, and by no other.
    let mut batch = Vec::new();
    loop {
        while batch.len() < full
            && let Ok(together) = ended.try_recv()
        {
            batch.extend(together);
        }
        // A further batch only when it is full: many small ones would cost the database more than they save.
        let is_due = if booking.is_empty() { !batch.is_empty() } else { batch.len() >= full };
        if is_due && booking.len() < AT_ONCE {
            booking.push(book_all(&shared, std::mem::take(&mut batch)));
        }
        tokio::select! {
            biased; // a batch that was just made is sent
            Some(()) = booking.next() => {}
            together = ended.recv(), if batch.len() < full => match together {
                Some(together) => batch.extend(together),
                None => break,
            },
        }
    }
    booking.push(book_all(&shared, batch));
    while booking.next().await.is_some() {}
}

async fn book_all<L: Ledger, B: Broker>(shared: &Arc<Shared<L, B>>, batch: Vec<Ended>) {
    let mut groups: [Vec<Ended>; 5] = Default::default();
    for one in batch {
        groups[group_of(shared, &one)].push(one);
    }
    for group in groups.into_iter().filter(|group| !group.is_empty()) {
        book(shared, group).await;
    }
}

fn group_of<L: Ledger, B: Broker>(shared: &Shared<L, B>, one: &Ended) -> usize {
    match one.verdict {
        Verdict::Completed(_) if shared.retention.keeps(one.attempt.kind()) => 0,
        Verdict::Completed(_) => 1,
        Verdict::Failed { .. } => 2,
        Verdict::Released(_) => 3,
        Verdict::Discarded(_) => 4,
    }
}

/// Books verdicts of one group, however often that takes.
async fn book<L: Ledger, B: Broker>(shared: &Arc<Shared<L, B>>, mut group: Vec<Ended>) {
    let spent = shared.held.spent(group.iter().map(|e| e.attempt.message));
    let spent_ids: Vec<MessageId> = spent.iter().copied().collect();
    loop {
        match send(shared, &group, &spent_ids).await {
            Ok(()) => return finish(shared, &group, &spent),
            Err(LedgerError::Refused(text)) if group.len() == 1 => {
                if !matches!(group[0].verdict, Verdict::Completed(_)) {
                    tracing::error!(
                        event = "verdict.refused",
                        error = text,
                        job.id = group[0].attempt.id.0,
                        "a verdict is refused; the job goes back"
                    );
                    let attempt = &group[0].attempt;
                    return shared.held.abandoned(attempt.row(), attempt.message);
                }
                group[0].verdict = refused(text);
            }
            Err(LedgerError::Refused(_)) => {
                // One of them is at fault: book them one by one. The message rows go with whichever comes last.
                for one in group {
                    Box::pin(book(shared, vec![one])).await;
                }
                return;
            }
            Err(error) => {
                tracing::debug!(%error, jobs = group.len(), "verdicts are tried again");
                sleep(PAUSE).await;
                if error.is_unknown() {
                    drop_decided(shared, &mut group).await;
                }
            }
        }
        if group.is_empty() {
            return;
        }
    }
}

fn refused(text: String) -> Verdict {
    let error = format!("the ledger refuses the output: {text}");
    Verdict::Failed { retryable: false, class: ErrorClass::Database, error, delay: Duration::ZERO }
}

/// After an unknown commit: a row that is still at our epoch is repeated, any other is decided.
async fn drop_decided<L: Ledger, B: Broker>(shared: &Shared<L, B>, group: &mut Vec<Ended>) {
    let rows: Vec<Pointer> = group.iter().map(|e| e.attempt.row()).collect();
    let Ok(held) = shared.ledger.still_held(&rows).await else { return };
    let (still, decided): (Vec<_>, Vec<_>) = group.drain(..).partition(|e| held.contains(&e.attempt.id));
    *group = still;
    // Nothing is reported: the lost answer said whether they were booked, and as what. Nor whether their messages are
    // deleted: forgetting them once more does no harm.
    finish(shared, &decided, &BTreeSet::new());
}

fn finish<L: Ledger, B: Broker>(shared: &Shared<L, B>, group: &[Ended], spent: &BTreeSet<MessageId>) {
    for one in group {
        shared.held.finished(one.attempt.row(), one.attempt.message, spent);
    }
}

async fn send<L: Ledger, B: Broker>(
    shared: &Arc<Shared<L, B>>,
    group: &[Ended],
    spent: &[MessageId],
) -> LedgerResult<()> {
    let ledger = &shared.ledger;
    match group[0].verdict {
        Verdict::Completed(_) => {
            let keep = shared.retention.keeps(group[0].attempt.kind());
            let batch: Vec<Completion> = group.iter().filter_map(|one| completion(one, keep)).collect();
            let booked = ledger.complete(&batch, spent).await?;
            crash::point(Point::AfterCompletion);
            tell(group, &booked, report::completed_batch);
        }
        Verdict::Failed { .. } => {
            let batch: Vec<Failure> = group.iter().filter_map(failure).collect();
            let failed = ledger.fail(&batch, spent).await?;
            after_failures(shared, group, &failed);
        }
        Verdict::Released(_) => {
            let batch: Vec<Release> = group.iter().filter_map(release).collect();
            tell(group, &ledger.release(&batch, spent).await?, report::released);
        }
        Verdict::Discarded(_) => {
            let batch: Vec<Discard> = group.iter().filter_map(discard).collect();
            tell(group, &ledger.discard(&batch, spent).await?, report::discarded);
        }
    }
    Ok(())
}

fn tell(group: &[Ended], booked: &HashSet<JobId>, report: fn(&Ended)) {
    for one in group {
        if booked.contains(&one.attempt.id) {
            report(one);
        } else {
            report::fenced(&one.attempt);
        }
    }
}

fn after_failures<L: Ledger, B: Broker>(shared: &Arc<Shared<L, B>>, group: &[Ended], failed: &[Failed]) {
    for one in group {
        let Some(after) = failed.iter().find(|f| f.id == one.attempt.id) else {
            report::fenced(&one.attempt);
            continue;
        };
        report::failed(one, after);
        if after.status == Status::DeadLetter {
            crash::point(Point::AfterDeadCommit);
            let (shared_in, copy, generation) = (shared.clone(), copy_of(one, after), after.generation);
            shared.tasks.spawn(async move { shared_in.publish_dead(copy, generation).await });
        }
    }
}

fn copy_of(one: &Ended, after: &Failed) -> DeadLetter {
    let (class, error) = match &one.verdict {
        Verdict::Failed { class, error, .. } => (class.as_str(), error.as_str()),
        _ => ("", ""),
    };
    DeadLetter {
        id: after.id,
        epoch: after.epoch,
        kind: one.attempt.kind().to_owned(),
        lane: one.attempt.lane.clone(),
        error_class: class.to_owned(),
        error: error.to_owned(),
        failures: after.failures,
        losses: one.attempt.losses,
        priority: after.priority,
        max_attempts: one.attempt.max_attempts,
        trace_id: one.attempt.trace_id,
    }
}

fn completion(one: &Ended, keep: bool) -> Option<Completion> {
    let Verdict::Completed(output) = &one.verdict else { return None };
    Some(Completion { id: one.attempt.id, epoch: one.attempt.epoch, output: output.clone(), keep })
}

fn failure(one: &Ended) -> Option<Failure> {
    let Verdict::Failed { retryable, class, error, delay } = &one.verdict else { return None };
    Some(Failure {
        id: one.attempt.id,
        epoch: one.attempt.epoch,
        retryable: *retryable,
        class: *class,
        error: error.clone(),
        delay: *delay,
    })
}

fn release(one: &Ended) -> Option<Release> {
    let Verdict::Released(hold) = &one.verdict else { return None };
    Some(Release { id: one.attempt.id, epoch: one.attempt.epoch, hold: hold.clone() })
}

fn discard(one: &Ended) -> Option<Discard> {
    let Verdict::Discarded(reason) = &one.verdict else { return None };
    Some(Discard { id: one.attempt.id, epoch: one.attempt.epoch, reason: reason.clone() })
}
