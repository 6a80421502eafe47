//! AMQP properties, written and read: all strings bounded.

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, ShortString},
};
use serde_json::{Map, Value, json};
use std::fmt::Write;
use uuid::Uuid;

/// A header string is cut here: a header tells people a story, the row decides.
const MAX_HEADER_BYTES: usize = 512;
/// The headers of a message as text are cut here.
const MAX_TEXT_BYTES: usize = 16 * 1024;
/// A `traceparent` is as long as this: its buffer need not grow.
const TRACE_PARENT_BYTES: usize = 55;
/// Tables within tables deeper than this are not shown.
const MAX_DEPTH: usize = 8;

/// The beginning of a text, cut between characters.
pub(super) fn cut(text: &str, max_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(max_bytes)]
}

/// Headers under construction.
#[derive(Default)]
pub(super) struct Headers(FieldTable);

impl Headers {
    pub(super) fn number(mut self, name: &'static str, value: impl Into<i64>) -> Self {
        self.0.insert(name.into(), AMQPValue::LongLongInt(value.into()));
        self
    }

    pub(super) fn text(mut self, name: &'static str, value: &str) -> Self {
        self.0.insert(name.into(), AMQPValue::LongString(cut(value, MAX_HEADER_BYTES).into()));
        self
    }

    /// W3C trace context. The parent is the message: `span` is its number. The standard forbids zeros.
    pub(super) fn trace(self, trace: Option<Uuid>, span: i64) -> Self {
        match trace.filter(|trace| !trace.is_nil()) {
            Some(trace) => {
                let mut parent = String::with_capacity(TRACE_PARENT_BYTES);
                write!(parent, "00-{}-{:016x}-01", trace.simple(), span.max(1)).expect("a string takes all");
                self.text("traceparent", &parent)
            }
            None => self,
        }
    }

    /// Properties of a persistent JSON message.
    pub(super) fn into_properties(self, id: &ShortString) -> BasicProperties {
        // The clock is before 1970 only on a broken machine.
        let seconds = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
        BasicProperties::default()
            .with_delivery_mode(2)
            .with_content_type("application/json".into())
            .with_message_id(id.clone())
            .with_timestamp(seconds)
            .with_headers(self.0)
    }
}

/// Message id and headers as JSON text, cut to 16 KiB.
pub(super) fn as_text(properties: &BasicProperties) -> String {
    let mut all = properties.headers().as_ref().map(|headers| table(headers, 0)).unwrap_or_default();
    if let Some(id) = properties.message_id() {
        all.insert("message_id".to_owned(), json!(id.as_str()));
    }
    let mut text = Value::Object(all).to_string();
    text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
    text
}

fn table(fields: &FieldTable, depth: usize) -> Map<String, Value> {
    fields.into_iter().map(|(name, field)| (name.to_string(), value(field, depth))).collect()
}

fn value(field: &AMQPValue, depth: usize) -> Value {
    match field {
        AMQPValue::Boolean(v) => json!(v),
        AMQPValue::ShortShortInt(v) => json!(v),
        AMQPValue::ShortShortUInt(v) => json!(v),
        AMQPValue::ShortInt(v) => json!(v),
        AMQPValue::ShortUInt(v) => json!(v),
        AMQPValue::LongInt(v) => json!(v),
        AMQPValue::LongUInt(v) => json!(v),
        AMQPValue::LongLongInt(v) => json!(v),
        AMQPValue::Float(v) => json!(v),
        AMQPValue::Double(v) => json!(v),
        AMQPValue::Timestamp(v) => json!(v),
        AMQPValue::ShortString(v) => json!(v.as_str()),
        AMQPValue::LongString(v) => json!(String::from_utf8_lossy(v.as_bytes())),
        AMQPValue::FieldArray(v) if depth < MAX_DEPTH => v.as_slice().iter().map(|v| value(v, depth + 1)).collect(),
        AMQPValue::FieldTable(v) if depth < MAX_DEPTH => Value::Object(table(v, depth + 1)),
        AMQPValue::ByteArray(v) => json!(format!("{} bytes", v.len())),
        AMQPValue::Void => Value::Null,
        AMQPValue::DecimalValue(_) | AMQPValue::FieldArray(_) | AMQPValue::FieldTable(_) => json!("(not shown)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(headers: Headers) -> BasicProperties {
        headers.into_properties(&"7".into())
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let text = as_text(&properties(Headers::default().text("x-error", &"ä".repeat(10_000))));
        let read: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read["x-error"].as_str().map(str::len), Some(MAX_HEADER_BYTES));
        assert_eq!(cut("aä", 2), "a");
    }

    #[test]
    fn the_trace_is_w3c() {
        let trace = Uuid::from_u128(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
        let text = as_text(&properties(Headers::default().trace(Some(trace), 42)));
        assert_eq!(
            text,
            r#"{"message_id":"7","traceparent":"00-0af7651916cd43dd8448eb211c80319c-000000000000002a-01"}"#
        );
        assert_eq!(as_text(&properties(Headers::default().trace(Some(Uuid::nil()), 1))), r#"{"message_id":"7"}"#);
    }

    #[test]
    fn hostile_headers_stay_bounded() {
        let mut nested = AMQPValue::Void;
        for _ in 0..200 {
            nested = AMQPValue::FieldArray(vec![nested].into());
        }
        let mut fields = FieldTable::default();
        fields.insert("deep".into(), nested);
        fields.insert("raw".into(), AMQPValue::LongString(vec![0xff; 100_000].into()));
        let text = as_text(&BasicProperties::default().with_headers(fields));
        assert!(text.len() <= MAX_TEXT_BYTES);
        assert!(text.contains("(not shown)"));
    }
}
