//! From a message, or straight from the ledger, to running attempts.

use super::{ahead, bundle, intake::Waiting, shared::Shared};
use crate::{
    fleet::{
        crash::{self, Point},
        job::{Envelope, MessageId, Pointer},
        ports::{Broker, Claimed, Ledger, LedgerError},
    },
    telemetry::names,
};
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::OwnedSemaphorePermit, time::sleep};

/// Between two tries of a claim.
const PAUSE: Duration = Duration::from_millis(100);

/// Claims these messages, however often it takes to get an answer, and starts what it got. One permit a message: its
/// pointers run one after another.
///
/// True: the deliveries can be acknowledged, because the ledger's lease owns the jobs. False: the worker drains or is
/// unfit, and no answer came.
pub(super) async fn claim<L: Ledger, B: Broker>(
    shared: &Arc<Shared<L, B>>,
    batch: &[Waiting],
    permits: Vec<OwnedSemaphorePermit>,
) -> bool {
    let envelopes: Vec<Envelope> = batch.iter().map(|waiting| waiting.envelope.clone()).collect();
    let pointers = || envelopes.iter().flat_map(|e| e.jobs.iter().copied());
    let mut known = shared.held.known(pointers());
    shared.held.claiming(pointers());
    let jobs = match until_answered(shared, &envelopes).await {
        Answer::Jobs(mut jobs) => {
            // A claim that was repeated names these too: they run already, or have ended meanwhile. And it names a job
            // once for each delivery of its message in the batch.
            jobs.retain(|job| known.insert(Pointer(job.id, job.epoch)));
            jobs
        }
        Answer::Refused => {
            shared.held.claimed(pointers(), &[]);
            return one_by_one(shared, batch, permits).await;
        }
        Answer::None => {
            // What was claimed nevertheless is not held: the last heartbeats, or R4, give it back.
            shared.held.claimed(pointers(), &[]);
            return false;
        }
    };
    if !jobs.is_empty() {
        crash::point(Point::AfterClaim);
    }
    let pointed = pointers().count();
    metrics::counter!(names::DUPLICATES_DROPPED).increment((pointed - jobs.len()) as u64);
    let empty = without_jobs(&envelopes, &jobs);
    let is_ours = |pointer: &Pointer| known.contains(&Pointer(pointer.id(), pointer.epoch() + 1));
    // Most claims get all that they point to.
    let refused: Vec<Pointer> =
        if jobs.len() < pointed { pointers().filter(|p| !is_ours(p)).collect() } else { Vec::new() };
    start(shared, pointers(), jobs, permits);
    ahead::keep(shared, &envelopes, &refused).await;
    if !empty.is_empty() && shared.ledger.forget(&empty).await.is_err() {
        // Nothing of these messages is left; the heartbeat deletes their rows later.
        shared.held.orphan(empty);
    }
    true
}

enum Answer {
    Jobs(Vec<Claimed>),
    /// The database can't execute it.
    Refused,
    /// The worker drains or is unfit, and no answer came.
    None,
}

/// Tries after the worker was told to drain.
const LAST_TRIES: u32 = 20;

async fn until_answered<L: Ledger, B: Broker>(shared: &Arc<Shared<L, B>>, envelopes: &[Envelope]) -> Answer {
    let (mut repeat, mut last_tries) = (false, 0);
    loop {
        match shared.ledger.claim(shared.worker, envelopes, repeat).await {
            Ok(jobs) => return Answer::Jobs(jobs),
            Err(LedgerError::Refused(error)) => {
                tracing::error!(event = "claim.refused", error, messages = envelopes.len(), "a claim is refused");
                return Answer::Refused;
            }
            Err(error) => {
                // Only an unknown outcome may have claimed something; repeating as if does no harm in the other cases.
                repeat |= error.is_unknown();
                tracing::debug!(%error, "the claim is repeated");
                last_tries += u32::from(shared.drain.is_cancelled());
                if last_tries > LAST_TRIES || !*shared.fit.borrow() {
                    return Answer::None;
                }
                sleep(PAUSE).await;
            }
        }
    }
}

/// One message of a batch is at fault: alone it is dropped, and its jobs, if it has any, come back by R3.
async fn one_by_one<L: Ledger, B: Broker>(
    shared: &Arc<Shared<L, B>>,
    batch: &[Waiting],
    permits: Vec<OwnedSemaphorePermit>,
) -> bool {
    if batch.len() == 1 {
        return true;
    }
    let mut all = true;
    for (one, permit) in batch.iter().zip(permits) {
        all &= Box::pin(claim(shared, std::slice::from_ref(one), vec![permit])).await;
    }
    all
}

/// Due jobs without the broker, at most one a permit. True: there were some.
pub(super) async fn lease<L: Ledger, B: Broker>(
    shared: &Arc<Shared<L, B>>,
    lane: &str,
    permits: Vec<OwnedSemaphorePermit>,
) -> bool {
    let rows = i32::try_from(permits.len()).unwrap_or(i32::MAX);
    let jobs = match shared.ledger.lease(shared.worker, lane, &shared.kinds, rows).await {
        Ok(jobs) => jobs,
        Err(error) => {
            // A lost answer is left to R6.
            tracing::debug!(%error, lane, "no direct lease");
            return false;
        }
    };
    if jobs.is_empty() {
        return false;
    }
    crash::point(Point::AfterDirectLease);
    metrics::counter!(names::LEASED_DIRECTLY).increment(jobs.len() as u64);
    let signals = shared.held.leased(&jobs);
    for (job, permit) in jobs.into_iter().zip(permits) {
        let signal = signals.get(&job.id).cloned().unwrap_or_default();
        bundle::start(shared, [(signal, job)].into(), permit);
    }
    true
}

fn without_jobs(envelopes: &[Envelope], jobs: &[Claimed]) -> Vec<MessageId> {
    let with: HashSet<MessageId> = jobs.iter().map(|job| job.message).collect();
    envelopes.iter().map(|e| e.message).filter(|message| !with.contains(message)).collect()
}

fn start<L: Ledger, B: Broker>(
    shared: &Arc<Shared<L, B>>,
    pointers: impl Iterator<Item = Pointer>,
    jobs: Vec<Claimed>,
    permits: Vec<OwnedSemaphorePermit>,
) {
    let mut signals = shared.held.claimed(pointers, &jobs);
    let mut messages: BTreeMap<MessageId, Vec<Claimed>> = BTreeMap::new();
    for job in jobs {
        messages.entry(job.message).or_default().push(job);
    }
    for (mut jobs, permit) in messages.into_values().zip(permits) {
        jobs.sort_by_key(|job| (std::cmp::Reverse(job.priority), job.id));
        let ours = jobs.into_iter().filter_map(|job| Some((signals.remove(&job.id)?, job))).collect();
        bundle::start(shared, ours, permit);
    }
}
