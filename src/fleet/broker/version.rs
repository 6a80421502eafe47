//! RabbitMQ's versions: what of their differences touches Docket. Pure.
//!
//! 3.10 was measured on 3.10.8. The other rows are RabbitMQ's release notes, documentation and source, and were not
//! tried against a broker:
//!
//! | | 3.10 to 3.12 | 3.13 | 4.0 to 4.2 | 4.3 |
//! |---|---|---|---|---|
//! | delivery limit of a quorum queue | none | none | 20 | 20, failed deliveries only |
//! | policy `delivery-limit` −1 | 400 | 400 | no limit | no limit |
//! | `x-max-priority` on a quorum queue | 406 | 406 | not recorded | ignored |
//! | `x-queue-mode`, `x-queue-version` on a classic queue | taken | taken | taken | declare fails |
//! | durable = false, not exclusive | taken | deprecated | deprecated | refused |
//! | consumer timeout | closes the channel | the same, also by policy | the same | cancels the consumer |
//! | largest message | 128 MiB | 128 MiB | 16 MiB | 16 MiB |
//!
//! So Docket sends nothing that a version could refuse: queues carry `x-queue-type` alone, and the one value that
//! differs, the limit of docket.dead, goes by this table.

use super::management::{Policy, Queue};
use super::topology::DEAD;
use serde::Serialize;
use std::{fmt, str::FromStr};

/// A version of RabbitMQ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct BrokerVersion {
    /// 3 in 3.10.8.
    pub major: u8,
    /// 10 in 3.10.8.
    pub minor: u8,
    /// 8 in 3.10.8.
    pub patch: u16,
}

/// A text that names no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a version of RabbitMQ: write it like 3.10.8 or 4.2")]
pub struct NoVersion;

impl FromStr for BrokerVersion {
    type Err = NoVersion;

    /// `3.10.8`, `4.2`, `4.3.0-rc.1`, `3.13.7+2`.
    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let number = text.split(['-', '+']).next().unwrap_or_default();
        let mut parts = number.split('.');
        let (major, minor) = (parts.next().ok_or(NoVersion)?, parts.next().ok_or(NoVersion)?);
        let patch = parts.next().unwrap_or("0");
        if parts.next().is_some() {
            return Err(NoVersion);
        }
        Ok(Self {
            major: major.parse().map_err(|_| NoVersion)?,
            minor: minor.parse().map_err(|_| NoVersion)?,
            patch: patch.parse().map_err(|_| NoVersion)?,
        })
    }
}

impl fmt::Display for BrokerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// What a broker does with a delivery that is not acknowledged in time (`consumer_timeout`, 30 minutes unless set).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerTimeout {
    /// Closes the channel, for all types of queues.
    ClosesChannel,
    /// Cancels the consumer, for quorum queues alone.
    CancelsConsumer,
}

/// What is recorded of a series of versions, see the [module](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionFacts {
    /// The first and the last of the series, as (major, minor).
    pub series: ((u8, u8), (u8, u8)),
    /// Whether Docket's tests ran against a broker of it.
    pub tested: bool,
    /// After how many deliveries a quorum queue drops a message if no policy says otherwise.
    pub delivery_limit: Option<u32>,
    /// Whether the policy `delivery-limit` −1 is taken, for no limit.
    pub takes_no_limit: bool,
    /// Whether a quorum queue with `x-max-priority` is refused; `None`: not recorded.
    pub refuses_max_priority: Option<bool>,
    /// Arguments with which a classic queue is refused.
    pub refused_arguments: &'static [&'static str],
    /// Whether queues that don't outlive the broker and belong to no connection are refused.
    pub refuses_transient: bool,
    /// What a late acknowledgement costs.
    pub consumer_timeout: ConsumerTimeout,
    /// Largest message in bytes, unless configured.
    pub max_message_bytes: u64,
}

const THREE_10: VersionFacts = VersionFacts {
    series: ((3, 10), (3, 12)),
    tested: true,
    delivery_limit: None,
    takes_no_limit: false,
    refuses_max_priority: Some(true),
    refused_arguments: &[],
    refuses_transient: false,
    consumer_timeout: ConsumerTimeout::ClosesChannel,
    max_message_bytes: 128 * 1024 * 1024,
};
const THREE_13: VersionFacts = VersionFacts { series: ((3, 13), (3, 13)), tested: false, ..THREE_10 };
const FOUR_0: VersionFacts = VersionFacts {
    series: ((4, 0), (4, 2)),
    delivery_limit: Some(20),
    takes_no_limit: true,
    refuses_max_priority: None,
    max_message_bytes: 16 * 1024 * 1024,
    ..THREE_13
};
const FOUR_3: VersionFacts = VersionFacts {
    series: ((4, 3), (4, 3)),
    refuses_max_priority: Some(false),
    refused_arguments: &["x-queue-mode", "x-queue-version"],
    refuses_transient: true,
    consumer_timeout: ConsumerTimeout::CancelsConsumer,
    ..FOUR_0
};

