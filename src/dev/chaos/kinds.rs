//! The kinds of the chaos: what each does is fixed by its name, so that whoever looks on knows how its jobs must end.

use super::witness::{Deed, Line, Lines, monotonic_us};
use crate::{
    db::Statements,
    fleet::{
        handler::{Context, Effects, ErrorClass, Handler, HandlerError, Registry},
        job::{NewJob, NewJobError},
        ledger::PgTx,
        retry::RetryPolicy,
    },
};
use anyhow::Result;
use nix::{
    sys::signal::{Signal, kill},
    unistd::getpid,
};
use serde::{Deserialize, Serialize};
use std::{
    path::Path,
    sync::{Arc, mpsc},
    time::Duration,
};

/// Attempts of every kind here.
pub const ATTEMPTS: i16 = 3;

/// The table that [`EFFECT`] writes to. It forbids nothing: a second row is what the checker looks for.
pub const EFFECTS_TABLE: &str = "create table chaos_effects (job_id bigint, epoch int, attempt smallint, pid int)";

/// Arguments of all kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// How long it runs; that of a kind that does nothing else.
    pub ms: u64,
}

/// The deadline of [`HANG`] and [`BUSY`].
pub const SHORT: Duration = Duration::from_secs(2);
/// The engine's own default.
const LONG: Duration = Duration::from_mins(5);

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $constant:ident $name:ident $kind:literal $timeout:expr;)*) => {
        $($(#[doc = $doc])+
        pub const $constant: &str = $kind;

        struct $name(Arc<Stage>);

        impl Handler for $name {
            type Args = Act;
            type Output = ();
            const KIND: &'static str = $kind;
            const TIMEOUT: Duration = $timeout;

            fn retry() -> RetryPolicy {
                let (base, cap) = (Duration::from_millis(500), Duration::from_secs(2));
                RetryPolicy { max_attempts: ATTEMPTS, base, cap, ..RetryPolicy::default() }
            }

            async fn run(&self, act: Act, ctx: Context) -> Result<(), HandlerError> {
                self.0.play($kind, act, &ctx).await
            }
        })*

        /// Every kind.
        pub const KINDS: &[&str] = &[$($constant),*];

        /// A job of a kind.
        ///
        /// # Errors
        /// There is no such kind.
        pub fn job(kind: &str, act: Act) -> Result<NewJob, NewJobError> {
            match kind {
                $($kind => $name::job(&act),)*
                _ => NewJob::new(kind, &act),
            }
        }
    };
}

kinds! {
    /// Succeeds.
    OK Succeeds "chaos.ok" LONG;
    /// Succeeds, and writes a row with its completion.
    EFFECT Writes "chaos.effect" LONG;
    /// Succeeds after a call to the sink, which carries its step key.
    EXTERNAL Calls "chaos.external" LONG;
    /// Succeeds after a while.
    SLOW Lingers "chaos.slow" LONG;
    /// Fails once, then succeeds.
    FAIL_ONCE FailsOnce "chaos.fail_once" LONG;
    /// Fails twice, then succeeds.
    FAIL_TWICE FailsTwice "chaos.fail_twice" LONG;
    /// Always fails: a dead letter.
    FAIL_ALWAYS FailsAlways "chaos.fail_always" LONG;
    /// Fails for good at once: failed.
    REFUSE Refuses "chaos.refuse" LONG;
    /// Always panics: a dead letter.
    PANIC Panics "chaos.panic" LONG;
    /// Never ends by itself: a dead letter after three deadlines of 2 s.
    HANG Hangs "chaos.hang" SHORT;
    /// Blocks its thread, deaf to its token, for its `ms`. Longer than 2 s: a dead letter, as [`HANG`].
    BUSY Blocks "chaos.busy" SHORT;
    /// Kills its process: a dead letter when it was lost too often.
    KILL Kills "chaos.kill" LONG;
}

