//! Callers that enqueue in bulk, each on a connection of its own.

use super::{
    ground::Ground,
    jobs::{Maker, Work, put},
    spec::{BenchError, BenchSpec},
    tally::Tally,
};
use crate::db;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{task::JoinSet, time::sleep};

/// Jobs of a transaction. A flush to disk and a round trip are nothing beside so many rows, and the transaction is still
/// short enough for the jobs to start while others are enqueued.
const TRANSACTION: u64 = 1_000;
/// How long a caller waits for room.
const WAIT: Duration = Duration::from_millis(2);

/// When a caller may enqueue.
pub(super) enum Limit {
    /// Until there are so many jobs.
    Total(u64),
    /// While fewer jobs than these are open, until it is told to stop.
    Open(u64, Arc<Tally>),
}

struct Gate {
    limit: Limit,
    reserved: AtomicU64,
    committed: AtomicU64,
    stop: AtomicBool,
}

/// What a caller does next.
enum Next {
    Put(usize),
    Wait,
    End,
}

impl Gate {
    fn next(&self) -> Next {
        let (most, ends) = match &self.limit {
            _ if self.stop.load(Relaxed) => return Next::End,
            Limit::Total(jobs) => (*jobs, true),
            Limit::Open(open, tally) => (open + tally.ends(), false),
        };
        let take = |reserved: u64| most.saturating_sub(reserved).min(TRANSACTION);
        // A closed loop puts whole transactions only, or it would end in ever smaller ones.
        let fits = |taken: u64| if ends { taken > 0 } else { taken == TRANSACTION };
        let more = |reserved: u64| Some(take(reserved)).filter(|taken| fits(*taken)).map(|taken| reserved + taken);
        match self.reserved.fetch_update(Relaxed, Relaxed, more) {
            Ok(before) => Next::Put(usize::try_from(take(before)).unwrap_or(usize::MAX)),
            Err(_) if ends => Next::End,
            Err(_) => Next::Wait,
        }
    }
}

/// Running callers. Dropped, they end.
pub(super) struct Callers {
    gate: Arc<Gate>,
    tasks: JoinSet<Result<(), BenchError>>,
}

impl Callers {
    pub(super) async fn start(
        ground: &Ground,
        (spec, work): (&BenchSpec, Work),
        (connections, limit): (u64, Limit),
    ) -> Result<Self, BenchError> {
        let (reserved, committed, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
        let mut callers = Self { gate: Arc::new(Gate { limit, reserved, committed, stop }), tasks: JoinSet::new() };
        for number in 0..connections {
            let (mut client, gate) = (db::connect(&ground.config).await?, callers.gate.clone());
            let mut maker = Maker::new(spec, work, spec.seed.wrapping_add(number));
            callers.tasks.spawn(async move {
                loop {
                    let count = match gate.next() {
                        Next::Put(count) => count,
                        Next::Wait => {
                            sleep(WAIT).await;
                            continue;
                        }
                        Next::End => return Ok(()),
                    };
                    let transaction = client.transaction().await?;
                    let ids = put(&transaction, &maker.make(count)?).await?;
                    transaction.commit().await?;
                    gate.committed.fetch_add(ids.len() as u64, Relaxed);
                }
            });
        }
        Ok(callers)
    }

    /// Jobs that are in the ledger.
    pub(super) fn committed(&self) -> u64 {
        self.gate.committed.load(Relaxed)
    }

    /// Has them end after the transactions in which they are.
    pub(super) fn stop(&self) {
        self.gate.stop.store(true, Relaxed);
    }

    /// Waits for the next one that ends, at most so long. None: all have ended.
    pub(super) async fn ended(&mut self, at_most: Duration) -> Option<Result<(), BenchError>> {
        match tokio::time::timeout(at_most, self.tasks.join_next()).await {
            Ok(None) => None,
            Ok(Some(ended)) => Some(ended.unwrap_or_else(|e| Err(BenchError::Fleet(e.to_string())))),
            Err(_) => Some(Ok(())),
        }
    }
}
