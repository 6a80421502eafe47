//! One attempt of one job: deadline, panic, stop signal.

use super::{
    effects::Pending,
    meters::Meters,
    outcome::{Attempt, Ended, Verdict},
    polled::Polled,
    report,
    shared::Shared,
    signal::{Stop, StopSignal},
};
use crate::{
    fleet::{
        crash::{self, Point},
        draw::draw,
        handler::{Applier, Component, Context, Erased, ErrorClass, HandlerError, RunOutput},
        job::Hold,
        ports::{Broker, Claimed, Completion, Ledger, ReleaseHold},
        retry::{MAX_DELAY, RetryPolicy},
    },
    telemetry::within_trace,
};
use serde_json::Value;
use std::{any::Any, sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use tracing::{Instrument, Span};

/// What is left to do after an attempt.
pub(super) enum Ran<Tx> {
    /// The completer books it.
    Ended(Ended),
    /// Its effects are to be written, and the completion with them.
    Pending(Box<Pending<Tx>>),
    /// The lease is lost: nobody is to be told.
    Lost,
}

/// Runs a claimed job to its end.
#[must_use = "a verdict that nobody hands over is never booked"]
pub(super) async fn run<L: Ledger, B: Broker>(
    shared: &Arc<Shared<L, B>>,
    job: Claimed,
    signal: StopSignal,
) -> Ran<L::Tx> {
    let Some(handler) = shared.registry.get(&job.kind).cloned() else {
        return Ran::Ended(release_unknown(&job, &shared.meters));
    };
    let attempt = Attempt::of(&job, handler.meta().component, &shared.meters);
    report::started(&attempt);
    let judge = Judge::of(&job, handler.meta().retry);
    let deadline = handler.meta().timeout.min(shared.protocol.job_timeout);
    let trace = job.trace_id.map(|id| tracing::field::display(id.simple()));
    let span = tracing::info_span!(
        "job",
        job.id = job.id.0,
        job.kind = job.kind,
        job.lane = job.lane,
        attempt = attempt.number,
        trace_id = trace
    );
    let end = attend(shared, &handler, job, (&attempt, deadline, &span), &signal).await;
    let ran = attempt.begun.elapsed();
    let verdict = match end {
        End::Output(output, None) => Verdict::Completed(output),
        End::Output(output, Some(effects)) => {
            let keep = shared.retention.keeps(attempt.kind());
            let completion = Completion { id: attempt.id, epoch: attempt.epoch, output, keep };
            let pending = Pending { attempt, completion, effects, ran, deadline, signal, judge, span };
            return Ran::Pending(Box::new(pending));
        }
        End::Error(error) => judge.verdict(error),
        End::Stopped(stop) => match stopped(shared, &attempt, stop) {
            Some(verdict) => verdict,
            None => return Ran::Lost,
        },
    };
    if matches!(verdict, Verdict::Completed(_) | Verdict::Failed { .. }) {
        shared.run_times.record(attempt.kind(), ran);
    }
    Ran::Ended(Ended { attempt, verdict, ran })
}

/// None: the lease is lost, and nobody is to be told.
pub(super) fn stopped<L: Ledger, B: Broker>(shared: &Shared<L, B>, attempt: &Attempt, stop: Stop) -> Option<Verdict> {
    match stop {
        Stop::Shutdown => Some(Verdict::Released(None)),
        Stop::Cancelled => Some(Verdict::Discarded("cancelled by an operator".to_owned())),
        Stop::Lost => {
            shared.held.abandoned(attempt.row(), attempt.message);
            report::lost(attempt);
            None
        }
    }
}

/// A kind that this worker doesn't know came by a stale message or after an upgrade.
fn release_unknown(job: &Claimed, meters: &Meters) -> Ended {
    give_back(job, meters, Some(ReleaseHold { hold: Hold::UnknownKind, key: Some(job.kind.clone()), delay: None }))
}

/// Back without cost, and without a run.
pub(super) fn give_back(job: &Claimed, meters: &Meters, hold: Option<ReleaseHold>) -> Ended {
    let attempt = Attempt::of(job, Component::Worker, meters);
    report::started(&attempt);
    let ran = attempt.begun.elapsed();
    Ended { attempt, verdict: Verdict::Released(hold), ran }
}

/// How a handler ended.
enum End<Tx> {
    /// Well. With effects: they are still to be written.
    Output(Value, Option<Applier<Tx>>),
    Error(HandlerError),
    /// It was told to stop.
    Stopped(Stop),
}

async fn attend<L: Ledger, B: Broker>(
    shared: &Arc<Shared<L, B>>,
    handler: &Arc<dyn Erased<L::Tx>>,
    job: Claimed,
    (attempt, deadline, span): (&Attempt, Duration, &Span),
    signal: &StopSignal,
) -> End<L::Tx> {
    // It may have waited behind others of its message.
    if let Some(stop) = signal.reason() {
        return End::Stopped(stop);
    }
    let ctx = context(&job, signal);
    let trace = super::span::of(ctx.trace_id, attempt.row());
    let args = match job.args {
        Ok(args) => args,
        Err(reason) => {
            let message = format!("the arguments can't be read: {reason}");
            return End::Error(HandlerError::non_retryable(ErrorClass::InvalidArgs, message));
        }
    };
    signal.runs(handler.meta().kind);
    crash::point(Point::MidHandler);
    let polled = Polled::new(handler.run(args, job.args_version, ctx), signal.clone());
    let mut running = tokio::spawn(within_trace(trace, polled).instrument(span.clone()));
    let finish = supervise(&mut running, deadline, signal).await;
    shared.followed.follow(&shared.threads, running, attempt);
    crash::point(Point::AfterHandler);
    match finish {
        Finish::Ran(Ok(RunOutput { output, apply })) => End::Output(output, apply),
        Finish::Ran(Err(error)) => End::Error(error),
        Finish::Stopped(stop) => End::Stopped(stop),
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

/// What an error of this attempt means for the job.
pub(super) struct Judge {
    policy: RetryPolicy,
    /// Before this attempt.
    failures: i16,
    /// For the jitter, in [0, 1).
    random: f64,
}

impl Judge {
    fn of(job: &Claimed, policy: RetryPolicy) -> Self {
        Self { policy, failures: job.failures, random: draw(job.id.0, job.epoch.into()) }
    }

    pub(super) fn verdict(&self, error: HandlerError) -> Verdict {
        match error {
            HandlerError::Retryable { class, message, after } => {
                let delay = self.policy.delay(self.failures.saturating_add(1), self.random, after);
                Verdict::Failed { retryable: true, class, error: message, delay }
            }
            HandlerError::NonRetryable { class, message } => {
                Verdict::Failed { retryable: false, class, error: message, delay: Duration::ZERO }
            }
            HandlerError::DatabaseAway(_) => released_for(AWAY),
            HandlerError::Snooze(delay) => released_for(delay.min(MAX_DELAY)),
            HandlerError::Held { hold, key } => {
                Verdict::Released(Some(ReleaseHold { hold, key: Some(key), delay: None }))
            }
            HandlerError::HeldFor { hold, key, after } => {
                Verdict::Released(Some(ReleaseHold { hold, key: Some(key), delay: Some(after.min(MAX_DELAY)) }))
            }
            HandlerError::Discard(reason) => Verdict::Discarded(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_become_verdicts() {
        let judge = Judge { policy: RetryPolicy::default(), failures: 0, random: 0.5 };
        let after = Duration::from_secs(3600);
        let limited = HandlerError::retryable_after(ErrorClass::RateLimited, "slow down", after);
        let Verdict::Failed { retryable: true, delay, .. } = judge.verdict(limited) else { panic!("a failure") };
        assert!(delay >= after);
        let gone = HandlerError::non_retryable(ErrorClass::NotFound, "404");
        assert!(matches!(judge.verdict(gone), Verdict::Failed { retryable: false, .. }));
        let snooze = judge.verdict(HandlerError::Snooze(after));
        assert!(matches!(snooze, Verdict::Released(Some(ReleaseHold { hold: Hold::Scheduled, .. }))));
        let held = HandlerError::HeldFor { hold: Hold::Budget, key: "day".into(), after: MAX_DELAY * 2 };
        let hold = ReleaseHold { hold: Hold::Budget, key: Some("day".into()), delay: Some(MAX_DELAY) };
        assert_eq!(judge.verdict(held), Verdict::Released(Some(hold)));
        assert_eq!(judge.verdict(HandlerError::Discard("old".into())), Verdict::Discarded("old".into()));
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