impl Effects<PgTx> for Writes {
    async fn apply(&self, tx: &mut PgTx, (): &(), ctx: &Context) -> Result<(), HandlerError> {
        let sql = "insert into chaos_effects (job_id, epoch, attempt, pid) values ($1, $2, $3, $4)";
        tx.execute(sql, &[&ctx.job.0, &ctx.epoch, &ctx.attempt, &getpid().as_raw()]).await?;
        Ok(())
    }
}

/// What the kinds act on.
struct Stage {
    witness: Lines,
    sink: Option<(reqwest::Client, String)>,
}

/// All kinds. The witness file of this process goes into `dir`; `sink` is the URL that [`EXTERNAL`] posts to.
///
/// # Errors
/// The witness file can't be written.
pub fn registry(dir: &Path, sink: Option<String>) -> Result<Registry<PgTx>> {
    let witness = Lines::open(&dir.join(format!("witness-{}-{}.jsonl", monotonic_us(), getpid())))?;
    let client = || reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build();
    let sink = sink.map(|url| client().map(|client| (client, url))).transpose()?;
    let stage = Arc::new(Stage { witness, sink });
    Ok(Registry::new()
        .with(Succeeds(stage.clone()))
        .with_effects(Writes(stage.clone()))
        .with(Calls(stage.clone()))
        .with(Lingers(stage.clone()))
        .with(FailsOnce(stage.clone()))
        .with(FailsTwice(stage.clone()))
        .with(FailsAlways(stage.clone()))
        .with(Refuses(stage.clone()))
        .with(Panics(stage.clone()))
        .with(Hangs(stage.clone()))
        .with(Blocks(stage.clone()))
        .with(Kills(stage)))
}

impl Stage {
    async fn play(&self, kind: &'static str, act: Act, ctx: &Context) -> Result<(), HandlerError> {
        let mut told = Told::begin(self, kind, ctx)?;
        tokio::time::sleep(Duration::from_millis(if kind == BUSY { 0 } else { act.ms })).await;
        let (deed, result) = match kind {
            FAIL_ONCE if ctx.attempt <= 1 => failure(),
            FAIL_TWICE if ctx.attempt <= 2 => failure(),
            FAIL_ALWAYS => failure(),
            REFUSE => (Deed::Refusal, Err(HandlerError::non_retryable(ErrorClass::NotFound, "as told, for good"))),
            EXTERNAL => (Deed::Ok, self.call(ctx).await),
            HANG => std::future::pending().await,
            BUSY => {
                block(Duration::from_millis(act.ms));
                (Deed::Ok, Ok(()))
            }
            PANIC => {
                told.end(Deed::Panic).await?;
                panic!("as told");
            }
            KILL => {
                told.end(Deed::Kill).await?;
                // It can't fail, and nothing is left to do if it does.
                let _ = kill(getpid(), Signal::SIGKILL);
                std::future::pending().await
            }
            _ => (Deed::Ok, Ok(())),
        };
        let deed = if result.is_err() && deed == Deed::Ok { Deed::Error } else { deed };
        told.end(deed).await?;
        result
    }

    /// One call that the receiver can tell from its repeats.
    async fn call(&self, ctx: &Context) -> Result<(), HandlerError> {
        let Some((client, url)) = &self.sink else { return Ok(()) };
        let request = client.post(url).header("idempotency-key", ctx.step_key("call")).body(ctx.job.to_string());
        let answer = request.send().await.and_then(reqwest::Response::error_for_status);
        answer.map(drop).map_err(|e| HandlerError::retryable(ErrorClass::Connect, e.without_url().to_string()))
    }
}

fn failure() -> (Deed, Result<(), HandlerError>) {
    (Deed::Error, Err(HandlerError::retryable(ErrorClass::ServerError, "as told")))
}

/// Blocks the thread, as a handler does that computes or uses a blocking library.
fn block(time: Duration) {
    let (never, wait) = mpsc::channel::<()>();
    // Nobody sends: it times out.
    let _ = wait.recv_timeout(time);
    drop(never);
}

/// Writes down how a run ends, also one that is dropped.
struct Told<'a> {
    lines: &'a Lines,
    line: Option<Line>,
}

