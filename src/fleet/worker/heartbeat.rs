//! The heartbeat: proof of life, and R6, the comparison of what the ledger thinks we hold with what we hold.

use super::{shared::Shared, signal::Stop};
use crate::{
    fleet::{
        crash::{self, Point},
        draw::draw,
        job::{MessageId, Pointer},
        ports::{Beat, Broker, Ledger, Release},
    },
    telemetry::names,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::{
    sync::{Notify, broadcast},
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

/// Beats until `stop`. A worker that can't beat for half a lease stops taking work and aborts what it runs; it keeps its
/// name, so that R6 can give the rows back without cost when it beats again.
pub(super) async fn run<L: Ledger, B: Broker>(
    shared: Arc<Shared<L, B>>,
    suspect_due: Arc<Notify>,
    mut wake: broadcast::Receiver<String>,
    stop: CancellationToken,
) {
    let mut ticks = interval(shared.protocol.heartbeat);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let cancel = format!("cancel:{}", shared.worker);
    let mut proven = Instant::now();
    let (mut strays, mut beats) = (Strays::new(), 0);
    loop {
        beats += 1;
        tokio::select! {
            biased; // all but the first do the same, so none can starve the others
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
            () = cancel_asked(&mut wake, &cancel) => {}
            () = shared.run_times.early() => {}
        }
        let before = Instant::now();
        if before - proven > shared.protocol.lease / 2 {
            give_up(&shared);
        }
        // Only what was held before the beat is sent can be missing in its answer.
        let (held, running) = (shared.held.rows(), shared.held.running());
        let patience = shared.protocol.lease / 2;
        match timeout(patience, shared.ledger.beat(shared.worker, &shared.run_times.tell())).await {
            Ok(Ok(beat)) if beat.gone => {
                give_up(&shared);
                tracing::error!(
                    event = "worker.gone",
                    worker.id = shared.worker.0,
                    "the worker's row is gone; it stops"
                );
                shared.progress.gives_up("its row is gone");
                shared.drain.cancel();
            }
            Ok(Ok(beat)) => {
                crash::point(Point::AfterHeartbeat);
                proven = before;
                shared.progress.mark();
                forget_orphans(&shared).await;
                shared.fit.send_if_modified(|fit| !std::mem::replace(fit, true));
                stop_what_is_not_ours(&shared, &beat, &running);
                strays = compare(&shared, &beat, &held, strays).await;
                if beat.suspect_due && is_chosen(&shared, beats, beat.live_workers) {
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

/// One in so many, another one at each beat.
fn is_chosen<L: Ledger, B: Broker>(shared: &Shared<L, B>, beats: i64, live_workers: i64) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "a count of workers")]
    let workers = live_workers.max(1) as f64;
    draw(shared.worker.0, beats) * workers < 1.0
}

/// Resolves when an operator cancelled a job of this worker: the next beat tells which.
async fn cancel_asked(wake: &mut broadcast::Receiver<String>, mine: &str) {
    loop {
        match wake.recv().await {
            Ok(payload) if payload == mine => return,
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Messages whose row could not be deleted when nothing of them was left.
async fn forget_orphans<L: Ledger, B: Broker>(shared: &Shared<L, B>) {
    let orphans = shared.held.take_orphans();
    if !orphans.is_empty() && shared.ledger.forget(&orphans).await.is_err() {
        shared.held.orphan(orphans);
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

fn stop_what_is_not_ours<L: Ledger, B: Broker>(shared: &Shared<L, B>, beat: &Beat, running: &BTreeSet<Pointer>) {
    let known: BTreeSet<Pointer> = beat.held.iter().map(|row| Pointer(row.id, row.epoch)).collect();
    for row in running.difference(&known) {
        shared.held.stop(*row, Stop::Lost);
    }
    for row in beat.held.iter().filter(|row| row.cancel_requested) {
        shared.held.stop(Pointer(row.id, row.epoch), Stop::Cancelled);
    }
}

/// Rows that the ledger thinks we hold and we don't, since when.
type Strays = BTreeMap<(MessageId, Pointer), Instant>;

/// R6: rows that the ledger thinks we hold, and that we have not held for a whole heartbeat, go back without cost. Not at
/// the first sight: the answer of a lease may be on its way.
async fn compare<L: Ledger, B: Broker>(
    shared: &Shared<L, B>,
    beat: &Beat,
    held_before: &BTreeSet<Pointer>,
    before: Strays,
) -> Strays {
    // Held before the beat or now: a claim may have been answered meanwhile.
    let (held_now, now) = (shared.held.rows(), Instant::now());
    let strays: Strays = beat
        .held
        .iter()
        .map(|row| (row.message, Pointer(row.id, row.epoch)))
        .filter(|(_, pointer)| !held_before.contains(pointer) && !held_now.contains(pointer))
        .map(|row| (row, before.get(&row).copied().unwrap_or(now)))
        .collect();
    // What was a stray and is gone went back by a statement that gave no answer: its message may be left.
    shared.held.orphan(before.keys().filter(|row| !strays.contains_key(row)).map(|(message, _)| *message));
    // Ticks come a little early or late.
    let age = shared.protocol.heartbeat.mul_f64(0.9);
    let ripe: Vec<(MessageId, Pointer)> =
        strays.iter().filter(|(_, since)| since.elapsed() >= age).map(|(row, _)| *row).collect();
    if !ripe.is_empty() {
        give_back(shared, &ripe).await;
    }
    strays
}

async fn give_back<L: Ledger, B: Broker>(shared: &Shared<L, B>, strays: &[(MessageId, Pointer)]) {
    let release = |(_, row): &(MessageId, Pointer)| Release { id: row.id(), epoch: row.epoch(), hold: None };
    let batch: Vec<Release> = strays.iter().map(release).collect();
    match shared.ledger.release(&batch, &[]).await {
        Ok(released) => {
            crash::point(Point::AfterStrays);
            metrics::counter!(names::RESCUED, "rule" => "R6").increment(released.len() as u64);
            tracing::warn!(
                event = "worker.strays",
                jobs = released.len(),
                "rows that this worker does not hold went back"
            );
            shared.held.orphan(strays.iter().map(|(message, _)| *message).collect::<BTreeSet<_>>());
            forget_orphans(shared).await;
        }
        Err(error) => tracing::debug!(%error, "strays are given back at a later beat"),
    }
}
