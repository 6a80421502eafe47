//! A suspect (a job that has lost two workers) runs alone: whoever takes it holds no other row, so that its next victim
//! tells who it was.

use super::{
    attempt,
    bundle::{self, Done},
    shared::Shared,
};
use crate::fleet::{
    crash::{self, Point},
    ports::{Broker, Ledger},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit},
    time::{sleep, timeout},
};

/// How often it looks whether the last row is booked.
const LOOK: Duration = Duration::from_millis(20);
/// A drained worker whose rows aren't booked by then gives up for this time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for the heartbeat to say that a suspect is due, drains, takes it, runs it alone.
pub(super) async fn run<L: Ledger, B: Broker>(shared: Arc<Shared<L, B>>, due: Arc<Notify>) {
    loop {
        tokio::select! {
            biased; // the drain first, here and below: nothing is taken after it
            () = shared.drain.cancelled() => return,
            () = due.notified() => {}
        }
        // All slots: nothing runs, and nothing can be claimed or leased while this permit lives.
        let all = tokio::select! {
            biased;
            () = shared.drain.cancelled() => return,
            all = shared.slots.clone().acquire_many_owned(shared.slot_count) => all,
        };
        let Ok(all) = all else { return };
        let empty = tokio::select! {
            biased;
            () = shared.drain.cancelled() => return,
            empty = timeout(PATIENCE, until_empty(&shared)) => empty.is_ok(),
        };
        if empty {
            take(&shared, all).await;
        }
    }
}

async fn until_empty<L: Ledger, B: Broker>(shared: &Shared<L, B>) {
    while !shared.held.is_empty() {
        sleep(LOOK).await;
    }
}

/// Its attempt is a task like any other, so that a shutdown's grace period holds for it too; it keeps all slots.
async fn take<L: Ledger, B: Broker>(shared: &Arc<Shared<L, B>>, all: OwnedSemaphorePermit) {
    for lane in &shared.lanes {
        if !*shared.fit.borrow() || shared.drain.is_cancelled() {
            return;
        }
        match shared.ledger.lease_suspect(shared.worker, lane, &shared.kinds).await {
            Ok(Some(job)) => {
                crash::point(Point::AfterSuspectLease);
                tracing::warn!(
                    event = "job.suspect",
                    job.id = job.id.0,
                    losses = job.losses,
                    "running a suspect alone"
                );
                let signals = shared.held.leased(std::slice::from_ref(&job));
                let signal = signals.get(&job.id).cloned().unwrap_or_default();
                let alone = shared.clone();
                shared.threads.spawn(&shared.tasks, async move {
                    let mut done = Done::default();
                    done.push(attempt::run(&alone, job, signal).await);
                    bundle::finish(&alone, done).await;
                    // Booked before anything else is taken.
                    let _ = timeout(PATIENCE, until_empty(&alone)).await;
                    drop(all);
                });
                return;
            }
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, lane, "no lease of a suspect"),
        }
    }
}
