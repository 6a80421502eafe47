//! Strangers' JSON, within a budget of memory: sixteen megabytes of `{"":0},` would become more than a gigabyte of values.

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::{cell::Cell, fmt};

/// What an answer may cost, in values: about 64 MiB. A thousand events of Legistar, which take 2 MB, cost 100,000.
pub(super) const BUDGET: usize = 2_000_000;
/// The first member of an object costs the node of a tree that has room for eleven.
const OBJECT: usize = 20;
/// Each further one costs its name and its place.
const MEMBER: usize = 3;

/// Reads all of a text.
///
/// # Errors
/// When it is no JSON, deeper than 128 levels, or costs more than the budget.
pub(super) fn read(text: &str, budget: usize) -> serde_json::Result<Value> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Seed(&Cell::new(budget)).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// A text whose strings hold what JSON forbids and writers write: half of a character (`\ud83d` alone), a bare tab, the
/// backslashes of a path.
pub(super) fn mended(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut chars, mut in_string) = (text.char_indices(), false);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => in_string = !in_string,
            '\\' if in_string => {
                let (escape, length) = escaped(&text[at..]);
                out.push_str(escape);
                if length > 1 {
                    chars.nth(length - 2);
                }
                continue;
            }
            c if in_string && c < ' ' => {
                out.push(' ');
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

/// What stands for the escape at the beginning, and how many characters it has.
fn escaped(text: &str) -> (&str, usize) {
    let unit = |text: &str| {
        text.strip_prefix("\\u")
            .and_then(|text| text.get(..4).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit())))
            .and_then(|hex| u16::from_str_radix(hex, 16).ok())
    };
    match (text[1..].chars().next(), unit(text)) {
        (Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't'), _) => (&text[..2], 2),
        (_, Some(0xd800..=0xdbff)) if matches!(unit(&text[6..]), Some(0xdc00..=0xdfff)) => (&text[..12], 12),
        (_, Some(0xd800..=0xdfff)) => ("\u{fffd}", 6),
        (_, Some(_)) => (&text[..6], 6),
        _ => ("\\\\", 1),
    }
}

/// What is left of the budget.
#[derive(Clone, Copy)]
struct Seed<'a>(&'a Cell<usize>);

impl Seed<'_> {
    fn spend<E: de::Error>(self, cost: usize) -> Result<(), E> {
        let left = self.0.get().checked_sub(cost).ok_or_else(|| E::custom("too many values"))?;
        self.0.set(left);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.spend(1)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(self)? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            self.spend(if members.is_empty() { OBJECT } else { MEMBER })?;
            let value = access.next_value_seed(self)?;
            members.insert(name, value);
        }
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bomb_of_values_is_refused_and_a_real_answer_is_not() {
        for bomb in ["{\"\":0},", "[],", "1,", "{},", "{\"a\":{\"a\":{\"a\":{}}}},", "null,"] {
            let text = format!("[{}1]", bomb.repeat((16 << 20) / bomb.len()));
            let error = read(&text, BUDGET).expect_err(bomb).to_string();
            assert!(error.contains("too many values"), "{bomb}: {error}");
        }
        let row =
            r#"{"EventId":1,"EventGuid":"0A4C","EventDate":"2031-03-04T00:00:00","EventTime":null,"EventItems":[]},"#;
        let page = format!("[{}1]", row.repeat(10_000));
        assert!(read(&page, BUDGET).is_ok(), "ten times a page");
    }

    #[test]
    fn faults_are_those_of_the_parser() {
        for text in ["", "[1", "[1] 2", "{\"a\" 1}", "1e999", &"[".repeat(1_000_000)] {
            let (ours, theirs) = (read(text, BUDGET).unwrap_err(), serde_json::from_str::<Value>(text).unwrap_err());
            assert_eq!(ours.to_string(), theirs.to_string());
        }
    }

    #[test]
    fn what_writers_write_is_mended() {
        for (bad, want) in [
            (r#"["x \ud83d"]"#, "x \u{fffd}"),
            (r#"["\ud83d\ude00"]"#, "\u{1f600}"),
            (r#"["\ude00 y"]"#, "\u{fffd} y"),
            ("[\"a\tb\"]", "a b"),
            (r#"["C:\dir\new"]"#, "C:\\dir\new"),
            (r#"["\u12"]"#, "\\u12"),
            (r#"["a \" b"]"#, "a \" b"),
        ] {
            let value = read(&mended(bad), BUDGET).unwrap();
            assert_eq!(value, Value::from(vec![want]), "{bad}");
        }
        for bad in ["[\"a", "[\"\\", "{\"a\":}", "\\"] {
            assert!(read(&mended(bad), BUDGET).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn good_json_is_not_mended(text in "(?s).{0,40}") {
            let json = serde_json::to_string(&[text]).unwrap();
            prop_assert_eq!(mended(&json), json);
        }

        #[test]
        fn any_text_is_mended_without_a_fault(text in "[\\\\u\"dD8cC0-9\u{1f600} ]{0,30}") {
            mended(&text);
        }

        #[test]
        fn within_the_budget_it_is_serde_json(text in "[\\[\\]{}\",:0-9a-z.eE+\\\\ -]{0,60}") {
            let theirs: Option<Value> = serde_json::from_str(&text).ok();
            prop_assert_eq!(read(&text, BUDGET).ok(), theirs);
        }
    }
}
