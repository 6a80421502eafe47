//! All lanes together, by state: the numbers at the top of the statistics.

use super::stats::{LaneStats, QueueStats};
use serde::{Serialize, Serializer, ser::SerializeStruct};

/// Jobs of all lanes, by state. In exact statistics they add up to the rows of `jobs`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Runnable and held.
    pub pending: i64,
    /// A broker message points to them.
    pub queued: i64,
    /// A worker holds them.
    pub processing: i64,
    /// Done. None: not counted, ask for exact statistics.
    pub completed: Option<i64>,
    /// Ended by a non-retryable error.
    pub failed: i64,
    /// Ended by the last attempt.
    pub dead_letter: i64,
    /// Ended by an operator or a handler. None: not counted.
    pub cancelled: Option<i64>,
}

impl QueueStats {
    /// All lanes together.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let sum = |of: fn(&LaneStats) -> i64| self.lanes.values().map(of).sum();
        Totals {
            pending: sum(|lane| lane.runnable + lane.held_total()),
            queued: sum(|lane| lane.queued),
            processing: sum(|lane| lane.processing),
            completed: self.exact.then(|| sum(|lane| lane.completed.unwrap_or(0))),
            failed: sum(|lane| lane.failed),
            dead_letter: sum(|lane| lane.dead_letter),
            cancelled: self.exact.then(|| sum(|lane| lane.cancelled.unwrap_or(0))),
        }
    }
}

/// The totals stand beside the lanes, so that a reader need not add.
impl Serialize for QueueStats {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let totals = self.totals();
        let mut object = serializer.serialize_struct("QueueStats", 9)?;
        object.serialize_field("exact", &self.exact)?;
        object.serialize_field("pending", &totals.pending)?;
        object.serialize_field("queued", &totals.queued)?;
        object.serialize_field("processing", &totals.processing)?;
        object.serialize_field("completed", &totals.completed)?;
        object.serialize_field("failed", &totals.failed)?;
        object.serialize_field("dead_letter", &totals.dead_letter)?;
        object.serialize_field("cancelled", &totals.cancelled)?;
        object.serialize_field("lanes", &self.lanes)?;
        object.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn stats(exact: bool) -> QueueStats {
        let ended = exact.then_some(4);
        let lane = |runnable| LaneStats {
            runnable,
            held: [("retry".to_owned(), 2), ("paused".to_owned(), 1)].into(),
            queued: 3,
            completed: ended,
            cancelled: ended,
            dead_letter: 1,
            ..LaneStats::default()
        };
        QueueStats { exact, lanes: [("a".to_owned(), lane(5)), ("b".to_owned(), lane(0))].into() }
    }

    #[test]
    fn lanes_are_added() {
        let json = serde_json::to_value(stats(true)).unwrap();
        for (name, value) in [("pending", 11), ("queued", 6), ("processing", 0), ("completed", 8), ("cancelled", 8)] {
            assert_eq!(json[name], value, "{name}");
        }
        assert_eq!((&json["failed"], &json["dead_letter"]), (&json!(0), &json!(2)));
        assert!(json["lanes"]["a"].is_object());
    }

    #[test]
    fn what_was_not_counted_is_null_and_dead_letters_are_a_number() {
        for (stats, uncounted) in
            [(stats(false), Value::Null), (QueueStats { exact: true, ..QueueStats::default() }, json!(0))]
        {
            let json = serde_json::to_value(stats).unwrap();
            assert_eq!((&json["completed"], &json["cancelled"]), (&uncounted, &uncounted));
            assert!(json["dead_letter"].is_i64(), "{json}");
        }
    }
}
