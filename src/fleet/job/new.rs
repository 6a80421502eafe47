//! A job before it has a row.

use super::{DEFAULT_PRIORITY, JobId, clamp};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// Arguments larger than this don't belong in a job: keep the data in a table and pass its key.
pub const MAX_ARGS_BYTES: usize = 64 * 1024;
/// Kinds, lanes and idempotency keys longer than this are refused.
const MAX_NAME_BYTES: usize = 512;

/// What a caller wants done. Built with the methods below, enqueued by
/// [`enqueue`](crate::fleet::enqueue::enqueue) inside the caller's transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// Which handler runs it.
    pub kind: String,
    /// Which workers take it.
    pub lane: String,
    /// Arguments of the handler, as JSON.
    pub args: Value,
    /// Version of the arguments' shape, from the handler.
    pub args_version: i16,
    /// −1000 to 1000, higher first.
    pub priority: i16,
    /// At most one row at a time has this key.
    pub idempotency_key: Option<String>,
    /// Not before this time.
    pub run_at: Option<Timestamp>,
    /// The job that waits for this one.
    pub parent: Option<JobId>,
    /// True: the job is held until all its children have ended. Give it children in the same transaction.
    pub waits_for_children: bool,
    /// Failures until it is a dead letter.
    pub max_attempts: i16,
    /// The trace that it belongs to.
    pub trace_id: Option<Uuid>,
}

/// Why a job is refused before it reaches the database.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum NewJobError {
    /// The arguments are larger than [`MAX_ARGS_BYTES`].
    #[error("arguments of {kind} take {bytes} bytes, at most {MAX_ARGS_BYTES}: store the data and pass its key")]
    ArgsTooLarge {
        /// The kind.
        kind: String,
        /// Bytes of the arguments as JSON.
        bytes: usize,
    },
    /// A name is empty, too long, or has characters that a queue's name can't have.
    #[error("{what} {value:?} is not a name: 1 to {MAX_NAME_BYTES} bytes, no control characters")]
    Name {
        /// Which field.
        what: &'static str,
        /// Its beginning.
        value: String,
    },
    /// The arguments can't be written as JSON.
    #[error("arguments of {kind} are not JSON: {reason}")]
    Args {
        /// The kind.
        kind: String,
        /// What serde says.
        reason: String,
    },
    /// PostgreSQL's `jsonb` can't hold the character U+0000.
    #[error("arguments of {kind} contain the character U+0000, which PostgreSQL can't store")]
    Nul {
        /// The kind.
        kind: String,
    },
    /// No attempts at all.
    #[error("max_attempts is {0}, at least 1")]
    Attempts(i16),
}

impl NewJobError {
    /// The field that is wrong.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::ArgsTooLarge { .. } | Self::Args { .. } | Self::Nul { .. } => "args",
            Self::Name { what: "idempotency key", .. } => "idempotency_key",
            Self::Name { what, .. } => what,
            Self::Attempts(_) => "max_attempts",
        }
    }
}

impl NewJob {
    /// A job of `kind` with these arguments, in lane `default`, priority 100, three attempts.
    ///
    /// # Errors
    /// When the arguments can't be written as JSON.
    pub fn new(kind: impl Into<String>, args: &impl Serialize) -> Result<Self, NewJobError> {
        let kind = kind.into();
        let args =
            serde_json::to_value(args).map_err(|e| NewJobError::Args { kind: kind.clone(), reason: e.to_string() })?;
        Ok(Self {
            kind,
            lane: "default".to_owned(),
            args,
            args_version: 1,
            priority: DEFAULT_PRIORITY,
            idempotency_key: None,
            run_at: None,
            parent: None,
            waits_for_children: false,
            max_attempts: 3,
            trace_id: None,
        })
    }

    /// Another lane.
    #[must_use]
    pub fn lane(mut self, lane: impl Into<String>) -> Self {
        self.lane = lane.into();
        self
    }

    /// Another priority, clamped to −1000..=1000.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = clamp(priority);
        self
    }

    /// At most one job with this key at a time, for as long as its row is kept.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// Not before `at`.
    #[must_use]
    pub const fn run_at(mut self, at: Timestamp) -> Self {
        self.run_at = Some(at);
        self
    }

    /// A child of `parent`, which counts it while it waits.
    #[must_use]
    pub const fn child_of(mut self, parent: JobId) -> Self {
        self.parent = Some(parent);
        self
    }

    /// Held until its children have ended.
    #[must_use]
    pub const fn waits_for_children(mut self) -> Self {
        self.waits_for_children = true;
        self
    }

    /// Another number of attempts.
    #[must_use]
    pub const fn max_attempts(mut self, attempts: i16) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Part of this trace.
    #[must_use]
    pub const fn trace_id(mut self, trace: Uuid) -> Self {
        self.trace_id = Some(trace);
        self
    }

    /// Checks what the database would refuse less kindly.
    ///
    /// # Errors
    /// Names that are empty, long or unprintable; arguments that are too large; no attempts.
    pub fn check(&self) -> Result<(), NewJobError> {
        let names = [
            ("kind", Some(&self.kind)),
            ("lane", Some(&self.lane)),
            ("idempotency key", self.idempotency_key.as_ref()),
        ];
        for (what, name) in names.into_iter().filter_map(|(what, name)| Some((what, name?))) {
            if name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
                let value = name.chars().take(60).collect();
                return Err(NewJobError::Name { what, value });
            }
        }
        let text = self.args.to_string();
        if text.len() > MAX_ARGS_BYTES {
            return Err(NewJobError::ArgsTooLarge { kind: self.kind.clone(), bytes: text.len() });
        }
        if text.contains("\\u0000") {
            return Err(NewJobError::Nul { kind: self.kind.clone() });
        }
        if self.max_attempts < 1 {
            return Err(NewJobError::Attempts(self.max_attempts));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job() -> NewJob {
        NewJob::new("greet", &json!({"name": "Ada"})).expect("JSON")
    }

    #[test]
    fn a_plain_job_passes() {
        assert_eq!(job().check(), Ok(()));
    }

    #[test]
    fn bad_input_is_named() {
        let large = NewJob::new("greet", &"x".repeat(MAX_ARGS_BYTES)).expect("JSON");
        assert!(matches!(large.check(), Err(NewJobError::ArgsTooLarge { .. })));
        assert!(matches!(job().lane("").check(), Err(NewJobError::Name { what: "lane", .. })));
        assert!(matches!(job().idempotency_key("a\nb").check(), Err(NewJobError::Name { .. })));
        assert!(matches!(job().max_attempts(0).check(), Err(NewJobError::Attempts(0))));
        let nul = NewJob::new("greet", &"a\u{0}b").expect("JSON");
        assert!(matches!(nul.check(), Err(NewJobError::Nul { .. })));
        assert_eq!(job().priority(1_000_000).priority, 1000);
    }
}
