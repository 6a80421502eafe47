//! The asynchronous runtime, as it tells of itself.

use super::super::names::{TOKIO_QUEUE, TOKIO_TASKS, TOKIO_WORKERS};
use ::metrics::gauge;
use tokio::runtime::Handle;

/// Sets the gauges of the runtime that renders the page; outside of one there is nothing to tell.
pub(super) fn sample() {
    let Ok(handle) = Handle::try_current() else { return };
    let runtime = handle.metrics();
    let gauges = [
        (TOKIO_WORKERS, runtime.num_workers()),
        (TOKIO_TASKS, runtime.num_alive_tasks()),
        (TOKIO_QUEUE, runtime.global_queue_depth()),
    ];
    for (name, value) in gauges {
        #[expect(clippy::cast_precision_loss, reason = "gauges are floating point; counts stay far below 2^53")]
        gauge!(name).set(value as f64);
    }
}
