//! Kinds that do what their script says.

use crate::{
    ledger::SimTx,
    process::{Cause, Process},
    world::World,
};
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
    /// Puts itself off when it is begun for the first time.
    pub(crate) snooze: bool,
    pub(crate) run_ms: u64,
    /// Takes its process down in each attempt.
    pub(crate) kill: bool,
    /// Enqueues, with its effects, a job that waits for so many children.
    pub(crate) spawn: u16,
}

/// A worker process: where a handler runs.
type Home = (Arc<World>, Process);

impl Script {
    async fn act(&self, ctx: &Context, (world, process): &Home) -> Result<(), HandlerError> {
        let begun = world.witness(|witness| {
            if !witness.attempts.insert((ctx.job, ctx.epoch)) {
                witness.twice.push((ctx.job, ctx.epoch));
            }
            let begun = witness.begun.entry(ctx.job).or_default();
            *begun += 1;
            *begun
        });
        world.history.note("run", &[ctx.job.0, ctx.epoch.into(), process.number().cast_signed()]);
        tokio::time::sleep(Duration::from_millis(self.run_ms)).await;
        process.pass().await;
        if self.kill {
            world.kill(process, Cause::Poison);
            return std::future::pending().await;
        }
        if self.snooze && begun == 1 {
            return Err(HandlerError::Snooze(Duration::from_secs(3)));
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
        world.witness(|witness| witness.done.insert((ctx.job, ctx.epoch)));
        Ok(())
    }
}

/// Without effects: completed in batches.
pub(crate) struct Plain(Home);

impl Handler for Plain {
    type Args = Script;
    type Output = i64;
    const KIND: &'static str = "plain";

    async fn run(&self, script: Script, ctx: Context) -> Result<i64, HandlerError> {
        script.act(&ctx, &self.0).await?;
        Ok(ctx.job.0)
    }
}

/// Waits for its children, then does nothing.
pub(crate) struct Join(Home);

impl Handler for Join {
    type Args = Script;
    type Output = i64;
    const KIND: &'static str = "join";

    async fn run(&self, script: Script, ctx: Context) -> Result<i64, HandlerError> {
        script.act(&ctx, &self.0).await?;
        Ok(0)
    }
}

/// Writes in its completing transaction.
pub(crate) struct Writer(Home);

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
        if script.spawn > 0 {
            tx.enqueue(join(), (0..script.spawn).map(|_| writer(&Script::default())).collect());
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
    Arc::new(Registry::new().with(Plain(home.clone())).with(Join(home.clone())).with_effects(Writer(home)))
}

/// Their names.
pub(crate) const KINDS: [&str; 3] = [Plain::KIND, Join::KIND, Writer::KIND];

pub(crate) fn plain(script: &Script) -> NewJob {
    Plain::job(script).unwrap()
}

pub(crate) fn join() -> NewJob {
    Join::job(&Script::default()).unwrap().waits_for_children()
}

pub(crate) fn writer(script: &Script) -> NewJob {
    Writer::job(script).unwrap()
}
