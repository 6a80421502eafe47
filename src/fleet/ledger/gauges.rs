//! The queue's gauges, exported by one process of the fleet: N exporters of one number would multiply it.

use super::{
    lock::locked_session,
    read::{LaneStats, queue_stats},
};
use crate::{
    db::{Pool, describe},
    fleet::{breaker::state::State, job::Hold},
    telemetry::{
        names::{BREAKER_STATE, DEAD_LETTER_AGE, QUEUE_HELD, QUEUE_JOBS, QUEUE_OLDEST_AGE, WORKERS},
        withdraw,
    },
};
use metrics::{Label, gauge};
use std::{collections::BTreeSet, time::Duration};
use tokio_util::sync::CancellationToken;

const WORKERS_BY_STATE: &str = "select state, count(*) from workers where state <> 'gone' and lanes <> '{}' group by 1";
const WORKER_STATES: [&str; 3] = ["up", "draining", "dead"];
/// The worst state of each vendor's breakers.
const BREAKERS_BY_VENDOR: &str = "\
select label, case when bool_or(state = 'open') then 'open' else 'half_open' end from breakers where state <> 'closed' group by 1";

/// Held by whoever exports the gauges.
const LOCK: &str = "docket gauges";
/// Reading the statistics takes milliseconds; a database that needs longer is away.
const DEADLINE: Duration = Duration::from_secs(10);
const NO_ANSWER: &str = "the database gave no answer in time";

/// Whose gauges are exported.
#[derive(Clone, Debug)]
pub struct Watched {
    /// These lanes, and all others that have jobs.
    pub lanes: Vec<String>,
    /// The labels of circuit breakers.
    pub vendors: Vec<&'static str>,
}

/// Exports the queue's gauges until `shutdown`.
///
/// While another process does, it waits to take over and exports nothing. The owner keeps one connection for itself. A
/// drained lane reports 0.
pub async fn publish_gauges(pool: Pool, watched: Watched, interval: Duration, shutdown: CancellationToken) {
    let Watched { lanes, vendors } = watched;
    let mut known: BTreeSet<String> = lanes.into_iter().collect();
    while !shutdown.is_cancelled() {
        if let Some(Err(reason)) = shutdown.run_until_cancelled(own(&pool, &mut known, &vendors, interval)).await {
            tracing::warn!(event = "gauges.stopped", error = reason, "queue gauges are not exported for now");
        }
        // No longer ours: another process may export them from here on.
        known.iter().for_each(|lane| forget(lane));
        vendors.iter().for_each(|vendor| set_breaker(vendor, None));
        WORKER_STATES.iter().for_each(|state| withdraw(WORKERS, vec![Label::new("state", *state)]));
        shutdown.run_until_cancelled(tokio::time::sleep(interval)).await;
    }
}

/// Returns when another process owns the gauges, or the database fails.
async fn own(
    pool: &Pool,
    known: &mut BTreeSet<String>,
    vendors: &[&'static str],
    interval: Duration,
) -> Result<(), String> {
    let Some(connection) = locked_session(pool, LOCK, DEADLINE).await? else { return Ok(()) };
    let mut tick = tokio::time::interval(interval);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let reading = async {
            let workers = connection.query(WORKERS_BY_STATE, &[]).await?;
            let breakers = connection.query(BREAKERS_BY_VENDOR, &[]).await?;
            Ok::<_, tokio_postgres::Error>((
                queue_stats::<tokio_postgres::Client>(&connection).await?,
                workers,
                breakers,
            ))
        };
        let reading = tokio::time::timeout(DEADLINE, reading);
        let (mut stats, workers, breakers) = reading.await.map_err(|_| NO_ANSWER)?.map_err(|e| describe(&e))?;
        set_workers(&workers);
        for vendor in vendors {
            let state = breakers.iter().find(|row| row.get::<_, &str>(0) == *vendor).map(|row| row.get(1));
            set_breaker(vendor, Some(state.unwrap_or("closed")));
        }
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

#[expect(clippy::cast_precision_loss, reason = "gauges are floating point; counts stay far below 2^53")]
fn set(lane: &str, stats: &LaneStats) {
    for (status, count) in series(stats) {
        gauge!(QUEUE_JOBS, "lane" => lane.to_owned(), "status" => status).set(count as f64);
    }
    for reason in Hold::ALL.map(Hold::as_str) {
        let count = stats.held.get(reason).copied().unwrap_or(0);
        gauge!(QUEUE_HELD, "lane" => lane.to_owned(), "reason" => reason).set(count as f64);
    }
    gauge!(QUEUE_OLDEST_AGE, "lane" => lane.to_owned()).set(stats.oldest_runnable_age_seconds.unwrap_or(0.0));
    gauge!(DEAD_LETTER_AGE, "lane" => lane.to_owned()).set(stats.oldest_dead_letter_age_seconds.unwrap_or(0.0));
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floating point; counts stay far below 2^53")]
fn set_workers(rows: &[tokio_postgres::Row]) {
    for state in WORKER_STATES {
        let row = rows.iter().find(|row| row.get::<_, &str>(0) == state);
        gauge!(WORKERS, "state" => state).set(row.map_or(0, |row| row.get::<_, i64>(1)) as f64);
    }
}

/// None: another process tells it.
fn set_breaker(vendor: &'static str, state: Option<&str>) {
    for name in State::NAMES {
        gauge!(BREAKER_STATE, "vendor" => vendor, "state" => name).set(if state == Some(name) { 1.0 } else { 0.0 });
    }
}

fn forget(lane: &str) {
    let lane = || Label::new("lane", lane.to_owned());
    for (status, _) in series(&LaneStats::default()) {
        withdraw(QUEUE_JOBS, vec![lane(), Label::new("status", status)]);
    }
    for reason in Hold::ALL.map(Hold::as_str) {
        withdraw(QUEUE_HELD, vec![lane(), Label::new("reason", reason)]);
    }
    withdraw(QUEUE_OLDEST_AGE, vec![lane()]);
    withdraw(DEAD_LETTER_AGE, vec![lane()]);
}
