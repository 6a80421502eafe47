//! What a collector of OpenTelemetry is told, read by a small one: OTLP over HTTP, as protobuf.
//!
//! ```text
//! cargo test --features otel --test otel
//! ```

#![expect(clippy::unwrap_used, reason = "a test's helpers may panic like the test itself")]

use axum::{Router, body::Bytes, extract::State, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    common::v1::{KeyValue, any_value::Value as Any},
    trace::v1::{Span, span::SpanKind, status::StatusCode as SpanStatus},
};
use prost::Message;
use reqwest::StatusCode;
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    net::{Ipv4Addr, SocketAddr},
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
/// A process has one clock for all of its spans.
const SLACK_NS: u64 = 1_000_000;
/// Far more than it takes.
const PATIENCE: Duration = Duration::from_mins(5);

/// Spans by the `service.name` of who told them.
type Told = Arc<Mutex<Vec<(String, Span)>>>;

async fn take(State(told): State<Told>, body: Bytes) -> Vec<u8> {
    for process in ExportTraceServiceRequest::decode(body).unwrap().resource_spans {
        let service = text(&process.resource.unwrap().attributes, "service.name");
        let spans = process.scope_spans.into_iter().flat_map(|scope| scope.spans);
        told.lock().unwrap().extend(spans.map(|span| (service.clone(), span)));
    }
    ExportTraceServiceResponse::default().encode_to_vec()
}

async fn serve(routes: Router) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    addr
}

fn find<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Any> {
    attributes.iter().find(|pair| pair.key == key)?.value.as_ref()?.value.as_ref()
}

fn text(attributes: &[KeyValue], key: &str) -> String {
    match find(attributes, key) {
        Some(Any::StringValue(text)) => text.clone(),
        other => panic!("{key} is no text: {other:?}"),
    }
}