/// All series, the oldest first.
pub const FACTS: [VersionFacts; 4] = [THREE_10, THREE_13, FOUR_0, FOUR_3];

/// How far a version is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It lacks what Docket needs: at-least-once dead-lettering came with 3.10.
    TooOld,
    /// Facts are recorded.
    Yes(VersionFacts),
    /// Newer than the table: the newest row is used.
    Newer(VersionFacts),
}

/// What is recorded of a version.
#[must_use]
pub fn known(version: BrokerVersion) -> Known {
    let at = (version.major, version.minor);
    if at < FACTS[0].series.0 {
        return Known::TooOld;
    }
    let newest = FACTS[FACTS.len() - 1];
    match FACTS.iter().find(|facts| at <= facts.series.1) {
        Some(facts) => Known::Yes(*facts),
        None => Known::Newer(newest),
    }
}

impl VersionFacts {
    /// What a broker of this series would refuse of these queues and policies, or do other than meant.
    #[must_use]
    pub fn objections(&self, queues: &[Queue], policies: &[Policy]) -> Vec<String> {
        let mut objections = Vec::new();
        for queue in queues {
            let (name, is_quorum) = (&queue.name, queue.type_name() == "quorum");
            if is_quorum && self.refuses_max_priority == Some(true) && queue.arguments.contains_key("x-max-priority") {
                objections.push(format!("queue {name}: a quorum queue with x-max-priority is refused"));
            }
            let refused = self.refused_arguments.iter().filter(|key| !is_quorum && queue.arguments.contains_key(**key));
            objections.extend(refused.map(|key| format!("queue {name}: {key} is refused")));
            if self.refuses_transient && !queue.durable && !queue.exclusive {
                objections.push(format!("queue {name}: a queue that is not durable is refused"));
            }
        }
        for policy in policies {
            let limit = policy.definition.get("delivery-limit").and_then(serde_json::Value::as_i64);
            if limit.is_some_and(|limit| limit < 0) && !self.takes_no_limit {
                objections.push(format!("policy {}: delivery-limit -1 is refused", policy.name));
            }
            // Each pass over the dead letters is a delivery.
            if policy.pattern.contains(r"docket\.dead") && limit.is_none() && self.delivery_limit.is_some() {
                objections
                    .push(format!("policy {}: without delivery-limit -1, {DEAD} drops dead letters", policy.name));
            }
        }
        objections
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn version(text: &str) -> BrokerVersion {
        text.parse().expect("a version")
    }

    fn facts(text: &str) -> VersionFacts {
        match known(version(text)) {
            Known::Yes(facts) => facts,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(version("3.10.8").to_string(), "3.10.8");
        assert_eq!(version("4.3.0-rc.1"), version("4.3"));
        assert_eq!(version("3.13.7+2").patch, 7);
        for bad in ["", "4", "a.b", "3.10.8.1", "300.1", "-1.2", "3..1"] {
            assert_eq!(bad.parse::<BrokerVersion>(), Err(NoVersion), "{bad}");
        }
    }

    #[test]
    fn the_series_are_without_gaps_and_the_rest_is_too_old_or_newer() {
        for (text, series) in [("3.10.0", 0), ("3.12.14", 0), ("3.13.7", 1), ("4.0.1", 2), ("4.2.9", 2), ("4.3.0", 3)] {
            assert_eq!(facts(text), FACTS[series], "{text}");
        }
        assert_eq!(known(version("3.9.29")), Known::TooOld);
        assert_eq!(known(version("4.4.0")), Known::Newer(FACTS[3]));
        assert_eq!(known(version("5.0.0")), Known::Newer(FACTS[3]));
    }

    #[test]
    fn what_each_series_objects_to() {
        let queue = |value| serde_json::from_value::<Queue>(value).expect("a queue");
        let quorum =
            queue(json!({"name": "q", "durable": true, "arguments": {"x-queue-type": "quorum", "x-max-priority": 5}}));
        let lazy = queue(json!({"name": "c", "durable": true, "arguments": {"x-queue-mode": "lazy"}}));
        let transient = queue(json!({"name": "t", "arguments": {}}));
        let all = [quorum, lazy, transient];
        let objections = |text| facts(text).objections(&all, &[]);
        assert_eq!(objections("3.10.8"), ["queue q: a quorum queue with x-max-priority is refused"]);
        assert_eq!(objections("3.13.0").len(), 1);
        assert!(objections("4.1.0").is_empty());
        assert_eq!(
            objections("4.3.0"),
            ["queue c: x-queue-mode is refused", "queue t: a queue that is not durable is refused"]
        );
    }
}
