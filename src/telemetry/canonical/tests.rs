//! The golden line of each outcome.

use super::*;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing_subscriber::{Layer, layer::SubscriberExt};

#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<Map<String, Value>>>>);

impl<S: tracing::Subscriber> Layer<S> for Capture {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        fields.0.insert("level".to_owned(), event.metadata().level().as_str().into());
        self.0.lock().unwrap().push(fields.0);
    }
}

struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

fn lines(body: impl FnOnce()) -> Vec<Value> {
    let capture = Capture::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(capture.clone()), body);
    let lines = capture.0.lock().unwrap().clone();
    lines.into_iter().map(Value::Object).collect()
}

fn line(outcome: AttemptOutcome) -> AttemptLine<'static> {
    AttemptLine {
        outcome,
        job_id: 7,
        kind: "greet",
        attempt: 2,
        duration: Duration::from_micros(1_500_900),
        wait: Duration::from_millis(20),
        trace_id: Some(Uuid::from_u128(0xab)),
        error: None,
    }
}

#[test]
fn an_attempt_is_one_line_with_all_that_is_known() {
    let dead = AttemptLine { error: Some(("timeout", "no answer")), ..line(AttemptOutcome::DeadLetter) };
    let golden = json!({
        "level": "ERROR", "event": "job.dead_letter", "outcome": "dead_letter", "job.id": 7, "job.kind": "greet",
        "attempt": 2, "duration_ms": 1500, "wait_ms": 20, "trace_id": "000000000000000000000000000000ab",
        "error.class": "timeout", "error": "no answer", "message": "attempt ended",
    });
    assert_eq!(lines(|| attempt_line(&dead)), [golden]);
}

#[test]
fn the_level_tells_how_bad_it_is_and_no_failure_is_left_out() {
    for outcome in AttemptOutcome::ALL {
        let level = match outcome {
            AttemptOutcome::Retried => "WARN",
            AttemptOutcome::Failed | AttemptOutcome::DeadLetter => "ERROR",
            _ => "INFO",
        };
        let written = lines(|| (0..500).for_each(|_| attempt_line(&line(outcome))));
        assert!(written.iter().all(|l| l["level"] == level && l["event"] == outcome.event()), "{outcome}");
        // Some 100 a second, and this loop may take a moment: the sampler has tests of its own.
        assert_eq!(written.len() == 500, outcome != AttemptOutcome::Completed, "{outcome}");
        assert!(!written.is_empty(), "{outcome}");
    }
}
