//! Names: which exchanges and queues there are. Pure.

use crate::fleet::job::Band;

/// Durable direct exchange of all jobs: the routing key is the queue's name.
pub const JOBS_EXCHANGE: &str = "docket.jobs";
/// Exchange, queue and routing key of the dead letters.
pub const DEAD: &str = "docket.dead";
/// A lane's name is part of a queue's name, which AMQP limits to 255 bytes; this is enough for people.
const MAX_LANE_BYTES: usize = 100;

/// The queue of a band of a lane, and its routing key.
#[must_use]
pub fn queue_name(lane: &str, band: Band) -> String {
    ["docket.", lane, ".", band.as_str()].concat()
}

/// The exchange that says: the broker has not been wiped since this generation.
#[must_use]
pub fn generation_exchange(generation: i32) -> String {
    format!("docket.gen.{generation}")
}

/// What the broker must hold, from configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    lanes: Vec<String>,
    /// A lane's queue refuses publishes (nack) beyond this many ready messages. A soft bound that protects the broker:
    /// the fleet's own window is far below it.
    pub max_length: u32,
    /// A message that was delivered so often and never acknowledged goes to docket.dead: the backstop for what no
    /// worker ever took. The ledger finds its job again (R3).
    pub delivery_limit: u32,
    /// Major version of RabbitMQ. From 4 on a quorum queue has a delivery limit unless it is switched off.
    pub broker_major: u8,
}

/// Why a list of lanes makes no topology.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopologyError {
    /// Not a name that can be part of a queue's name and of a policy's pattern.
    #[error("lane {0:?} is not a name: use 1 to {MAX_LANE_BYTES} characters of a-z, 0-9, _ and -")]
    Lane(String),
    /// The same lane twice.
    #[error("lane {0:?} is listed twice: name it once")]
    Twice(String),
    /// No lanes at all.
    #[error("no lanes: name at least one")]
    Empty,
}

impl Topology {
    /// Bounds that suit one node: 50,000 ready messages a queue, 50 deliveries a message, RabbitMQ 3.10 to 3.13.
    ///
    /// # Errors
    /// No lanes, a lane twice, or a name with other characters than a-z, 0-9, `_` and `-`.
    pub fn new(lanes: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, TopologyError> {
        let lanes: Vec<String> = lanes.into_iter().map(Into::into).collect();
        if lanes.is_empty() {
            return Err(TopologyError::Empty);
        }
        for (index, lane) in lanes.iter().enumerate() {
            if !is_lane(lane) {
                return Err(TopologyError::Lane(lane.chars().take(MAX_LANE_BYTES).collect()));
            }
            if lanes[..index].contains(lane) {
                return Err(TopologyError::Twice(lane.clone()));
            }
        }
        Ok(Self { lanes, max_length: 50_000, delivery_limit: 50, broker_major: 3 })
    }

    /// The lanes, in the order of configuration.
    #[must_use]
    pub fn lanes(&self) -> &[String] {
        &self.lanes
    }

    /// The lanes' queues, each lane from high to low.
    pub fn queues(&self) -> impl Iterator<Item = String> {
        self.lanes.iter().flat_map(|lane| Band::ALL.map(|band| queue_name(lane, band)))
    }
}

fn is_lane(name: &str) -> bool {
    let legal = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_' || c == b'-';
    !name.is_empty() && name.len() <= MAX_LANE_BYTES && name.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_has_three_queues() {
        let topology = Topology::new(["default", "pdf-2"]).expect("good names");
        let queues: Vec<_> = topology.queues().collect();
        assert_eq!(
            queues,
            [
                "docket.default.high",
                "docket.default.normal",
                "docket.default.low",
                "docket.pdf-2.high",
                "docket.pdf-2.normal",
                "docket.pdf-2.low"
            ]
        );
        assert_eq!(generation_exchange(7), "docket.gen.7");
    }

    #[test]
    fn bad_lanes_are_named() {
        for bad in ["", "Default", "a.b", "a b", "ä", "a\n", "*", "#", &"x".repeat(MAX_LANE_BYTES + 1)] {
            assert!(matches!(Topology::new([bad]), Err(TopologyError::Lane(_))), "accepted {bad:?}");
        }
        assert_eq!(Topology::new(["a", "b", "a"]), Err(TopologyError::Twice("a".to_owned())));
        assert_eq!(Topology::new(Vec::<String>::new()), Err(TopologyError::Empty));
    }
}
