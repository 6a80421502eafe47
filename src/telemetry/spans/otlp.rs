//! Export by OTLP over HTTP: batches, a bounded queue, and a thread of its own, all of OpenTelemetry's SDK.

use super::{Attribute, Span, SpanError, SpanKind, SpanSettings, clock};
use crate::telemetry::{TraceParent, names};
use metrics::counter;
use opentelemetry::{
    InstrumentationScope, KeyValue, Value,
    trace::{SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_otlp::{SpanExporter as Otlp, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchSpanProcessor, SpanData, SpanEvents, SpanExporter, SpanLinks, SpanProcessor},
};
use std::{process, sync::OnceLock, time::Duration};

/// How long the end of a process waits for the last batch.
const FLUSH: Duration = Duration::from_secs(5);

struct Exporter {
    processor: BatchSpanProcessor,
    scope: InstrumentationScope,
    one_in: u64,
}

static EXPORTER: OnceLock<Exporter> = OnceLock::new();

/// Keep it until the end of the process: dropping it sends what waits.
#[must_use = "dropping the guard ends the export"]
#[derive(Debug)]
pub struct SpanGuard(());

impl Drop for SpanGuard {
    fn drop(&mut self) {
        if let Some(exporter) = EXPORTER.get()
            && let Err(error) = exporter.processor.shutdown_with_timeout(FLUSH)
        {
            tracing::warn!(event = "spans.unsent", %error, "the last spans are lost");
        }
    }
}

/// Tells spans from here on. Headers, compression and timeouts are those of OpenTelemetry's own variables,
/// `OTEL_EXPORTER_OTLP_HEADERS` and so on.
///
/// # Errors
/// When the settings can't be used, or it was done before.
pub fn export_spans(settings: &SpanSettings) -> Result<SpanGuard, SpanError> {
    let endpoint = format!("{}/v1/traces", settings.endpoint.trim_end_matches('/'));
    let otlp = Otlp::builder().with_http().with_endpoint(&endpoint).build();
    let otlp = otlp.map_err(|e| SpanError::Setup { endpoint, reason: e.to_string() })?;
    let mut processor = BatchSpanProcessor::builder(Counted(otlp)).build();
    processor.set_resource(&resource(settings.role));
    let scope = InstrumentationScope::builder("docket").with_version(env!("CARGO_PKG_VERSION")).build();
    let exporter = Exporter { processor, scope, one_in: settings.one_in.max(1).into() };
    EXPORTER.set(exporter).map_err(|_| SpanError::Twice)?;
    Ok(SpanGuard(()))
}

fn resource(role: &str) -> Resource {
    let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
    Resource::builder()
        .with_service_name(format!("docket-{role}"))
        .with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", format!("{host}-{}", process::id())),
        ])
        .build()
}

pub(super) fn takes(trace: TraceParent) -> bool {
    EXPORTER.get().is_some_and(|exporter| is_chosen(trace, exporter.one_in))
}

pub(super) fn record(span: &Span<'_>) {
    if let Some(exporter) = EXPORTER.get() {
        counter!(names::SPANS, "status" => "recorded").increment(1);
        exporter.processor.on_end(data(span, &exporter.scope));
    }
}

/// By the trace's number, of which the last bytes are random: whoever works on a trace decides alike.
fn is_chosen(trace: TraceParent, one_in: u64) -> bool {
    trace.trace_id().as_u64_pair().1.is_multiple_of(one_in)
}

fn data(span: &Span<'_>, scope: &InstrumentationScope) -> SpanData {
    let trace = TraceId::from(span.own.trace_id().as_u128());
    let own = SpanId::from(span.own.parent_id());
    let start_time = clock::wall(span.begun);
    let mut attributes: Vec<KeyValue> = span.attributes.iter().map(|&(name, value)| attribute(name, value)).collect();
    attributes.extend(span.error.map(|class| KeyValue::new("error.type", class.to_owned())));
    SpanData {
        span_context: SpanContext::new(trace, own, TraceFlags::SAMPLED, false, TraceState::default()),
        parent_span_id: span.parent.map_or(SpanId::INVALID, SpanId::from),
        parent_span_is_remote: false,
        span_kind: match span.kind {
            SpanKind::Server => opentelemetry::trace::SpanKind::Server,
            SpanKind::Consumer => opentelemetry::trace::SpanKind::Consumer,
            SpanKind::Client => opentelemetry::trace::SpanKind::Client,
        },
        name: span.name.to_owned().into(),
        start_time,
        end_time: start_time + span.took,
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: span.error.map_or(Status::Unset, |class| Status::error(class.to_owned())),
        instrumentation_scope: scope.clone(),
    }
}

fn attribute(name: &'static str, value: Attribute<'_>) -> KeyValue {
    let value = match value {
        Attribute::Text(text) => Value::from(text.to_owned()),
        Attribute::Number(number) => Value::from(number),
    };
    KeyValue::new(name, value)
}

/// Counts what was sent and what was not. The rest of the recorded found no room in the queue.
#[derive(Debug)]
struct Counted(Otlp);

impl SpanExporter for Counted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let result = self.0.export(batch).await;
        let status = if result.is_ok() { "exported" } else { "failed" };
        counter!(names::SPANS, "status" => status).increment(spans);
        if let Err(error) = &result {
            tracing::warn!(event = "spans.unsent", spans, %error, "the collector takes no spans; they are lost");
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::TraceParent;
    use tokio::time::Instant;
    use uuid::Uuid;

    fn span(trace: u128) -> Span<'static> {
        let own = TraceParent::new(Uuid::from_u128(trace), 7).expect("not nil");
        let attributes = &[("a", Attribute::Text("b")), ("n", Attribute::Number(-1))];
        let begun = Instant::now().checked_sub(Duration::from_mins(1)).expect("the machine has run for a minute");
        let (took, error) = (Duration::from_secs(2), Some("timeout"));
        Span { own, parent: Some(9), kind: SpanKind::Client, name: "GET", begun, took, attributes, error }
    }

    #[test]
    fn a_span_becomes_what_the_collector_wants() {
        let data = data(&span(0x1234), &InstrumentationScope::builder("docket").build());
        assert_eq!(data.span_context.trace_id().to_string(), format!("{:032x}", 0x1234));
        assert_eq!((data.span_context.span_id(), data.parent_span_id), (SpanId::from(7), SpanId::from(9)));
        assert_eq!(data.end_time.duration_since(data.start_time).expect("it ends later"), Duration::from_secs(2));
        assert!(data.end_time.elapsed().expect("it is over") >= Duration::from_secs(58), "told a minute later");
        assert_eq!(data.status, Status::error("timeout"));
        let names: Vec<&str> = data.attributes.iter().map(|pair| pair.key.as_str()).collect();
        assert_eq!(names, ["a", "n", "error.type"]);
    }

    #[test]
    fn one_in_so_many_traces_is_told_whichever_process_asks() {
        let told = (1..=1000u128).filter(|&n| is_chosen(span(n << 64 | n).own, 10)).count();
        assert_eq!(told, 100);
        assert!((1..=1000u128).all(|n| is_chosen(span(n).own, 1)));
    }
}
