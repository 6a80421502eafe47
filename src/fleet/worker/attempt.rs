//! One attempt of one job: deadline, panic, stop signal, effects.

use super::{
    effects::{Applied, apply},
    outcome::{Attempt, Ended, Verdict},
    polled::Polled,
    report,
    shared::Shared,
    signal::{Stop, StopSignal},
};
use crate::fleet::{
    crash::{self, Point},
    draw::draw,
    handler::{Component, Context, Erased, ErrorClass, HandlerError, RunOutput},
    job::Hold,
    ports::{Broker, Claimed, Ledger, ReleaseHold},
    retry::{MAX_DELAY, RetryPolicy},
};
use std::{any::Any, sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use tracing::Instrument;

/// Runs a claimed job to its end: the verdict, for the completer. An attempt whose lease is lost, or whose transaction told
/// the ledger already, has none.
#[must_use = "a verdict that nobody hands over is never booked"]
pub(super) async fn run<L: Ledger, B: Broker>(
    shared: &Arc<Shared<L, B>>,
    job: Claimed,
    signal: StopSignal,
) -> Option<Ended> {
    let Some(handler) = shared.registry.get(&job.kind).cloned() else {
        return Some(release_unknown(&job));
    };
    let attempt = Attempt::of(&job, handler.meta().component);
    report::started(&attempt);
    let span = tracing::info_span!("job", job.id = job.id.0, job.kind = %job.kind, job.lane = %job.lane, attempt = attempt.number);
    let verdict = attend(shared, &handler, job, &attempt, &signal).instrument(span).await;
    if matches!(verdict, End::Settled | End::Verdict(Verdict::Completed(_) | Verdict::Failed { .. })) {
        shared.run_times.record(&attempt.kind, attempt.begun.elapsed());
    }
    match verdict {
        End::Verdict(verdict) => Some(ended(attempt, verdict)),
        End::Settled => None,
        End::Abandoned => {
            shared.held.abandoned(attempt.row(), attempt.message);
            report::lost(&attempt);
            None
        }
    }
}

/// What is left to do after an attempt.
enum End {
    /// The ledger is still to be told.
    Verdict(Verdict),
    /// Its transaction told it.
    Settled,
    /// The row is no longer ours: nothing is to be told.
    Abandoned,
}

fn ended(attempt: Attempt, verdict: Verdict) -> Ended {
    let ran = attempt.begun.elapsed();
    Ended { attempt, verdict, ran }
}

/// A kind that this worker doesn't know came by a stale message or after an upgrade.
fn release_unknown(job: &Claimed) -> Ended {
    give_back(job, Some(ReleaseHold { hold: Hold::UnknownKind, key: Some(job.kind.clone()), delay: None }))
}

/// Back without cost, and without a run.
pub(super) fn give_back(job: &Claimed, hold: Option<ReleaseHold>) -> Ended {
    let attempt = Attempt::of(job, Component::Worker);
    report::started(&attempt);
    ended(attempt, Verdict::Released(hold))
}

async fn attend<L: Ledger, B: Broker>(
    shared: &Arc<Shared<L, B>>,
    handler: &Arc<dyn Erased<L::Tx>>,
    job: Claimed,
    attempt: &Attempt,
    signal: &StopSignal,
) -> End {
    // It may have waited behind others of its message.
    if let Some(stop) = signal.reason() {
        return stopped(stop);
    }
    let meta = handler.meta().clone();
    let ctx = context(&job, signal);
    let (failures, row) = (job.failures, attempt.row());
    let draw = draw(row.id().0, row.epoch().into());
    let args = match job.args {
        Ok(args) => args,
        Err(reason) => {
            let message = format!("the arguments can't be read: {reason}");
            let error = HandlerError::non_retryable(ErrorClass::InvalidArgs, message);
            return End::Verdict(verdict(&meta.retry, failures, draw, error));
        }
    };
    signal.runs(meta.kind);
    crash::point(Point::MidHandler);
    let polled = Polled::new(handler.run(args, job.args_version, ctx), signal.clone());
    let mut running = tokio::spawn(polled.in_current_span());
    let deadline = meta.timeout.min(shared.protocol.job_timeout);
    let finish = supervise(&mut running, deadline, signal).await;
    shared.followed.follow(&shared.threads, running, attempt);
    crash::point(Point::AfterHandler);
    let error = match finish {
        Finish::Ran(Ok(RunOutput { output, apply: None })) => return End::Verdict(Verdict::Completed(output)),
        Finish::Ran(Ok(RunOutput { output, apply: Some(effects) })) => {
            match apply(shared, attempt, output, &effects, deadline, signal).await {
                Applied::Settled => return End::Settled,
                Applied::Failed(error) => error,
            }
        }
        Finish::Ran(Err(error)) => error,
        Finish::Stopped(stop) => return stopped(stop),
    };
    End::Verdict(verdict(&meta.retry, failures, draw, error))
}

fn stopped(stop: Stop) -> End {
    match stop {
        Stop::Lost => End::Abandoned,
        Stop::Shutdown => End::Verdict(Verdict::Released(None)),
        Stop::Cancelled => End::Verdict(Verdict::Discarded("cancelled by an operator".to_owned())),
    }
}

fn context(job: &Claimed, signal: &StopSignal) -> Context {
    Context {
        job: job.id,
        epoch: job.epoch,
        attempt: job.failures.saturating_add(1),
        parent: job.parent,
        priority: job.priority,
        trace_id: job.trace_id,
        token: signal.token.clone(),
    }
}

enum Finish<T> {
    Ran(Result<T, HandlerError>),
    Stopped(Stop),
}

/// The handler has a task of its own: its panic is caught there, and one that never yields can't hold the slot.
async fn supervise<T>(
    running: &mut JoinHandle<Result<T, HandlerError>>,
    deadline: Duration,
    signal: &StopSignal,
) -> Finish<T> {
    tokio::select! {
        biased;
        result = &mut *running => Finish::Ran(match result {
            Ok(result) => result,
            Err(e) if e.is_panic() => Err(panicked(&*e.into_panic())),
            Err(e) => Err(HandlerError::retryable(ErrorClass::Other, format!("the attempt was aborted: {e}"))),
        }),
        () = signal.token.cancelled() => {
            running.abort();
            Finish::Stopped(signal.reason().unwrap_or(Stop::Lost))
        }
        () = tokio::time::sleep(deadline) => {
            // The token first: what the handler started elsewhere learns of the end.
            signal.token.cancel();
            running.abort();
            Finish::Ran(Err(timed_out(deadline)))
        }
    }
}

fn timed_out(deadline: Duration) -> HandlerError {
    HandlerError::retryable(ErrorClass::Timeout, format!("no result within the deadline of {deadline:?}"))
}

/// A panic's text, as `panic!` gives it.
pub(super) fn panicked(payload: &(dyn Any + Send)) -> HandlerError {
    let text = payload
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    HandlerError::retryable(ErrorClass::Panic, format!("the handler panicked: {text}"))
}

/// A job that could not read the database waits for so long; the ledger is in the same trouble, most likely.
const AWAY: Duration = Duration::from_secs(2);

fn released_for(delay: Duration) -> Verdict {
    Verdict::Released(Some(ReleaseHold { hold: Hold::Scheduled, key: None, delay: Some(delay) }))
}

fn verdict(policy: &RetryPolicy, failures: i16, random: f64, error: HandlerError) -> Verdict {
    match error {
        HandlerError::Retryable { class, message, after } => {
            let delay = policy.delay(failures.saturating_add(1), random, after);
            Verdict::Failed { retryable: true, class, error: message, delay }
        }
        HandlerError::NonRetryable { class, message } => {
            Verdict::Failed { retryable: false, class, error: message, delay: Duration::ZERO }
        }
        HandlerError::DatabaseAway(_) => released_for(AWAY),
        HandlerError::Snooze(delay) => released_for(delay.min(MAX_DELAY)),
        HandlerError::Discard(reason) => Verdict::Discarded(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_become_verdicts() {
        let policy = RetryPolicy::default();
        let after = Duration::from_secs(3600);
        let limited = HandlerError::retryable_after(ErrorClass::RateLimited, "slow down", after);
        let Verdict::Failed { retryable: true, delay, .. } = verdict(&policy, 0, 0.5, limited) else {
            panic!("a failure")
        };
        assert!(delay >= after);
        let gone = HandlerError::non_retryable(ErrorClass::NotFound, "404");
        assert!(matches!(verdict(&policy, 0, 0.5, gone), Verdict::Failed { retryable: false, .. }));
        let snooze = verdict(&policy, 0, 0.5, HandlerError::Snooze(after));
        assert!(matches!(snooze, Verdict::Released(Some(ReleaseHold { hold: Hold::Scheduled, .. }))));
        assert_eq!(verdict(&policy, 0, 0.5, HandlerError::Discard("old".into())), Verdict::Discarded("old".into()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_a_deadline_and_a_signal_end_the_wait() {
        let mut boom = tokio::spawn(async { if true { panic!("boom") } else { Ok(()) } });
        let finish = supervise(&mut boom, Duration::from_secs(1), &StopSignal::default()).await;
        assert!(
            matches!(finish, Finish::Ran(Err(HandlerError::Retryable { class: ErrorClass::Panic, message, .. })) if message.contains("boom"))
        );

        let never = || tokio::spawn(std::future::pending::<Result<(), HandlerError>>());
        let late = supervise(&mut never(), Duration::from_secs(1), &StopSignal::default()).await;
        assert!(matches!(late, Finish::Ran(Err(HandlerError::Retryable { class: ErrorClass::Timeout, .. }))));

        let signal = StopSignal::default();
        signal.stop(Stop::Cancelled);
        signal.stop(Stop::Lost);
        assert!(matches!(
            supervise(&mut never(), Duration::from_secs(1), &signal).await,
            Finish::Stopped(Stop::Cancelled)
        ));
    }
}
