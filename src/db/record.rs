//! Counts and times of what is asked of the database.

use crate::telemetry::names::{DB_DURATION, DB_OPERATIONS, ERRORS};
use tokio::time::Instant;

/// One operation is over. `operation` is one of a fixed set of names.
pub fn record(operation: &'static str, begun: Instant, is_ok: bool) {
    let status = if is_ok { "ok" } else { "error" };
    metrics::counter!(DB_OPERATIONS, "operation" => operation, "status" => status).increment(1);
    if !is_ok {
        metrics::counter!(ERRORS, "component" => "database", "type" => "database").increment(1);
    }
    metrics::histogram!(DB_DURATION, "operation" => operation).record(begun.elapsed().as_secs_f64());
}
