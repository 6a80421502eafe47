//! What goes out, as AMQP sees it.

use super::{
    headers::{Headers, cut},
    topology::{DEAD, JOBS_EXCHANGE, queue_name},
};
use crate::fleet::{
    job::{Band, Envelope, JobId, MessageId, Pointer},
    ports::{DeadLetter, Dispatch, Outgoing},
};
use lapin::{
    BasicProperties,
    types::{ShortString, ShortStringError},
};
use serde_json::json;

/// The error text of a dead letter is cut here; the ledger has all of it.
const MAX_ERROR_BYTES: usize = 4 * 1024;

/// How the id of a message without jobs begins.
const PROBE: &str = "probe:";

/// A message as AMQP carries it: where it goes, its headers and its body. It is built without a broker, so what that
/// costs can be measured alone.
pub struct Message {
    pub(super) exchange: &'static str,
    pub(super) routing_key: ShortString,
    /// Unique among what is in flight, so that a return can be told from another's.
    pub(super) id: ShortString,
    pub(super) body: Vec<u8>,
    pub(super) properties: BasicProperties,
}

impl Message {
    /// Writes headers and body.
    ///
    /// # Errors
    /// When the queue's name is longer than AMQP allows.
    pub fn new(outgoing: &Outgoing) -> Result<Self, ShortStringError> {
        match outgoing {
            Outgoing::Jobs(dispatch) => jobs(dispatch),
            Outgoing::Probe { lane, band } => probe(lane, *band),
            Outgoing::Dead(letter) => dead(letter),
        }
    }

    /// Neither a probe nor the copy of a dead letter.
    pub(super) fn carries_jobs(&self) -> bool {
        self.exchange == JOBS_EXCHANGE && !self.id.as_str().starts_with(PROBE)
    }
}

fn jobs(dispatch: &Dispatch) -> Result<Message, ShortStringError> {
    let id = ShortString::try_new(dispatch.message.to_string())?;
    let mut headers = Headers::default()
        .text("x-job-kind", &dispatch.kind)
        .number("x-jobs", i64::try_from(dispatch.jobs.len()).unwrap_or(i64::MAX));
    // The headers are exact for one pointer and describe the first one otherwise.
    if let Some(first) = dispatch.jobs.first() {
        headers = headers
            .number("x-priority", first.priority)
            .number("x-retry-count", first.failures)
            .number("x-max-attempts", first.max_attempts)
            .number("x-epoch", first.pointer.epoch())
            .trace(first.trace_id, dispatch.message.0);
    }
    let pointers = dispatch.jobs.iter().map(|picked| picked.pointer).collect();
    Ok(Message {
        exchange: JOBS_EXCHANGE,
        routing_key: ShortString::try_new(queue_name(&dispatch.lane, dispatch.band))?,
        properties: headers.into_properties(&id),
        body: Envelope::new(dispatch.message, pointers).encode(),
        id,
    })
}

fn probe(lane: &str, band: Band) -> Result<Message, ShortStringError> {
    let id = ShortString::try_new(format!("{PROBE}{}", uuid::Uuid::new_v4().simple()))?;
    Ok(Message {
        exchange: JOBS_EXCHANGE,
        routing_key: ShortString::try_new(queue_name(lane, band))?,
        properties: Headers::default().number("x-jobs", 0).into_properties(&id),
        body: Envelope::new(MessageId(0), Vec::new()).encode(),
        id,
    })
}

fn dead(letter: &DeadLetter) -> Result<Message, ShortStringError> {
    let id = ShortString::try_new(format!("{}:{}", letter.id, letter.epoch))?;
    let headers = Headers::default()
        .text("x-job-kind", &letter.kind)
        .text("x-lane", &letter.lane)
        .text("x-error-class", &letter.error_class)
        .text("x-error", &letter.error)
        .number("x-priority", letter.priority)
        .number("x-retry-count", letter.failures)
        .number("x-losses", letter.losses)
        .number("x-max-attempts", letter.max_attempts)
        .number("x-epoch", letter.epoch)
        .trace(letter.trace_id, letter.id.0);
    let body = json!({
        "id": letter.id, "epoch": letter.epoch, "kind": letter.kind, "lane": letter.lane,
        "error_class": letter.error_class, "error": cut(&letter.error, MAX_ERROR_BYTES),
        "failures": letter.failures, "losses": letter.losses, "max_attempts": letter.max_attempts,
        "priority": letter.priority, "trace": letter.trace_id,
    });
    Ok(Message {
        exchange: DEAD,
        routing_key: DEAD.into(),
        properties: headers.into_properties(&id),
        body: body.to_string().into_bytes(),
        id,
    })
}

