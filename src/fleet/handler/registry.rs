//! The one place where types are erased: JSON in, typed job out. Nothing else in the engine knows a job's shape.

use super::{Component, Context, Effects, ErrorClass, Handler, HandlerError};
use crate::fleet::retry::RetryPolicy;
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What the engine knows of a kind.
#[derive(Clone, Debug)]
pub struct KindMeta {
    /// Its name.
    pub kind: &'static str,
    /// Its lane.
    pub lane: &'static str,
    /// Priority of its jobs.
    pub priority: i16,
    /// Newest version of arguments that it reads.
    pub args_version: i16,
    /// Deadline of an attempt.
    pub timeout: Duration,
    /// Attempts and backoff.
    pub retry: RetryPolicy,
    /// Label of its errors.
    pub component: Component,
    /// True: completed in a transaction of its own, together with its effects.
    pub has_effects: bool,
}

/// Writes one output inside a transaction; may be called again in another one.
pub type Applier<Tx> = Box<dyn for<'a> Fn(&'a mut Tx) -> BoxFuture<'a, Result<(), HandlerError>> + Send + Sync>;

/// The result of a run, ready to be stored.
pub struct RunOutput<Tx> {
    /// For the row.
    pub output: Value,
    /// For the transaction; none for a kind without effects.
    pub apply: Option<Applier<Tx>>,
}

impl<Tx> std::fmt::Debug for RunOutput<Tx> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunOutput").field("effects", &self.apply.is_some()).finish_non_exhaustive()
    }
}

/// A handler without its types.
pub trait Erased<Tx>: Send + Sync {
    /// What the engine knows of the kind.
    fn meta(&self) -> &KindMeta;
    /// Reads the arguments and runs the job.
    fn run(&self, args: Value, version: i16, ctx: Context) -> BoxFuture<'static, Result<RunOutput<Tx>, HandlerError>>;
}

/// Every kind that a worker can run.
pub struct Registry<Tx> {
    kinds: BTreeMap<&'static str, Arc<dyn Erased<Tx>>>,
}

impl<Tx> std::fmt::Debug for Registry<Tx> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Registry").field(&self.kinds.keys()).finish()
    }
}

impl<Tx> Default for Registry<Tx> {
    fn default() -> Self {
        Self { kinds: BTreeMap::new() }
    }
}

impl<Tx: Send + 'static> Registry<Tx> {
    /// No kinds.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind that only returns a result.
    ///
    /// # Panics
    /// When the kind is registered already: a mistake in the program.
    #[must_use]
    pub fn with<H: Handler>(self, handler: H) -> Self {
        self.insert::<H>(Arc::new(Plain { handler: Arc::new(handler), meta: meta::<H>(false) }))
    }

    /// Adds a kind whose result is written in the completing transaction.
    ///
    /// # Panics
    /// When the kind is registered already: a mistake in the program.
    #[must_use]
    pub fn with_effects<H: Effects<Tx>>(self, handler: H) -> Self {
        self.insert::<H>(Arc::new(Effective { handler: Arc::new(handler), meta: meta::<H>(true) }))
    }

    fn insert<H: Handler>(mut self, erased: Arc<dyn Erased<Tx>>) -> Self {
        let before = self.kinds.insert(H::KIND, erased);
        assert!(before.is_none(), "kind {} is registered twice", H::KIND);
        self
    }

    /// The handler of a kind.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<&Arc<dyn Erased<Tx>>> {
        self.kinds.get(kind)
    }

    /// The kinds, sorted.
    pub fn kinds(&self) -> impl Iterator<Item = &KindMeta> {
        self.kinds.values().map(|erased| erased.meta())
    }
}

struct Plain<H> {
    handler: Arc<H>,
    meta: KindMeta,
}

impl<Tx, H: Handler> Erased<Tx> for Plain<H> {
    fn meta(&self) -> &KindMeta {
        &self.meta
    }

    fn run(&self, args: Value, version: i16, ctx: Context) -> BoxFuture<'static, Result<RunOutput<Tx>, HandlerError>> {
        let handler = self.handler.clone();
        Box::pin(async move {
            let output = handler.run(read_args::<H>(args, version)?, ctx).await?;
            Ok(RunOutput { output: to_json(&output)?, apply: None })
        })
    }
}

struct Effective<H> {
    handler: Arc<H>,
    meta: KindMeta,
}

impl<Tx: Send + 'static, H: Effects<Tx>> Erased<Tx> for Effective<H> {
    fn meta(&self) -> &KindMeta {
        &self.meta
    }

    fn run(&self, args: Value, version: i16, ctx: Context) -> BoxFuture<'static, Result<RunOutput<Tx>, HandlerError>> {
        let handler = self.handler.clone();
        Box::pin(async move {
            let output = handler.run(read_args::<H>(args, version)?, ctx.clone()).await?;
            let json = to_json(&output)?;
            let shared = Arc::new((handler, output, ctx));
            let apply: Applier<Tx> = Box::new(move |tx| {
                let shared = shared.clone();
                Box::pin(async move { shared.0.apply(tx, &shared.1, &shared.2).await })
            });
            Ok(RunOutput { output: json, apply: Some(apply) })
        })
    }
}

fn meta<H: Handler>(has_effects: bool) -> KindMeta {
    KindMeta {
        kind: H::KIND,
        lane: H::LANE,
        priority: H::PRIORITY,
        args_version: H::ARGS_VERSION,
        timeout: H::TIMEOUT,
        retry: H::retry(),
        component: H::COMPONENT,
        has_effects,
    }
}

fn read_args<H: Handler>(args: Value, version: i16) -> Result<H::Args, HandlerError> {
    let refuse = |message| HandlerError::non_retryable(ErrorClass::InvalidArgs, message);
    if version > H::ARGS_VERSION {
        let known = H::ARGS_VERSION;
        return Err(refuse(format!(
            "arguments have version {version}, this worker reads up to {known}: upgrade the workers, then requeue"
        )));
    }
    serde_json::from_value(args).map_err(|e| refuse(format!("arguments don't fit {}: {e}", H::KIND)))
}

/// Larger results belong in a table of the domain.
const MAX_OUTPUT_BYTES: usize = 256 * 1024;

fn to_json(output: &impl serde::Serialize) -> Result<Value, HandlerError> {
    let refuse = |class, message| Err(HandlerError::non_retryable(class, message));
    let text = match serde_json::to_string(output) {
        Ok(text) => text,
        Err(e) => return refuse(ErrorClass::Other, format!("the output is not JSON: {e}")),
    };
    if text.len() > MAX_OUTPUT_BYTES {
        let bytes = text.len();
        return refuse(ErrorClass::TooLarge, format!("the output takes {bytes} bytes, at most {MAX_OUTPUT_BYTES}"));
    }
    if text.contains("\\u0000") {
        return refuse(ErrorClass::Other, "the output contains U+0000, which PostgreSQL can't store".to_owned());
    }
    serde_json::from_str(&text).or_else(|e| refuse(ErrorClass::Other, format!("the output is not JSON: {e}")))
}
