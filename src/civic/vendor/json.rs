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

    proptest! {
        #[test]
        fn within_the_budget_it_is_serde_json(text in "[\\[\\]{}\",:0-9a-z.eE+\\\\ -]{0,60}") {
            let theirs: Option<Value> = serde_json::from_str(&text).ok();
            prop_assert_eq!(read(&text, BUDGET).ok(), theirs);
        }
    }
}
