//! A job as clients write it.

use crate::{
    fleet::gate::{Wish, WishError},
    http::Problem,
    telemetry::current_trace,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// Priorities above it, the band that goes first, are an administrator's.
pub(super) const OPERATORS_PRIORITY: i32 = 100;

/// A job to be enqueued.
#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Job, example = json!({
    "kind": "sync_city", "args": {"city": "seattle-wa", "slot": 1}, "idempotency_key": "seattle-1"
}))]
pub(super) struct JobBody {
    /// Which handler runs it.
    kind: String,
    /// Arguments of the handler, at most 64 KiB. Numbers beyond 64 bits lose digits: send them as strings.
    #[serde(default = "nothing")]
    #[schema(value_type = Object)]
    args: Value,
    /// Which workers take it; the kind's own lane if none is named.
    lane: Option<String>,
    /// −1000 to 1000, higher first; the kind's own if none is given. Above 100 needs the role admin.
    priority: Option<i32>,
    /// A job with this key that is there already stays the only one.
    pub(super) idempotency_key: Option<String>,
    /// Not before, such as 2026-07-01T09:00:00Z.
    #[schema(value_type = Option<String>, format = DateTime)]
    run_at: Option<Timestamp>,
    /// Failures until it is a dead letter; the kind's own number if none is given.
    max_attempts: Option<i16>,
    /// Also a kind that the server doesn't know; it waits for a worker that does.
    #[serde(default)]
    force: bool,
}

fn nothing() -> Value {
    Value::Object(Map::new())
}

impl JobBody {
    /// Whether only an administrator may ask for it.
    pub(super) fn is_privileged(&self) -> bool {
        self.priority.is_some_and(|priority| priority > OPERATORS_PRIORITY)
    }

    /// The field that keeps this object from being a job: the first that can't be read even alone.
    pub(super) fn culprit(object: &Map<String, Value>) -> Option<&str> {
        let alone = |(name, value): &(&String, &Value)| {
            let mut object = json!({"kind": ""});
            object[name.as_str()] = (*value).clone();
            Self::deserialize(&object).is_err()
        };
        let wrong = object.iter().find(alone).map(|(name, _)| name.as_str());
        wrong.or_else(|| (!object.contains_key("kind")).then_some("kind"))
    }
}

impl From<JobBody> for Wish {
    fn from(body: JobBody) -> Self {
        Self {
            kind: body.kind,
            args: body.args,
            lane: body.lane,
            priority: body.priority,
            idempotency_key: body.idempotency_key,
            run_at: body.run_at,
            max_attempts: body.max_attempts,
            force: body.force,
            trace_id: current_trace().map(|trace| trace.trace_id()),
        }
    }
}

/// Why a wish can't be fulfilled.
pub(super) fn refused(error: &WishError) -> Problem {
    let hint = match error {
        WishError::Unknown { .. } => "\"force\": true enqueues it for a worker that knows it",
        _ => super::body::HINT,
    };
    Problem::bad_request(error.to_string(), hint).with("field", error.field())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_that_is_wrong_is_found() {
        for (object, field) in [
            (json!({"kind": 1}), Some("kind")),
            (json!({"kind": "a", "priority": "high"}), Some("priority")),
            (json!({"kind": "a", "max_attempts": 100_000}), Some("max_attempts")),
            (json!({"kind": "a", "run_at": "tomorrow"}), Some("run_at")),
            (json!({"kind": "a", "nonsense": null}), Some("nonsense")),
            (json!({"args": {}}), Some("kind")),
            (json!({"kind": "a", "args": [1], "lane": null}), None),
        ] {
            assert_eq!(JobBody::culprit(object.as_object().unwrap()), field, "{object}");
        }
    }

    #[test]
    fn only_a_priority_that_is_asked_for_and_high_is_privileged() {
        let job = |priority: Value| JobBody::deserialize(json!({"kind": "a", "priority": priority})).unwrap();
        assert!(!job(json!(null)).is_privileged() && !job(json!(100)).is_privileged());
        assert!(job(json!(101)).is_privileged());
    }
}