impl<'a> Told<'a> {
    /// On the runtime's thread, so that a run can't be dropped between its beginning and the word for it.
    fn begin(stage: &'a Stage, kind: &str, ctx: &Context) -> Result<Self, HandlerError> {
        let (at_us, pid) = (monotonic_us(), std::process::id());
        let (job, epoch, attempt, kind) = (ctx.job.0, ctx.epoch, ctx.attempt, kind.to_owned());
        let line = Line { at_us, pid, job, epoch, attempt, kind, deed: Deed::Start };
        stage.witness.write_now(&line).map_err(|e| unwritten(&e))?;
        Ok(Self { lines: &stage.witness, line: Some(line) })
    }

    async fn end(&mut self, deed: Deed) -> Result<(), HandlerError> {
        let Some(line) = &self.line else { return Ok(()) };
        let line = Line { at_us: monotonic_us(), deed, ..line.clone() };
        self.lines.write(&line).await.map_err(|e| unwritten(&e))?;
        self.line = None;
        Ok(())
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if let Some(line) = self.line.take() {
            // Nobody is left to tell that the disk fails.
            let _ = self.lines.write_now(&Line { at_us: monotonic_us(), deed: Deed::Dropped, ..line });
        }
    }
}

/// A run that can't be witnessed must not count as the job's failure.
fn unwritten(error: &std::io::Error) -> HandlerError {
    tracing::error!(event = "chaos.unwritten", %error, "the witness can't write");
    HandlerError::Snooze(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::{super::witness, *};
    use crate::fleet::job::JobId;
    use tokio_util::sync::CancellationToken;

    fn ctx(job: i64, attempt: i16) -> Context {
        let token = CancellationToken::new();
        Context { job: JobId(job), epoch: 2, attempt, parent: None, priority: 100, trace_id: None, token }
    }

    #[tokio::test]
    async fn each_kind_does_what_its_name_says_and_tells_it() {
        let dir = tempfile::tempdir().unwrap();
        let registry = registry(dir.path(), None).unwrap();
        assert_eq!(registry.kinds().count(), KINDS.len());
        let args = serde_json::to_value(Act { ms: 1 }).unwrap();
        let mut expected = Vec::new();
        for (number, (kind, attempt, deed)) in [
            (OK, 1, Deed::Ok),
            (EFFECT, 1, Deed::Ok),
            (EXTERNAL, 1, Deed::Ok),
            (SLOW, 1, Deed::Ok),
            (BUSY, 1, Deed::Ok),
            (FAIL_ONCE, 1, Deed::Error),
            (FAIL_ONCE, 2, Deed::Ok),
            (FAIL_TWICE, 2, Deed::Error),
            (FAIL_TWICE, 3, Deed::Ok),
            (FAIL_ALWAYS, 3, Deed::Error),
            (REFUSE, 1, Deed::Refusal),
            (PANIC, 1, Deed::Panic),
            (HANG, 1, Deed::Dropped),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(job(kind, Act::default()).unwrap().max_attempts, ATTEMPTS);
            let id = i64::try_from(number).unwrap();
            let run = registry.get(kind).unwrap().run(args.clone(), 1, ctx(id, attempt));
            let mut task = tokio::spawn(run);
            let limit = Duration::from_secs(if kind == HANG { 1 } else { 60 });
            let ended = tokio::time::timeout(limit, &mut task).await;
            assert_eq!(matches!(ended, Ok(Ok(Ok(_)))), deed == Deed::Ok, "{kind} {attempt}");
            if ended.is_err() {
                task.abort();
                assert!(task.await.unwrap_err().is_cancelled());
            }
            expected.push((id, Deed::Start));
            expected.push((id, deed));
        }
        let files = witness::files(dir.path(), "witness-").unwrap();
        let lines: Vec<Line> = witness::read(&files[0]).unwrap();
        assert_eq!(lines.iter().map(|line| (line.job, line.deed)).collect::<Vec<_>>(), expected);
    }
}
