//! Logs, metric names, trace context, and how errors are told. Below everything else: it imports nothing of Docket.

pub mod canonical;
mod causes;
mod families;
mod logs;
mod metrics;
pub mod names;
mod spans;
mod trace;

pub use canonical::{AttemptLine, AttemptOutcome, attempt_line, sample_successes};
pub use causes::{causes, chain, deepest};
pub use families::{FAMILIES, Family, Label, Owner, Type, Values, document};
pub use logs::{
    LEVEL_FOR_MAX, LogError, LogFormat, LogGuard, LogOutput, LogSettings, dropped_lines, init, level, set_level,
    subscriber,
};
pub use metrics::{InstallError, Known, Metrics, UPKEEP, touch, withdraw};
pub use spans::{Attribute, OpenSpan, Span, SpanError, SpanGuard, SpanKind, SpanSettings, export_spans};
pub use trace::{TraceParent, TraceParentError, current_trace, within_trace};
