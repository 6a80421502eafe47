//! The jobs of one message: one after another in one slot, as long as each is as short as they were taken to be. What they
//! come to is booked together, so that one statement, or one transaction, can end a message.

use super::{
    attempt::{self, Ran},
    effects::{self, Pending},
    outcome::Ended,
    shared::Shared,
    signal::StopSignal,
};
use crate::fleet::ports::{Broker, Claimed, Ledger};
use futures_util::future::BoxFuture;
use std::{collections::VecDeque, pin::pin, sync::Arc, time::Duration};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{sleep, timeout},
};

/// A message that was sent with 50 ms of work, and takes twice as long, was misjudged.
const PATIENCE: Duration = Duration::from_millis(100);

/// What is still to run.
pub(super) type Jobs = VecDeque<(StopSignal, Claimed)>;

/// Starts them in a slot.
pub(super) fn start<L: Ledger, B: Broker>(shared: &Arc<Shared<L, B>>, jobs: Jobs, slot: OwnedSemaphorePermit) {
    shared.threads.spawn(&shared.tasks, run(shared.clone(), jobs, slot));
}

/// Boxed, because it may start itself.
fn run<L: Ledger, B: Broker>(
    shared: Arc<Shared<L, B>>,
    mut jobs: Jobs,
    slot: OwnedSemaphorePermit,
) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        let mut patience = pin!(sleep(PATIENCE));
        let mut done = Done::default();
        while let Some((signal, job)) = jobs.pop_front() {
            let mut attempt = pin!(attempt::run(&shared, job, signal));
            if jobs.is_empty() && done.is_empty() {
                done.push(attempt.await);
                break;
            }
            tokio::select! {
                biased; // a timer is set only for what doesn't end at once
                one = &mut attempt => done.push(one),
                () = &mut patience => {
                    pass_on(&shared, std::mem::take(&mut jobs));
                    // Together: an attempt is watched also while the ledger lets wait.
                    let ((), one) = tokio::join!(finish(&shared, std::mem::take(&mut done)), attempt);
                    done.push(one);
                }
            }
        }
        finish(&shared, done).await;
        drop(slot);
    })
}

/// The next free slot takes what waits behind a slow job. If none is free in the time that a delivery may wait for one,
/// another worker may have one.
fn pass_on<L: Ledger, B: Broker>(shared: &Arc<Shared<L, B>>, jobs: Jobs) {
    if jobs.is_empty() {
        return;
    }
    let shared_in = shared.clone();
    shared.threads.spawn(&shared.tasks, async move {
        let slot = timeout(shared_in.protocol.hand_back, shared_in.slots.clone().acquire_owned()).await;
        match slot {
            Ok(Ok(slot)) => run(shared_in, jobs, slot).await,
            _ => {
                let back = jobs.iter().map(|(_, job)| attempt::give_back(job, &shared_in.meters, None)).collect();
                shared_in.hand_over(back).await;
            }
        }
    });
}

/// What attempts have come to, and nobody was told yet.
pub(super) struct Done<Tx> {
    ended: Vec<Ended>,
    effects: Vec<Pending<Tx>>,
}

impl<Tx> Default for Done<Tx> {
    fn default() -> Self {
        Self { ended: Vec::new(), effects: Vec::new() }
    }
}

impl<Tx> Done<Tx> {
    const fn is_empty(&self) -> bool {
        self.ended.is_empty() && self.effects.is_empty()
    }

    pub(super) fn push(&mut self, ran: Ran<Tx>) {
        match ran {
            Ran::Ended(ended) => self.ended.push(ended),
            Ran::Pending(pending) => self.effects.push(*pending),
            Ran::Lost => {}
        }
    }
}

/// Verdicts to the completer, effects into the ledger.
pub(super) async fn finish<L: Ledger, B: Broker>(shared: &Arc<Shared<L, B>>, done: Done<L::Tx>) {
    shared.hand_over(done.ended).await;
    effects::apply(shared, done.effects).await;
}