/// The pointer in the `message_id` of a dead letter's copy; none for what the fleet didn't publish there.
pub(super) fn dead_pointer(message_id: &str) -> Option<Pointer> {
    let (id, epoch) = message_id.split_once(':')?;
    let pointer = Pointer(JobId(id.parse().ok()?), epoch.parse().ok()?);
    // Only the exact form: "+7:1" or "07:1" are not ours.
    (pointer.id().0 > 0 && pointer.epoch() > 0 && format!("{}:{}", pointer.id(), pointer.epoch()) == message_id)
        .then_some(pointer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{broker::headers::as_text, ports::Picked};
    use serde_json::Value;

    fn headers(message: &Message) -> Value {
        serde_json::from_str(&as_text(&message.properties)).expect("JSON")
    }

    fn dispatch(lane: &str) -> Outgoing {
        let picked = |id| Picked {
            pointer: Pointer(JobId(id), 3),
            priority: 80,
            failures: 1,
            max_attempts: 3,
            trace_id: Some(uuid::Uuid::from_u128(1)),
        };
        let jobs = vec![picked(5), picked(6)];
        let message = MessageId(7);
        Outgoing::Jobs(Dispatch { message, lane: lane.to_owned(), band: Band::Normal, kind: "greet".to_owned(), jobs })
    }

    #[test]
    fn jobs_are_pointers_and_a_story() {
        let message = Message::new(&dispatch("default")).expect("short names");
        assert_eq!((message.exchange, message.routing_key.as_str()), ("docket.jobs", "docket.default.normal"));
        assert_eq!(String::from_utf8_lossy(&message.body), r#"{"v":1,"m":7,"jobs":[[5,3],[6,3]]}"#);
        let trace = "00-00000000000000000000000000000001-0000000000000007-01";
        let expected = json!({"message_id": "7", "traceparent": trace, "x-epoch": 3, "x-job-kind": "greet",
            "x-jobs": 2, "x-max-attempts": 3, "x-priority": 80, "x-retry-count": 1});
        assert_eq!(headers(&message), expected);
    }

    #[test]
    fn a_lane_that_amqp_cant_name_is_refused() {
        assert!(Message::new(&dispatch(&"x".repeat(300))).is_err());
    }

    #[test]
    fn a_dead_letter_tells_why() {
        let letter = DeadLetter {
            id: JobId(9),
            epoch: 4,
            kind: "greet".to_owned(),
            lane: "default".to_owned(),
            error_class: "timeout".to_owned(),
            error: "x".repeat(100_000),
            failures: 3,
            losses: 0,
            priority: -20,
            max_attempts: 3,
            trace_id: None,
        };
        let message = Message::new(&Outgoing::Dead(letter)).expect("short names");
        assert_eq!((message.exchange, message.routing_key.as_str()), ("docket.dead", "docket.dead"));
        let body: Value = serde_json::from_slice(&message.body).expect("JSON");
        assert_eq!((&body["id"], &body["failures"], &body["priority"]), (&json!(9), &json!(3), &json!(-20)));
        assert_eq!(body["error"].as_str().map(str::len), Some(MAX_ERROR_BYTES));
        assert_eq!(dead_pointer(message.id.as_str()), Some(Pointer(JobId(9), 4)));
    }

    #[test]
    fn foreign_ids_are_no_pointers() {
        for id in
            ["", "7", "7:", ":1", "7:1:2", "+7:1", "07:1", "0:1", "7:0", "7:-1", "99999999999999999999:1", "probe:1"]
        {
            assert_eq!(dead_pointer(id), None, "{id:?}");
        }
    }
}
