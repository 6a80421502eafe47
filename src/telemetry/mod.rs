//! Logs, metric names and trace context. Below everything else: it imports nothing of Docket.

pub mod canonical;
mod families;
mod logs;
mod metrics;
pub mod names;
mod trace;

pub use canonical::{AttemptLine, AttemptOutcome, attempt_line, sample_successes};
pub use families::{FAMILIES, Family, Label, Owner, Type, Values};
pub use logs::{DroppedLines, LogError, LogFormat, LogGuard, LogOutput, LogSettings, init};
pub use metrics::{InstallError, Known, Metrics, UPKEEP, touch, withdraw};
pub use trace::{TraceParent, TraceParentError};
