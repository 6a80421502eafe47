//! A place in a list that is ordered by a day or an instant, and then by id.

use serde::{Serialize, Serializer};
use std::{fmt, str::FromStr};

/// As text `<key>_<id>`, such as `2026-03-08_42`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor<K> {
    /// The day or the instant.
    pub key: K,
    /// The row.
    pub id: i64,
}

/// Text that is no cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a page: give the `next` of the page before")]
pub struct CursorError(String);

impl<K: fmt::Display> fmt::Display for Cursor<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.key, self.id)
    }
}

impl<K: FromStr> FromStr for Cursor<K> {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let parse = || {
            let (key, id) = text.split_once('_')?;
            Some(Self { key: key.parse().ok()?, id: id.parse().ok()? })
        };
        parse().ok_or_else(|| CursorError(text.chars().take(40).collect()))
    }
}

impl<K: fmt::Display> Serialize for Cursor<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{Timestamp, civil::Date};

    #[test]
    fn a_cursor_round_trips_and_anything_else_is_refused() {
        let day: Cursor<Date> = "2026-03-08_42".parse().unwrap();
        assert_eq!((day.to_string().as_str(), day.id), ("2026-03-08_42", 42));
        let text = "2026-03-08T18:30:00.123456Z_7";
        assert_eq!(text.parse::<Cursor<Timestamp>>().unwrap().to_string(), text);
        for bad in ["", "_", "2026-03-08", "2026-13-08_1", "2026-03-08_x", "2026-03-08_99999999999999999999"] {
            assert_eq!(bad.parse::<Cursor<Date>>(), Err(CursorError(bad.to_owned())));
        }
    }
}
