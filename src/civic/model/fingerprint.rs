//! Hashes that tell whether content changed.

use super::{ParsedItem, unsigned};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

/// SHA-256 of canonical JSON (keys sorted, no white space), in 64 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The hash of what a value looks like in JSON.
    ///
    /// # Panics
    /// When the value has no JSON (a map whose keys are not text): a mistake in the program.
    #[must_use]
    pub fn of(value: &impl Serialize) -> Self {
        let json = serde_json::to_value(value).expect("the model's types have text keys only");
        Self::of_bytes(canonical(&json).to_string().as_bytes())
    }

    /// The hash of bytes, such as a document's.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(bytes) {
            write!(hex, "{byte:02x}").expect("writing to a string can't fail");
        }
        Self(hex)
    }

    /// The 64 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The hash of an agenda: the same whatever the order of the items in the list.
#[must_use]
pub fn items_fingerprint(items: &[ParsedItem]) -> Fingerprint {
    let sorted: BTreeMap<&str, &ParsedItem> = items.iter().map(|item| (item.vendor_id.as_str(), item)).collect();
    Fingerprint::of(&sorted.values().collect::<Vec<_>>())
}

/// Sorts the keys at every level: a feature of `serde_json` that another crate turns on must not change a hash. Addresses lose
/// their signature, which is another one at each look.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<&String, Value> = map.iter().map(|(key, value)| (key, canonical(value))).collect();
            Value::Object(sorted.into_iter().map(|(key, value)| (key.clone(), value)).collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(canonical).collect()),
        Value::String(text) => Value::String(unsigned(text).unwrap_or_else(|| text.clone())),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_keys_does_not_matter_and_the_order_of_a_list_does() {
        assert_eq!(
            Fingerprint::of(&json!({"a": 1, "b": {"c": 2, "d": 3}})),
            Fingerprint::of(&json!({"b": {"d": 3, "c": 2}, "a": 1}))
        );
        assert_ne!(Fingerprint::of(&json!([1, 2])), Fingerprint::of(&json!([2, 1])));
    }

    #[test]
    fn a_new_signature_is_no_new_content() {
        let attachment =
            |signature: &str| json!([{"url": format!("https://x.example/a.pdf?sv=1&sig={signature}&se=2")}]);
        assert_eq!(Fingerprint::of(&attachment("a")), Fingerprint::of(&attachment("b")));
        assert_ne!(Fingerprint::of(&attachment("a")), Fingerprint::of(&json!([{"url": "https://x.example/b.pdf"}])));
    }

    #[test]
    fn it_is_the_sha256_that_everyone_computes() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Fingerprint::of_bytes(b"").as_str(), empty);
    }
}
