//! R5: what docket.dead lacks is published, what it has too much is removed. One scheduler at a time, under a lock.

use super::judge::{Fate, judge};
use crate::{
    fleet::{
        crash::{self, Point},
        job::Pointer,
        ports::{
            Broker, BrokerError, DeadCount, DeadLetter, DeadMessage, DeadPass, Ledger, LedgerError, LedgerResult,
            Outgoing, PublishOutcome, Quarantined,
        },
        settings::Protocol,
    },
    telemetry::names,
};
use futures_util::{StreamExt, stream};
use std::collections::{BTreeSet, HashSet};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Copies published in one turn, and messages judged by one statement.
const BATCH: usize = 500;
/// Publishes without an answer at once.
const AT_ONCE: usize = 50;
/// Messages of one pass at most, and rows that it compares with: beyond that a pass only removes, and says so.
const PASS_MAX: usize = 100_000;

/// Keeps docket.dead equal to the ledger's dead letters.
#[derive(Debug)]
pub struct Projection<L, B> {
    ledger: L,
    broker: B,
    protocol: Protocol,
    /// When the last pass began, and how often a job had left `dead_letter` by then.
    last: Option<(Instant, i64)>,
    /// A copy was published without a confirm since the last pass: it may be there twice, and the count tells nothing.
    doubtful: bool,
    /// Marked and missing in the last pass.
    missing: BTreeSet<Pointer>,
}

/// Why a turn ended early.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

impl<L: Ledger, B: Broker> Projection<L, B> {
    /// A projection that has not looked yet.
    pub fn new(ledger: L, broker: B, protocol: Protocol) -> Self {
        Self { ledger, broker, protocol, last: None, doubtful: false, missing: BTreeSet::new() }
    }

    /// Until `shutdown`.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut ticks = interval(self.protocol.sweep);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.turn().await {
                tracing::debug!(%error, "docket.dead is compared later");
            }
        }
    }

    async fn turn(&mut self) -> Result<(), Trouble> {
        if !self.broker.can_publish() {
            return Ok(());
        }
        let generation = self.ledger.generation().await?;
        let count = self.ledger.dead_count(generation).await?;
        let depth = self.broker.dead_depth().await?;
        if count.unpublished == 0 && !self.needs_pass(count, depth) {
            return Ok(());
        }
        if !self.ledger.try_dead_lock().await? {
            return Ok(());
        }
        let done = self.locked(generation, count, depth).await;
        self.ledger.release_dead_lock().await;
        done
    }

    async fn locked(&mut self, generation: i32, count: DeadCount, depth: u64) -> Result<(), Trouble> {
        if count.unpublished > 0 {
            self.publish_missing(generation).await?;
        }
        if self.needs_pass(count, depth) {
            // Read before the pass: what is marked later can't be missing in it.
            let marked = self.ledger.dead_marked(generation, i32::try_from(PASS_MAX).unwrap_or(i32::MAX)).await?;
            self.last = Some((Instant::now(), count.left));
            self.doubtful = false;
            let seen = self.pass().await?;
            self.unmark(marked, &seen).await?;
        }
        Ok(())
    }

    fn needs_pass(&self, count: DeadCount, depth: u64) -> bool {
        let Some((at, left)) = self.last else { return true };
        let age = at.elapsed();
        let expected = count.dead - count.unpublished;
        let differs = i64::try_from(depth).unwrap_or(i64::MAX) != expected || count.left != left;
        age >= self.protocol.dead_pass
            && (differs || self.doubtful || !self.missing.is_empty() || age >= self.protocol.dead_audit)
    }

    async fn publish_missing(&mut self, generation: i32) -> Result<(), Trouble> {
        let bound = i32::try_from(BATCH).unwrap_or(i32::MAX);
        let missing = self.ledger.dead_missing(generation, bound).await?;
        let broker = &self.broker;
        let publish = |dead: DeadLetter| async move {
            let pointer = Pointer(dead.id, dead.epoch);
            (pointer, broker.publish(Outgoing::Dead(dead)).await)
        };
        let answers: Vec<(Pointer, PublishOutcome)> =
            stream::iter(missing).map(publish).buffer_unordered(AT_ONCE).collect().await;
        self.doubtful |= answers.iter().any(|(_, outcome)| *outcome == PublishOutcome::Unknown);
        let confirmed: Vec<Pointer> = answers
            .into_iter()
            .filter(|(_, outcome)| *outcome == PublishOutcome::Confirmed)
            .map(|(pointer, _)| pointer)
            .collect();
        if !confirmed.is_empty() {
            crash::point(Point::BeforeDeadMark);
            self.ledger.dead_mark(&confirmed, generation).await?;
        }
        Ok(())
    }

    /// Reads the whole queue and removes what doesn't belong there. Returns what it kept.
    async fn pass(&self) -> Result<HashSet<Pointer>, Trouble> {
        let mut pass = self.broker.dead_pass().await?;
        let result = self.read(&mut pass).await;
        // The kept ones return to the queue with the channel.
        pass.close().await;
        result
    }

    async fn read(&self, pass: &mut B::DeadPass) -> Result<HashSet<Pointer>, Trouble> {
        let (mut kept, mut read) = (HashSet::new(), 0);
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            while batch.len() < BATCH
                && let Some(message) = pass.next().await?
            {
                batch.push(message);
            }
            if batch.is_empty() {
                return Ok(kept);
            }
            read += batch.len();
            self.judge_batch(pass, batch, &mut kept).await?;
            if read >= PASS_MAX {
                tracing::warn!(event = "dead.pass_cut", messages = read, "docket.dead is longer than one pass reads");
                return Ok(kept);
            }
        }
    }

    async fn judge_batch(
        &self,
        pass: &mut B::DeadPass,
        batch: Vec<DeadMessage>,
        kept: &mut HashSet<Pointer>,
    ) -> Result<(), Trouble> {
        let pointers: Vec<Pointer> = batch.iter().filter_map(|message| message.pointer).collect();
        let still = self.ledger.dead_still(&pointers).await?;
        for message in batch {
            match judge(message.pointer, &message.body, &still, kept) {
                Fate::Keep(pointer) => {
                    kept.insert(pointer);
                }
                Fate::Remove => pass.ack(message.tag).await?,
                Fate::Quarantine => {
                    let tag = message.tag;
                    self.quarantine(message).await?;
                    pass.ack(tag).await?;
                }
            }
        }
        Ok(())
    }

    async fn quarantine(&self, message: DeadMessage) -> LedgerResult<()> {
        metrics::counter!(names::QUARANTINED).increment(1);
        let (queue, reason) = ("docket.dead".to_owned(), "not a copy of a dead letter".to_owned());
        self.ledger.quarantine(&Quarantined { queue, reason, body: message.body, headers: message.headers }).await
    }

    /// What was marked before two passes in a row and seen in neither loses its mark, and is published again.
    async fn unmark(&mut self, marked: HashSet<Pointer>, seen: &HashSet<Pointer>) -> Result<(), Trouble> {
        if marked.len() >= PASS_MAX || seen.len() >= PASS_MAX {
            self.missing.clear();
            return Ok(());
        }
        let missing: BTreeSet<Pointer> = marked.difference(seen).copied().collect();
        let twice: Vec<Pointer> = missing.intersection(&self.missing).copied().collect();
        if !twice.is_empty() {
            tracing::warn!(event = "dead.republished", jobs = twice.len(), "copies are missing in docket.dead");
            self.ledger.dead_unmark(&twice).await?;
        }
        self.missing = missing.into_iter().filter(|pointer| !twice.contains(pointer)).collect();
        Ok(())
    }
}
