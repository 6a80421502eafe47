//! Kinds that do what their script says.

use crate::{ledger::SimTx, process::Process, world::World};
use docket::fleet::{
    handler::{Context, Effects, ErrorClass, Handler, HandlerError, Registry},
    job::NewJob,
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// What a job does.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Script {
    /// Fails in its first attempts; three: for good.
    pub(crate) fail_first: i16,
    /// Its effects fail in its first attempt, after having written.
    pub(crate) bad_effects: bool,
    /// Fails at once, not to be tried again.
    pub(crate) refuse: bool,
    /// Gives itself up.
    pub(crate) discard: bool,
    pub(crate) run_ms: u64,
    /// Takes its process down in each attempt.
    pub(crate) kill: bool,
    /// Enqueues so many jobs with its effects.
    pub(crate) spawn: u16,
}

impl Script {
    async fn act(&self, ctx: &Context, (world, process): &(Arc<World>, Process)) -> Result<(), HandlerError> {
        tokio::time::sleep(Duration::from_millis(self.run_ms)).await;
        if self.kill {
            world.kill(process);
            return std::future::pending().await;
        }
        if self.refuse {
            return Err(HandlerError::non_retryable(ErrorClass::NotFound, "as told, for good"));
        }
        if self.discard {
            return Err(HandlerError::Discard("as told".into()));
        }
        if ctx.attempt <= self.fail_first {
            return Err(HandlerError::retryable(ErrorClass::ServerError, "as told"));
        }
        Ok(())
    }
}

/// Without effects: completed in batches.
pub(crate) struct Plain((Arc<World>, Process));

impl Handler for Plain {
    type Args = Script;
    type Output = i64;
    const KIND: &'static str = "plain";

    async fn run(&self, script: Script, ctx: Context) -> Result<i64, HandlerError> {
        script.act(&ctx, &self.0).await?;
        Ok(ctx.job.0)
    }
}

/// Writes in its completing transaction.
pub(crate) struct Writer((Arc<World>, Process));

impl Handler for Writer {
    type Args = Script;
    type Output = Script;
    const KIND: &'static str = "writer";

    async fn run(&self, script: Script, ctx: Context) -> Result<Script, HandlerError> {
        script.act(&ctx, &self.0).await?;
        Ok(script)
    }
}

impl Effects<SimTx> for Writer {
    async fn apply(&self, tx: &mut SimTx, script: &Script, ctx: &Context) -> Result<(), HandlerError> {
        tx.write(ctx);
        for _ in 0..script.spawn {
            tx.enqueue(writer(&Script::default()));
        }
        if self.0.0.chaos().chance(0.03) {
            return Err(HandlerError::DatabaseAway("as the dice have it".into()));
        }
        if script.bad_effects && ctx.attempt == 1 {
            return Err(HandlerError::retryable(ErrorClass::Database, "as told, in the effects"));
        }
        Ok(())
    }
}

/// All kinds, as one process runs them.
pub(crate) fn registry(world: &Arc<World>, process: &Process) -> Arc<Registry<SimTx>> {
    let home = (world.clone(), process.clone());
    Arc::new(Registry::new().with(Plain(home.clone())).with_effects(Writer(home)))
}

pub(crate) fn plain(script: &Script) -> NewJob {
    Plain::job(script).unwrap()
}

pub(crate) fn writer(script: &Script) -> NewJob {
    Writer::job(script).unwrap()
}
