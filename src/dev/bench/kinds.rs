//! The kinds of jobs of a bench.

use super::tally::Tally;
use crate::{
    db::Statements,
    fleet::{
        handler::{Context, Effects, ErrorClass, Handler, HandlerError, Registry},
        ledger::PgTx,
        retry::RetryPolicy,
    },
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// Arguments of some 200 bytes: what a job of the domain has.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BenchArgs {
    /// How long it sleeps.
    pub(super) ms: u64,
    /// Whether its first attempt fails.
    pub(super) fails: bool,
    pub(super) text: String,
}

/// A wait of no time would still last until the timer's next tick.
async fn pause(ms: u64) {
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// Ends at once.
pub(super) struct Noop(pub(super) Arc<Tally>);

impl Handler for Noop {
    type Args = BenchArgs;
    type Output = ();
    const KIND: &'static str = "bench.noop";

    async fn run(&self, _args: BenchArgs, ctx: Context) -> Result<(), HandlerError> {
        self.0.started(ctx.job);
        self.0.ended();
        Ok(())
    }
}

/// Sleeps, as a job does that waits for a city's site.
pub(super) struct Sleep(pub(super) Arc<Tally>);

impl Handler for Sleep {
    type Args = BenchArgs;
    type Output = ();
    const KIND: &'static str = "bench.sleep";

    async fn run(&self, args: BenchArgs, ctx: Context) -> Result<(), HandlerError> {
        self.0.started(ctx.job);
        pause(args.ms).await;
        self.0.ended();
        Ok(())
    }
}

/// Fails at its first attempt, if its arguments say so.
pub(super) struct Flaky(pub(super) Arc<Tally>);

impl Handler for Flaky {
    type Args = BenchArgs;
    type Output = ();
    const KIND: &'static str = "bench.flaky";

    /// As short as can be: the next sweep lifts it.
    fn retry() -> RetryPolicy {
        RetryPolicy { base: Duration::from_millis(1), jitter: 0.0, ..RetryPolicy::default() }
    }

    async fn run(&self, args: BenchArgs, ctx: Context) -> Result<(), HandlerError> {
        self.0.started(ctx.job);
        pause(args.ms).await;
        if args.fails && ctx.attempt == 1 {
            return Err(HandlerError::retryable(ErrorClass::ServerError, "the first attempt fails"));
        }
        self.0.ended();
        Ok(())
    }
}

/// Writes a row with its completion.
pub(super) struct Insert(pub(super) Arc<Tally>);

/// What [`Insert`] writes to, and the plain transactions that it is compared with.
pub(super) const EFFECTS_TABLE: &str = "create table bench_effects (\
    id bigint generated always as identity primary key, job bigint not null, note text not null)";
pub(super) const EFFECT: &str = "insert into bench_effects (job, note) values ($1, $2)";
/// About what a small row of the domain holds.
pub(super) const NOTE: &str = "an item of an agenda, and where it stands";

impl Handler for Insert {
    type Args = BenchArgs;
    type Output = ();
    const KIND: &'static str = "bench.insert";

    async fn run(&self, args: BenchArgs, ctx: Context) -> Result<(), HandlerError> {
        self.0.started(ctx.job);
        pause(args.ms).await;
        self.0.ended();
        Ok(())
    }
}

impl Effects<PgTx> for Insert {
    async fn apply(&self, tx: &mut PgTx, _output: &(), ctx: &Context) -> Result<(), HandlerError> {
        tx.execute(EFFECT, &[&ctx.job.0, &NOTE]).await?;
        Ok(())
    }
}

/// All of them. `urgent` counts the jobs that end at once, `tally` the others; they may be the same.
pub(super) fn kinds(urgent: &Arc<Tally>, tally: &Arc<Tally>) -> Arc<Registry<PgTx>> {
    let registry = Registry::new().with(Noop(urgent.clone())).with(Sleep(tally.clone())).with(Flaky(tally.clone()));
    Arc::new(registry.with_effects(Insert(tally.clone())))
}
