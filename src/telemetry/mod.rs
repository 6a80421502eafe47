//! Logs, metric names, trace context, and how errors are told. Below everything else: it imports nothing of Docket.

pub mod canonical;
mod causes;
mod families;
mod logs;
mod metrics;
pub mod names;
mod trace;

pub use canonical::{AttemptLine, AttemptOutcome, attempt_line, sample_successes};
pub use causes::{causes, chain, deepest};
pub use families::{FAMILIES, Family, Label, Owner, Type, Values};
pub use logs::{DroppedLines, LogError, LogFormat, LogGuard, LogOutput, LogSettings, init, subscriber};
pub use metrics::{InstallError, Known, Metrics, UPKEEP, touch, withdraw};
pub use trace::{TraceParent, TraceParentError};