fn number(attributes: &[KeyValue], key: &str) -> i64 {
    match find(attributes, key) {
        Some(Any::IntValue(number)) => *number,
        other => panic!("{key} is no number: {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `docket demo` that stays, and where its API is.
struct Demo {
    child: Child,
    api: SocketAddr,
    report: Value,
    _dir: TempDir,
}

impl Demo {
    async fn done(env: &[(&str, String)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let api = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_docket"));
        command.args(["demo", "--json", "--stay", "--workers", "2", "--http", &api.to_string(), "--dir"]);
        command.arg(dir.path().join("d")).envs(env.iter().map(|(name, value)| (*name, value.as_str())));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("it comes to an end").unwrap().expect("a line");
        Self { child, api, report: serde_json::from_str(&line).unwrap(), _dir: dir }
    }

    async fn ask(&self, path: &str, traceparent: Option<String>) -> StatusCode {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        let request = http.get(format!("http://{}{path}", self.api));
        let request = traceparent.into_iter().fold(request, |request, trace| request.header("traceparent", trace));
        request.send().await.unwrap().status()
    }

    /// What waits is sent at the end.
    async fn end(mut self) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_is_told_of_requests_attempts_and_calls() {
    let told = Told::default();
    let collector = serve(Router::new().route("/v1/traces", post(take)).with_state(told.clone())).await;
    let demo = Demo::done(&[("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}"))]).await;
    for (path, flags) in [("/api/queue-stats", "01"), ("/api/lanes", "00"), ("/livez", "01")] {
        assert_eq!(demo.ask(path, Some(format!("00-{TRACE}-{CALLER}-{flags}"))).await, StatusCode::OK);
    }
    assert_eq!(demo.ask("/api/lanes", None).await, StatusCode::OK);
    let report = demo.report.clone();
    demo.end().await;

    let told = told.lock().unwrap().clone();
    let of = |kind: SpanKind| told.iter().filter(move |(_, span)| span.kind == i32::from(kind));

    // A request by its caller's trace, and one that begins a trace. Not sampled, or a probe: not told.
    let requests: Vec<_> = of(SpanKind::Server).cloned().collect();
    let [(service, request), (_, root)] = &requests[..] else { panic!("two requests: {requests:?}") };
    assert_eq!((&root.name[..], root.parent_span_id.len()), ("GET /api/lanes", 0));
    assert_eq!((&service[..], &request.name[..]), ("docket-dev", "GET /api/queue-stats"));
    assert_eq!((hex(&request.trace_id), hex(&request.parent_span_id)), (TRACE.to_owned(), CALLER.to_owned()));
    assert_eq!(number(&request.attributes, "http.response.status_code"), 200);

    // Each attempt once, whatever it came to.
    let attempts: HashMap<Vec<u8>, &Span> =
        of(SpanKind::Consumer).map(|(_, span)| (span.span_id.clone(), span)).collect();
    assert_eq!(attempts.len(), of(SpanKind::Consumer).count(), "numbers are not given twice");
    let mut outcomes = BTreeMap::<String, u64>::new();
    for span in attempts.values() {
        *outcomes.entry(text(&span.attributes, "docket.outcome")).or_default() += 1;
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano && number(&span.attributes, "docket.job.id") > 0);
    }
    for outcome in ["completed", "failed", "dead_letter"] {
        assert_eq!(outcomes.get(outcome).copied().unwrap_or(0), report["jobs"][outcome].as_u64().unwrap(), "{outcome}");
    }
    assert!(outcomes["retried"] > 0 && outcomes["dead_letter"] > 0, "a demonstration has faults: {outcomes:?}");

    // Each call within the attempt that made it.
    let calls: Vec<&Span> = of(SpanKind::Client).map(|(_, span)| span).collect();
    for call in &calls {
        let attempt = attempts.get(&call.parent_span_id).unwrap_or_else(|| panic!("nobody's call: {call:?}"));
        assert_eq!(call.trace_id, attempt.trace_id);
        let within = attempt.start_time_unix_nano - SLACK_NS..attempt.end_time_unix_nano + SLACK_NS;
        assert!(within.contains(&call.start_time_unix_nano) && within.contains(&call.end_time_unix_nano), "{call:?}");
    }
    let named = |name: &str| calls.iter().filter(|call| call.name == name).copied().collect::<Vec<_>>();
    // Some of a site's answers lead on: one call, and two requests.
    let (gets, requests) = (named("GET").len() as u64, report["site_requests"].as_u64().unwrap());
    assert!(gets <= requests && gets > requests / 2, "{gets} of {requests}");
    let (bad, good): (Vec<_>, Vec<_>) = named("chat")
        .into_iter()
        .partition(|call| call.status.as_ref().is_some_and(|status| status.code == i32::from(SpanStatus::Error)));
    assert!(good.iter().all(|call| number(&call.attributes, "gen_ai.usage.input_tokens") > 100));
    assert_eq!((good.len() + bad.len()) as u64, report["model_calls"].as_u64().unwrap());
    assert!(bad.iter().all(|call| text(&call.attributes, "error.type") == "server_error"));
    assert!(!good.is_empty() && !bad.is_empty(), "{} and {}", good.len(), bad.len());
}

/// A collector that is not there costs spans and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_collector_a_fleet_does_its_work() {
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let demo = Demo::done(&[("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{nobody}"))]).await;
    assert!(demo.report["jobs"]["completed"].as_u64().unwrap() > 50, "{}", demo.report);
    let page = || async { reqwest::get(format!("http://{}/metrics", demo.api)).await.unwrap().text().await.unwrap() };
    demo.ask("/api/queue-stats", None).await;
    let until = Instant::now() + Duration::from_mins(1);
    while !page().await.lines().any(|line| line == "docket_spans_total{status=\"failed\"} 1") {
        assert!(Instant::now() < until, "what was lost is counted: {}", page().await);
        sleep(Duration::from_millis(200)).await;
    }
    demo.end().await;
}
