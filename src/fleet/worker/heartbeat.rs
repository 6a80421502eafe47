//! The heartbeat: proof of life, and R6, the comparison of what the ledger thinks we hold with what we hold.

use super::{held::Stop, shared::Shared};
use crate::{
    fleet::{
        job::Pointer,
        ports::{Beat, Broker, HeldRow, Ledger, Release},
    },
    telemetry::names,
};
use std::{collections::HashSet, sync::Arc};
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

/// Beats until `stop`. A worker that can't beat for half a lease stops taking work and aborts what it runs; it keeps its
/// name, so that R6 can give the rows back without cost when it beats again.
pub(super) async fn run<L: Ledger, B: Broker>(
    shared: Arc<Shared<L, B>>,
    suspect_due: Arc<Notify>,
    stop: CancellationToken,
) {
    let mut ticks = interval(shared.protocol.heartbeat);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut proven = Instant::now();
    let mut stray: HashSet<HeldRow> = HashSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let before = Instant::now();
        if before - proven > shared.protocol.lease / 2 {
            give_up(&shared);
        }
        // Only what was held before the beat is sent can be missing in its answer.
        let (held, running) = (shared.held.rows(), shared.held.running());
        let patience = shared.protocol.lease / 2;
        match timeout(patience, shared.ledger.beat(shared.worker)).await {
            Ok(Ok(beat)) => {
                proven = before;
                shared.fit.send_if_modified(|fit| !std::mem::replace(fit, true));
                stop_what_is_not_ours(&shared, &beat, &running);
                stray = compare(&shared, &beat, &held, &stray).await;
                if beat.suspect_due && rand::random_range(0..beat.live_workers.max(1)) == 0 {
                    suspect_due.notify_one();
                }
            }
            Ok(Err(error)) => tracing::debug!(%error, "no heartbeat"),
            Err(_) => tracing::debug!("no heartbeat within half a lease"),
        }
        if proven.elapsed() > shared.protocol.lease / 2 {
            give_up(&shared);
        }
    }
}

fn give_up<L: Ledger, B: Broker>(shared: &Shared<L, B>) {
    let was_fit = shared.fit.send_if_modified(|fit| std::mem::replace(fit, false));
    if was_fit {
        tracing::error!(
            event = "worker.unfit",
            worker.id = shared.worker.0,
            "no heartbeat for half a lease: taking nothing, aborting what runs; check the database"
        );
    }
    shared.held.stop_all(Stop::Lost);
}

fn stop_what_is_not_ours<L: Ledger, B: Broker>(shared: &Shared<L, B>, beat: &Beat, running: &HashSet<Pointer>) {
    let known: HashSet<Pointer> = beat.held.iter().map(|row| Pointer(row.id, row.epoch)).collect();
    for row in running.difference(&known) {
        shared.held.stop(*row, Stop::Lost);
    }
    for row in beat.held.iter().filter(|row| row.cancel_requested) {
        shared.held.stop(Pointer(row.id, row.epoch), Stop::Cancelled);
    }
}

/// R6: rows that the ledger thinks we hold, and that we have not held for two beats, go back without cost.
async fn compare<L: Ledger, B: Broker>(
    shared: &Shared<L, B>,
    beat: &Beat,
    held_before: &HashSet<Pointer>,
    strays_before: &HashSet<HeldRow>,
) -> HashSet<HeldRow> {
    // Held before the beat or now: a claim may have been answered meanwhile.
    let held_now = shared.held.rows();
    let is_held = |row: &HeldRow| {
        let pointer = Pointer(row.id, row.epoch);
        held_before.contains(&pointer) || held_now.contains(&pointer)
    };
    let stray: HashSet<HeldRow> = beat.held.iter().copied().filter(|row| !is_held(row)).collect();
    let twice: Vec<HeldRow> = stray.iter().copied().filter(|row| same_row_in(strays_before, row)).collect();
    if twice.is_empty() {
        return stray;
    }
    let batch: Vec<Release> = twice.iter().map(|row| Release { id: row.id, epoch: row.epoch, hold: None }).collect();
    match shared.ledger.release(&batch, &[]).await {
        Ok(released) => {
            metrics::counter!(names::RESCUED, "rule" => "R6").increment(released.len() as u64);
            tracing::warn!(
                event = "worker.strays",
                jobs = released.len(),
                "rows that this worker does not hold went back"
            );
            let messages: Vec<_> = twice.iter().map(|row| row.message).collect::<HashSet<_>>().into_iter().collect();
            if let Err(error) = shared.ledger.forget(&messages).await {
                tracing::debug!(%error, "empty messages are not forgotten yet");
            }
        }
        Err(error) => tracing::debug!(%error, "strays are given back at a later beat"),
    }
    stray
}

/// A cancel that was asked for meanwhile doesn't make it another row.
fn same_row_in(before: &HashSet<HeldRow>, row: &HeldRow) -> bool {
    [false, true].into_iter().any(|cancel_requested| before.contains(&HeldRow { cancel_requested, ..*row }))
}
