//! The canonical line: one event for each attempt that ended, with all that is known of it.

mod sample;

pub use sample::sample_successes;

use sample::successes;
use std::{fmt, time::Duration};
use uuid::Uuid;

/// How an attempt ended: the closed list of the field `event`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttemptOutcome {
    /// Done.
    Completed,
    /// Failed, and will be tried again.
    Retried,
    /// Failed for good: no further attempt would help.
    Failed,
    /// Failed for the last time.
    DeadLetter,
    /// Given back without cost.
    Released,
    /// Stopped, by an operator or by its own handler.
    Cancelled,
    /// Asked to be run later.
    Snoozed,
}

impl AttemptOutcome {
    /// All outcomes.
    pub const ALL: [Self; 7] = [
        Self::Completed,
        Self::Retried,
        Self::Failed,
        Self::DeadLetter,
        Self::Released,
        Self::Cancelled,
        Self::Snoozed,
    ];

    /// The value of the field `event`. The word after the dot is the field `outcome`.
    #[must_use]
    pub const fn event(self) -> &'static str {
        match self {
            Self::Completed => "job.completed",
            Self::Retried => "job.retried",
            Self::Failed => "job.failed",
            Self::DeadLetter => "job.dead_letter",
            Self::Released => "job.released",
            Self::Cancelled => "job.cancelled",
            Self::Snoozed => "job.snoozed",
        }
    }

    /// The value of the field `outcome`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.event().strip_prefix("job.").expect("every event of a job starts so")
    }
}

impl fmt::Display for AttemptOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is known of an attempt at its end.
#[derive(Clone, Copy, Debug)]
pub struct AttemptLine<'a> {
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// The job.
    pub job_id: i64,
    /// Its kind.
    pub kind: &'a str,
    /// Which attempt this was, from 1.
    pub attempt: i32,
    /// How long it ran.
    pub duration: Duration,
    /// From when it could have run to its claim.
    pub wait: Duration,
    /// Its trace.
    pub trace_id: Option<Uuid>,
    /// Class and text of the error, if it was one. Never a secret.
    pub error: Option<(&'a str, &'a str)>,
}

/// Writes the line: info; warn when it will be tried again; error when it failed for good.
///
/// Successes above a rate (100 a second, see [`sample_successes`]) are left out and counted in the next one's `suppressed`; nothing else is.
pub fn attempt_line(line: &AttemptLine<'_>) {
    let suppressed = if line.outcome == AttemptOutcome::Completed {
        let Some(suppressed) = successes().admit() else { return };
        Some(suppressed).filter(|&n| n > 0)
    } else {
        None
    };
    let trace = line.trace_id.map(|id| id.simple().to_string());
    let (class, error) = line.error.unzip();
    macro_rules! write_at {
        ($level:ident) => {
            tracing::$level!(
                event = line.outcome.event(),
                outcome = line.outcome.as_str(),
                job.id = line.job_id,
                job.kind = line.kind,
                attempt = line.attempt,
                duration_ms = millis(line.duration),
                wait_ms = millis(line.wait),
                trace_id = trace.as_deref(),
                error.class = class,
                error,
                suppressed,
                "attempt ended"
            )
        };
    }
    match line.outcome {
        AttemptOutcome::Retried => write_at!(warn),
        AttemptOutcome::Failed | AttemptOutcome::DeadLetter => write_at!(error),
        _ => write_at!(info),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
