//! What a pool tells of itself.

use super::Pool;
use crate::telemetry::names::{POOL_CONNECTIONS, POOL_LIMIT, POOL_WAITING};
use metrics::gauge;

/// Sets the gauges of a pool; `name` is one of the closed set in the table of families.
pub fn sample(name: &'static str, pool: &Pool) {
    let status = pool.status();
    let in_use = status.size.saturating_sub(status.available);
    #[expect(clippy::cast_precision_loss, reason = "a pool has a handful of connections")]
    for (state, count) in [("idle", status.available), ("in_use", in_use)] {
        gauge!(POOL_CONNECTIONS, "pool" => name, "state" => state).set(count as f64);
    }
    #[expect(clippy::cast_precision_loss, reason = "a pool has a handful of connections")]
    for (gauge, count) in [(POOL_LIMIT, status.max_size), (POOL_WAITING, status.waiting)] {
        gauge!(gauge, "pool" => name).set(count as f64);
    }
}
