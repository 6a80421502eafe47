//! From what a caller said to a job: the kind's own defaults, where nothing else was asked for.

use crate::fleet::{
    handler::{KindMeta, Registry},
    job::{MAX_PRIORITY, MIN_PRIORITY, NewJob, NewJobError},
};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Kinds that look like the one that was meant.
const NEAR_MAX: usize = 3;
/// Similarity of such a kind: 1 is the same.
const NEAR: f64 = 0.8;

/// What a caller wants done. What it leaves open, the kind decides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wish {
    /// Which handler runs it.
    pub kind: String,
    /// Arguments of the handler.
    pub args: Value,
    /// Which workers take it.
    pub lane: Option<String>,
    /// −1000 to 1000, higher first.
    pub priority: Option<i32>,
    /// At most one row at a time has this key.
    pub idempotency_key: Option<String>,
    /// Not before this time.
    pub run_at: Option<Timestamp>,
    /// Failures until it is a dead letter.
    pub max_attempts: Option<i16>,
    /// Also a kind that this binary doesn't know.
    pub force: bool,
    /// The trace that it belongs to.
    pub trace_id: Option<Uuid>,
}

/// Why a wish is no job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WishError {
    /// No handler of this binary has this name.
    #[error("unknown kind {kind:?}{}known are {}", meant(.near), .known.join(", "))]
    Unknown {
        /// Its beginning.
        kind: String,
        /// Kinds whose names are like it.
        near: Vec<&'static str>,
        /// All kinds.
        known: Vec<&'static str>,
    },
    /// Not acceptable for any kind.
    #[error(transparent)]
    Job(#[from] NewJobError),
    /// Out of range.
    #[error("priority is {0}, it goes from {MIN_PRIORITY} to {MAX_PRIORITY}")]
    Priority(i32),
    /// Before 1970: a mistake, and PostgreSQL may not hold it.
    #[error("run_at is {0}, before 1970")]
    RunAt(Timestamp),
}

fn meant(near: &[&str]) -> String {
    if near.is_empty() { ": ".to_owned() } else { format!(", did you mean {}? ", near.join(" or ")) }
}

impl WishError {
    /// The field that is wrong.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "kind",
            Self::Job(error) => error.field(),
            Self::Priority(_) => "priority",
            Self::RunAt(_) => "run_at",
        }
    }
}

/// The kinds of a registry, without their handlers.
#[derive(Clone, Debug, Default)]
pub struct Kinds(BTreeMap<&'static str, KindMeta>);

impl Kinds {
    /// Those of a registry.
    #[must_use]
    pub fn of<Tx: Send + 'static>(registry: &Registry<Tx>) -> Self {
        Self(registry.kinds().map(|meta| (meta.kind, meta.clone())).collect())
    }

    /// Their names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// The job that is wished for.
    ///
    /// # Errors
    /// When a field can't be used, or the kind is unknown and not forced.
    pub fn job(&self, wish: Wish) -> Result<NewJob, WishError> {
        let meta = self.0.get(wish.kind.as_str());
        if meta.is_none() && !wish.force {
            return Err(self.unknown(&wish.kind));
        }
        let mut job = NewJob::new(wish.kind, &wish.args)?;
        if let Some(meta) = meta {
            job.args_version = meta.args_version;
            job = job.lane(meta.lane).priority(meta.priority.into()).max_attempts(meta.retry.max_attempts);
        }
        if let Some(priority) = wish.priority {
            if !(i32::from(MIN_PRIORITY)..=i32::from(MAX_PRIORITY)).contains(&priority) {
                return Err(WishError::Priority(priority));
            }
            job = job.priority(priority);
        }
        if let Some(at) = wish.run_at.filter(|at| *at < Timestamp::UNIX_EPOCH) {
            return Err(WishError::RunAt(at));
        }
        job.lane = wish.lane.unwrap_or(job.lane);
        job.idempotency_key = wish.idempotency_key;
        job.run_at = wish.run_at;
        job.trace_id = wish.trace_id;
        job.max_attempts = wish.max_attempts.unwrap_or(job.max_attempts);
        job.check()?;
        Ok(job)
    }

    fn unknown(&self, kind: &str) -> WishError {
        let kind: String = kind.chars().take(60).collect();
        let mut near: Vec<(f64, &'static str)> = self
            .names()
            .map(|name| (strsim::jaro_winkler(&kind, name), name))
            .filter(|(near, _)| *near > NEAR)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        near.truncate(NEAR_MAX);
        WishError::Unknown {
            kind,
            near: near.into_iter().map(|(_, name)| name).collect(),
            known: self.names().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::handler::{Context, Handler, HandlerError};
    use serde_json::json;

    struct Slow;

    impl Handler for Slow {
        type Args = Value;
        type Output = ();
        const KIND: &'static str = "fetch_document";
        const LANE: &'static str = "slow";
        const PRIORITY: i16 = 40;
        const ARGS_VERSION: i16 = 2;

        async fn run(&self, _args: Value, _ctx: Context) -> Result<(), HandlerError> {
            Ok(())
        }
    }

    fn kinds() -> Kinds {
        Kinds::of(&Registry::<()>::new().with(Slow))
    }

    fn wish(kind: &str) -> Wish {
        Wish { kind: kind.to_owned(), args: json!({}), ..Wish::default() }
    }

    #[test]
    fn a_kind_brings_its_defaults_and_what_is_said_wins() {
        let job = kinds().job(wish("fetch_document")).unwrap();
        assert_eq!((job.lane.as_str(), job.priority, job.args_version, job.max_attempts), ("slow", 40, 2, 3));
        let said = Wish {
            lane: Some("fast".to_owned()),
            priority: Some(-5),
            max_attempts: Some(7),
            idempotency_key: Some("k".to_owned()),
            ..wish("fetch_document")
        };
        let job = kinds().job(said).unwrap();
        assert_eq!((job.lane.as_str(), job.priority, job.args_version, job.max_attempts), ("fast", -5, 2, 7));
        assert_eq!(job.idempotency_key.as_deref(), Some("k"));
    }

    #[test]
    fn an_unknown_kind_is_refused_with_its_neighbours_unless_it_is_forced() {
        let refused = kinds().job(wish("fetch_documents")).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "unknown kind \"fetch_documents\", did you mean fetch_document? known are fetch_document"
        );
        assert!(kinds().job(wish("greet")).unwrap_err().to_string().starts_with("unknown kind \"greet\": known are"));
        let job = kinds().job(Wish { force: true, ..wish("greet") }).unwrap();
        assert_eq!((job.lane.as_str(), job.priority, job.args_version), ("default", 100, 1));
    }

    #[test]
    fn what_cant_be_is_named_by_its_field() {
        let known = || wish("fetch_document");
        let bad = [
            (Wish { priority: Some(1001), ..known() }, "priority"),
            (Wish { priority: Some(i32::MIN), ..known() }, "priority"),
            (Wish { run_at: Some("1969-12-31T23:59:59Z".parse().unwrap()), ..known() }, "run_at"),
            (Wish { max_attempts: Some(0), ..known() }, "max_attempts"),
            (Wish { lane: Some("a\nb".to_owned()), ..known() }, "lane"),
            (Wish { idempotency_key: Some(String::new()), ..known() }, "idempotency_key"),
            (Wish { args: json!("a\u{0}"), ..known() }, "args"),
            (Wish { args: json!("x".repeat(65_536)), ..known() }, "args"),
            (Wish { force: true, ..wish("") }, "kind"),
        ];
        for (wish, field) in bad {
            assert_eq!(kinds().job(wish.clone()).unwrap_err().field(), field, "{wish:?}");
        }
    }
}
