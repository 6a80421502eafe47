//! One JSON line: keys once, secrets not at all.

use super::redact::{REDACTED, is_plain, is_secret_name, redact_text};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value};
use std::fmt;

/// The formatter writes the fields of the event first and those of the span after them, also when they have the same
/// name. Parsers would keep the last, the span's; the event knows better, so the first is kept.
struct FirstWins(Map<String, Value>);

impl<'de> Deserialize<'de> for FirstWins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = FirstWins;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a log line")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<FirstWins, A::Error> {
                let mut map = Map::new();
                while let Some((key, value)) = access.next_entry::<String, Value>()? {
                    map.entry(key).or_insert(value);
                }
                Ok(FirstWins(map))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// The line as it may leave the process. One that is no JSON object, which the formatter never writes, is dropped: it
/// could hold anything.
pub(super) fn clean(line: &[u8]) -> Option<Vec<u8>> {
    let FirstWins(mut fields) = serde_json::from_slice(line).ok()?;
    for (name, value) in &mut fields {
        redact(name, value);
    }
    let mut out = Vec::with_capacity(line.len());
    serde_json::to_writer(&mut out, &fields).ok()?;
    out.push(b'\n');
    Some(out)
}

fn redact(name: &str, value: &mut Value) {
    if is_secret_name(name) && !value.is_null() {
        *value = Value::from(REDACTED);
        return;
    }
    match value {
        Value::String(text) if is_plain(text) => {}
        Value::String(text) => *text = redact_text(text),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(name, item)),
        Value::Object(map) => map.iter_mut().for_each(|(key, item)| redact(key, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(line: &str) -> Value {
        serde_json::from_slice(&clean(line.as_bytes()).expect("an object")).expect("JSON")
    }

    #[test]
    fn the_first_of_equal_keys_stays() {
        assert_eq!(cleaned(r#"{"job.id":1,"job.id":2}"#), serde_json::json!({"job.id": 1}));
    }

    #[test]
    fn secrets_are_taken_out_at_any_depth() {
        let line = r#"{"msg":"amqp://a:b@c/","x":{"password":"p","n":[{"token":7}]}}"#;
        let expected = serde_json::json!({
            "msg": "amqp://[REDACTED]@c/", "x": {"password": "[REDACTED]", "n": [{"token": "[REDACTED]"}]}
        });
        assert_eq!(cleaned(line), expected);
    }

    #[test]
    fn what_is_no_line_is_dropped() {
        assert_eq!(clean(b"not json"), None);
        assert_eq!(clean(b"[1]"), None);
    }
}
