//! Is the topology there? Asked over AMQP, so only in part.
//!
//! A passive declare tells that a name exists, whatever its type. Its type shows only in an active declare, which is
//! done where the account may configure and skipped where it may not. AMQP can't list bindings and policies: a missing
//! binding shows at the first publish (mandatory: returned), a missing policy in `docket doctor`, which asks the
//! management API.

use super::{
    inspect::{Found, Inspector},
    topology::{DEAD, JOBS_EXCHANGE, Topology},
};
use crate::fleet::ports::BrokerError;

/// Something that the broker lacks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopologyFault {
    /// Not there.
    #[error(
        "{what} is missing: import the topology (docket topology apply, or docket topology export and import the file)"
    )]
    Missing {
        /// Such as `queue docket.default.high`.
        what: String,
    },
    /// There, and not as Docket declares it: its arguments can't be changed.
    #[error("{what} is not as Docket declares it: drain it, delete it and import the topology ({detail})")]
    Mismatch {
        /// Such as `queue docket.default.high`.
        what: String,
        /// The broker's words.
        detail: String,
    },
    /// The broker did not say.
    #[error("{what} could not be checked: {error}")]
    Unchecked {
        /// Such as `queue docket.default.high`.
        what: String,
        /// Why not.
        error: String,
    },
}

pub(super) async fn check(inspector: &Inspector<'_>, topology: &Topology) -> Result<(), Vec<TopologyFault>> {
    let mut faults = Vec::new();
    for exchange in [JOBS_EXCHANGE, DEAD] {
        let found = match inspector.exchange(exchange, true).await {
            Ok(Found::Here(_)) => inspector.exchange(exchange, false).await.or_else(unless_refused),
            other => other.or_else(unless_refused),
        };
        faults.extend(fault(format!("exchange {exchange}"), found));
    }
    for queue in std::iter::once(DEAD.to_owned()).chain(topology.queues()) {
        let found = match inspector.queue(&queue, true).await {
            Ok(Found::Here(_)) => inspector.queue(&queue, false).await.or_else(unless_refused),
            other => other.or_else(unless_refused),
        };
        faults.extend(fault(format!("queue {queue}"), found));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// An account without the right to configure is not told the type: then being there is enough. From 3.13.16 on one
/// without any right is not even told that: it is not the one to use it.
fn unless_refused(error: BrokerError) -> Result<Found, BrokerError> {
    match error {
        BrokerError::Refused(_) => Ok(Found::Here(0)),
        other => Err(other),
    }
}

fn fault(what: String, found: Result<Found, BrokerError>) -> Option<TopologyFault> {
    match found {
        Ok(Found::Here(_)) => None,
        Ok(Found::Missing) => Some(TopologyFault::Missing { what }),
        Ok(Found::Mismatch(detail)) => Some(TopologyFault::Mismatch { what, detail }),
        Err(error) => Some(TopologyFault::Unchecked { what, error: error.to_string() }),
    }
}
