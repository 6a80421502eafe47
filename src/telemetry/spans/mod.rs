//! Spans: what took how long within a trace, told to a collector of OpenTelemetry. Without a collector, or in a build without
//! the feature `otel`, nothing is recorded.

#[cfg(feature = "otel")]
mod clock;
#[cfg(not(feature = "otel"))]
#[path = "none.rs"]
mod exporter;
#[cfg(feature = "otel")]
#[path = "otlp.rs"]
mod exporter;
mod open;

pub use exporter::{SpanGuard, export_spans};
pub use open::OpenSpan;

use super::TraceParent;
use std::time::Duration;
use tokio::time::Instant;

/// Where spans go.
#[derive(Clone, Debug)]
pub struct SpanSettings {
    /// Base address of a receiver of OTLP over HTTP; `/v1/traces` is added.
    pub endpoint: String,
    /// One of so many traces is told, the same ones by every process; at least 1.
    pub one_in: u32,
    /// What this process is, such as `worker`: `service.name` is `docket-worker`.
    pub role: &'static str,
}

/// No spans can be exported.
#[derive(Debug, thiserror::Error)]
pub enum SpanError {
    /// The exporter refuses its settings.
    #[error("can't export spans to {endpoint}: {reason}; check OTEL_EXPORTER_OTLP_ENDPOINT")]
    Setup {
        /// The address.
        endpoint: String,
        /// What is wrong.
        reason: String,
    },
    /// There is an exporter already.
    #[error("spans are exported already: set it up once a process")]
    Twice,
}

/// Whose work a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// An answered request.
    Server,
    /// A processed message.
    Consumer,
    /// A call of somebody else.
    Client,
}

/// The value of an attribute. Never a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute<'a> {
    /// Words.
    Text(&'a str),
    /// A number; its unit stands in the attribute's name.
    Number(i64),
}

/// Something that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Span<'a> {
    /// Its trace; [`parent_id`](TraceParent::parent_id) is its own number, since it is the parent of whatever it causes.
    pub own: TraceParent,
    /// The span that caused it, if that is known.
    pub parent: Option<u64>,
    /// Whose work it is.
    pub kind: SpanKind,
    /// What it does, of a small set: `GET`, `process sync_city`.
    pub name: &'a str,
    /// When it began.
    pub begun: Instant,
    /// How long it took: it may be told later than it ended.
    pub took: Duration,
    /// What is known of it, by the names of OpenTelemetry's conventions where there are some.
    pub attributes: &'a [(&'static str, Attribute<'a>)],
    /// Class of its error, if it failed.
    pub error: Option<&'a str>,
}

impl Span<'_> {
    /// Whether anybody is told of this trace: otherwise there is no need to put a span together.
    #[must_use]
    pub fn is_told(trace: TraceParent) -> bool {
        trace.is_sampled() && exporter::takes(trace)
    }

    /// Hands it to the exporter, which never waits: what it has no room for is dropped.
    pub fn record(&self) {
        if Self::is_told(self.own) {
            exporter::record(self);
        }
    }
}
