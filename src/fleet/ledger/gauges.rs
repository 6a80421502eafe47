//! The queue's gauges, exported by one process of the fleet: N exporters of one number would multiply it.

use super::{
    lock::locked_session,
    read::{LaneStats, queue_stats},
};
use crate::{
    db::{Pool, describe},
    telemetry::{
        names::{DEAD_LETTER_AGE, QUEUE_JOBS, QUEUE_OLDEST_AGE},
        withdraw,
    },
};
use metrics::{Label, gauge};
use std::{collections::BTreeSet, time::Duration};
use tokio_util::sync::CancellationToken;

/// Held by whoever exports the gauges.
const LOCK: &str = "docket gauges";
/// Reading the statistics takes milliseconds; a database that needs longer is away.
const DEADLINE: Duration = Duration::from_secs(10);
const NO_ANSWER: &str = "the database gave no answer in time";

/// Exports the gauges of these lanes, and of all others that have jobs, until `shutdown`.
///
/// While another process does, it waits to take over and exports nothing. The owner keeps one connection for itself. A
/// drained lane reports 0.
pub async fn publish_gauges(pool: Pool, lanes: Vec<String>, interval: Duration, shutdown: CancellationToken) {
    let mut known: BTreeSet<String> = lanes.into_iter().collect();
    while !shutdown.is_cancelled() {
        if let Some(Err(reason)) = shutdown.run_until_cancelled(own(&pool, &mut known, interval)).await {
            tracing::warn!(event = "gauges.stopped", error = reason, "queue gauges are not exported for now");
        }
        // No longer ours: another process may export them from here on.
        known.iter().for_each(|lane| forget(lane));
        shutdown.run_until_cancelled(tokio::time::sleep(interval)).await;
    }
}

/// Returns when another process owns the gauges, or the database fails.
async fn own(pool: &Pool, known: &mut BTreeSet<String>, interval: Duration) -> Result<(), String> {
    let Some(connection) = locked_session(pool, LOCK, DEADLINE).await? else { return Ok(()) };
    let mut tick = tokio::time::interval(interval);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let reading = tokio::time::timeout(DEADLINE, queue_stats::<tokio_postgres::Client>(&connection));
        let mut stats = reading.await.map_err(|_| NO_ANSWER)?.map_err(|e| describe(&e))?;
        known.extend(stats.lanes.keys().cloned());
        for lane in known.iter() {
            set(lane, &stats.lanes.remove(lane).unwrap_or_default());
        }
    }
}

fn series(stats: &LaneStats) -> [(&'static str, i64); 6] {
    [
        ("pending", stats.runnable),
        ("held", stats.held_total()),
        ("queued", stats.queued),
        ("processing", stats.processing),
        ("failed", stats.failed),
        ("dead_letter", stats.dead_letter),
    ]
}

fn set(lane: &str, stats: &LaneStats) {
    #[expect(clippy::cast_precision_loss, reason = "gauges are floating point; counts stay far below 2^53")]
    for (status, count) in series(stats) {
        gauge!(QUEUE_JOBS, "lane" => lane.to_owned(), "status" => status).set(count as f64);
    }
    gauge!(QUEUE_OLDEST_AGE, "lane" => lane.to_owned()).set(stats.oldest_runnable_age_seconds.unwrap_or(0.0));
    gauge!(DEAD_LETTER_AGE, "lane" => lane.to_owned()).set(stats.oldest_dead_letter_age_seconds.unwrap_or(0.0));
}

fn forget(lane: &str) {
    let lane = || Label::new("lane", lane.to_owned());
    for (status, _) in series(&LaneStats::default()) {
        withdraw(QUEUE_JOBS, vec![lane(), Label::new("status", status)]);
    }
    withdraw(QUEUE_OLDEST_AGE, vec![lane()]);
    withdraw(DEAD_LETTER_AGE, vec![lane()]);
}
