//! What the author of a job kind writes, and the one place where types are erased.

mod context;
mod error;
mod registry;

pub use context::Context;
pub use error::{Component, ErrorClass, HandlerError};
pub use registry::{Applier, Erased, KindMeta, Registry, RunOutput};

use super::{
    job::{NewJob, NewJobError},
    retry::RetryPolicy,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{future::Future, time::Duration};

/// A kind of job: its name, its defaults, its arguments and its work.
///
/// `run` has no transaction: it fetches, computes and returns. What must be written together with the completion
/// goes into [`Effects::apply`]. A job may run more than once (its worker may die after the work and before the
/// commit), so what `run` does to the outside carries [`Context::step_key`].
///
/// `run` and `apply` have threads of their own: four more than the machine has processors, so that none of them can hold
/// up the worker's heartbeat. One that computes for seconds, or blocks, without an `await` keeps its thread from the
/// others: give such work to `tokio::task::spawn_blocking`. It is told of in the log; at its deadline it is fenced and its
/// slot goes on. With four handlers that don't end after their attempt, or with all threads held for ten seconds, the
/// worker drains and ends, to be started again.
pub trait Handler: Send + Sync + 'static {
    /// Arguments, stored as JSON in the row.
    type Args: Serialize + DeserializeOwned + Send + 'static;
    /// Result, stored as JSON in the row and given to [`Effects::apply`].
    type Output: Serialize + Send + Sync + 'static;

    /// Name of the kind: unique in a registry, stable for ever.
    const KIND: &'static str;
    /// Lane that its jobs go to.
    const LANE: &'static str = "default";
    /// Priority of its jobs, −1000 to 1000.
    const PRIORITY: i16 = 100;
    /// Version of [`Handler::Args`]; a worker refuses arguments of a newer version than its own.
    const ARGS_VERSION: i16 = 1;
    /// Deadline of one attempt; the worker's own ceiling may be lower
    /// ([`Protocol::job_timeout`](crate::fleet::settings::Protocol::job_timeout)).
    const TIMEOUT: Duration = Duration::from_mins(5);
    /// Part of the product that its errors are counted under.
    const COMPONENT: Component = Component::Handler;

    /// Attempts and backoff.
    fn retry() -> RetryPolicy {
        RetryPolicy::default()
    }

    /// A job of this kind with its defaults, ready to be enqueued.
    ///
    /// # Errors
    /// When the arguments can't be written as JSON.
    fn job(args: &Self::Args) -> Result<NewJob, NewJobError> {
        let mut job = NewJob::new(Self::KIND, args)?.lane(Self::LANE).priority(Self::PRIORITY.into());
        job.args_version = Self::ARGS_VERSION;
        job.max_attempts = Self::retry().max_attempts;
        Ok(job)
    }

    /// Does the work. Stop soon after [`Context::cancelled`] resolves: what comes later is thrown away.
    fn run(&self, args: Self::Args, ctx: Context) -> impl Future<Output = Result<Self::Output, HandlerError>> + Send;
}

/// A kind whose result is written in the transaction that completes the job: once, or not at all.
///
/// `Tx` is the ledger's transaction: [`PgTx`](crate::fleet::ledger::PgTx) in production.
pub trait Effects<Tx>: Handler {
    /// Writes the output. It only writes: no requests, no waiting. An error undoes the transaction and is this job's
    /// failure and no one else's. The jobs of one message share a transaction while all goes well: after an error of
    /// another's effects, a deadlock, or a commit whose answer never came and that did not happen, it is called again with
    /// the same output.
    fn apply(
        &self,
        tx: &mut Tx,
        output: &Self::Output,
        ctx: &Context,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;
}
