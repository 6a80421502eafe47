//! One lane: from due to queued to the broker.

use super::{
    health::PublishHealth,
    pointers::{Queue, pointers},
    shared::Shared,
    window::{ClaimRate, room},
};
use crate::fleet::{
    crash::{self, Point},
    job::{Band, MessageId},
    ports::{Broker, Dispatch, Ledger, LedgerResult, Outgoing, PickRequest, PublishOutcome},
    wake::notified,
};
use futures_util::{
    StreamExt,
    future::{BoxFuture, join_all},
    stream::FuturesUnordered,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::broadcast,
    time::{Instant, sleep_until},
};

/// Messages without the broker's answer, at most: beyond that the broker is the bottleneck, and picking more only ages them.
const UNANSWERED_MAX: usize = 3000;
/// One in so many picked rows is among the oldest, whatever its priority.
const AGED_SHARE: i32 = 10;
/// A notification wakes a dispatcher that would wait for longer than this.
const BUSY: Duration = Duration::from_millis(10);

/// Picks with the ledger at once while the queue is deep: while one waits for the disk, the database works on the other.
const AT_ONCE: i32 = 2;

type Publish = BoxFuture<'static, (MessageId, Band, u64, PublishOutcome)>;

/// The dispatcher of one lane.
pub(super) struct Dispatcher<L: Ledger, B: Broker> {
    shared: Arc<Shared<L, B>>,
    lane: String,
    rate: ClaimRate,
    /// Rows picked by priority since the last of the oldest, carried over from look to look.
    since_aged: i32,
    /// The last pick got all that it asked for, and the window had room for as much as a pick can take.
    is_deep: bool,
    publishing: FuturesUnordered<Publish>,
    /// Nacked or returned: to be handed back.
    refused: Vec<MessageId>,
}

/// What the next look waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// Nothing: there is more to do, and room for it.
    More,
    /// Room in the window.
    Busy,
    /// A notification, or the poll.
    Idle,
}

impl<L: Ledger, B: Broker> Dispatcher<L, B> {
    pub(super) fn new(shared: Arc<Shared<L, B>>, lane: String) -> Self {
        Self {
            shared,
            lane,
            rate: ClaimRate::default(),
            since_aged: 0,
            is_deep: false,
            publishing: FuturesUnordered::new(),
            refused: Vec::new(),
        }
    }

    /// Until the scheduler stops. What is published then and unanswered is left to R1.
    pub(super) async fn run(mut self, mut wake: broadcast::Receiver<String>) {
        let mut view = self.shared.view.subscribe();
        let mut next_look = Instant::now();
        loop {
            tokio::select! {
                biased; // answers first: polling them also sends what the last look published
                () = self.shared.shutdown.cancelled() => return,
                Some((message, band, number, outcome)) = self.publishing.next() => {
                    self.answered(message, band, number, outcome);
                    continue;
                }
                () = notified(&mut wake, &self.lane), if next_look > Instant::now() + BUSY => {}
                _ = view.changed() => {}
                () = sleep_until(next_look) => {}
            }
            let pace = match self.look().await {
                Ok(pace) => pace,
                Err(error) => {
                    self.shared.put_off.tell("dispatch", &error);
                    Pace::Idle
                }
            };
            next_look = Instant::now()
                + match pace {
                    Pace::More => Duration::ZERO,
                    Pace::Busy => self.rate.pause(),
                    Pace::Idle => self.shared.protocol.poll,
                };
        }
    }

    async fn look(&mut self) -> LedgerResult<Pace> {
        self.hand_back().await?;
        let shared = self.shared.clone();
        let (slots, schedulers, generation, kinds) = {
            let view = shared.view.borrow();
            (view.slots(&self.lane), view.schedulers(), view.generation, view.runnable_runs(&self.lane))
        };
        let bands = self.healthy_bands();
        if slots == 0 || generation == 0 || kinds.is_empty() || bands.is_empty() {
            return Ok(Pace::Idle);
        }
        let queued: i64 = shared.ledger.in_flight(&self.lane).await?.iter().map(|band| band.jobs).sum();
        self.rate.queued(Instant::now(), queued, schedulers);
        let room = room(&shared.protocol, &self.rate, slots, queued, schedulers);
        let unanswered = UNANSWERED_MAX.saturating_sub(self.publishing.len());
        let limit = room.min(i64::try_from(unanswered).unwrap_or(i64::MAX));
        let most = i64::from(shared.protocol.pick_rows);
        let rows = most.min(limit);
        if rows == 0 {
            return Ok(Pace::Busy);
        }
        let rows = i32::try_from(rows).unwrap_or(i32::MAX);
        let queue = Queue { jobs: queued + i64::from(rows), slots, is_deep: self.is_deep };
        let bounds = (shared.protocol.pointers_min, shared.protocol.pointers_max);
        let largest = |run| pointers(run, &queue, bounds);
        let kinds: Vec<(String, i32)> = kinds.into_iter().map(|(kind, run)| (kind, largest(run))).collect();
        let at_once = if self.is_deep { i32::try_from(limit / most).unwrap_or(AT_ONCE).clamp(1, AT_ONCE) } else { 1 };
        // One of them takes the oldest for both: two would look at the same ones, and one would get none.
        let aged = (self.since_aged + rows * at_once) / AGED_SHARE;
        let request = PickRequest { lane: &self.lane, rows, aged, kinds: &kinds, bands: &bands, generation };
        let requests = (0..at_once).map(|n| PickRequest { aged: if n == 0 { aged } else { 0 }, ..request });
        let picks = join_all(requests.map(|request| shared.ledger.pick(request))).await;
        // What one has brought is published also when the other failed.
        let full: Vec<_> = picks.into_iter().map(|picked| Ok(self.picked(rows, picked?))).collect();
        let is_full = full.into_iter().collect::<LedgerResult<Vec<_>>>()?.into_iter().all(|is_full| is_full);
        // What the broker has not answered yet doesn't count: where it is behind, larger messages are what it needs.
        self.is_deep = is_full && room >= most;
        Ok(match is_full {
            true if i64::from(rows) == most && room > most * i64::from(at_once) => Pace::More,
            true => Pace::Busy,
            false => Pace::Idle,
        })
    }

    /// True: there were as many rows as were asked for.
    fn picked(&mut self, rows: i32, picked: Vec<Dispatch>) -> bool {
        if !picked.is_empty() {
            crash::point(Point::AfterMark);
        }
        let jobs: usize = picked.iter().map(|dispatch| dispatch.jobs.len()).sum();
        self.rate.dispatched(i64::try_from(jobs).unwrap_or(i64::MAX));
        self.since_aged = (self.since_aged + i32::try_from(jobs).unwrap_or(rows).min(rows)) % AGED_SHARE;
        picked.into_iter().for_each(|dispatch| self.publish(dispatch));
        jobs >= usize::try_from(rows).unwrap_or(usize::MAX)
    }

    /// Bands that jobs may be picked for. The others get a probe now and then, whose confirm makes them healthy again.
    fn healthy_bands(&self) -> Vec<Band> {
        let now = Instant::now();
        if !self.shared.broker.can_publish() {
            return Vec::new();
        }
        let (healthy, doubtful): (Vec<Band>, Vec<Band>) =
            Band::ALL.into_iter().partition(|band| self.shared.health.is_healthy(&self.lane, *band, now));
        for band in doubtful {
            if self.shared.health.may_probe(&self.lane, band, now) {
                probe(&self.shared, &self.lane, band);
            }
        }
        healthy
    }

    fn publish(&self, dispatch: Dispatch) {
        let (broker, health) = (self.shared.broker.clone(), self.shared.health.clone());
        let (message, band) = (dispatch.message, dispatch.band);
        let number = health.sent(&self.lane, band, Instant::now());
        self.publishing.push(Box::pin(async move {
            let outcome = broker.publish(Outgoing::Jobs(dispatch)).await;
            (message, band, number, outcome)
        }));
    }

    fn answered(&mut self, message: MessageId, band: Band, number: u64, outcome: PublishOutcome) {
        self.shared.health.answered(&self.lane, band, number, outcome, Instant::now());
        match outcome {
            PublishOutcome::Confirmed => {
                crash::point(Point::AfterConfirmBeforeMark);
                self.shared.confirmed.push(message, Instant::now());
            }
            PublishOutcome::Nacked | PublishOutcome::Returned => self.refused.push(message),
            // R1 sees to it. The same is never published again.
            PublishOutcome::Unknown => {}
        }
    }

    async fn hand_back(&mut self) -> LedgerResult<()> {
        if self.refused.is_empty() {
            return Ok(());
        }
        let jobs = self.shared.ledger.hand_back(&self.refused).await?;
        // They left the queue, and nobody claimed them.
        self.rate.dispatched(-i64::try_from(jobs).unwrap_or(i64::MAX));
        tracing::warn!(
            event = "dispatch.refused",
            lane = self.lane,
            messages = self.refused.len(),
            "the broker refused messages; their jobs are pending again"
        );
        self.refused.clear();
        Ok(())
    }
}

/// Sends a message without jobs; its answer goes into the band's health.
pub(super) fn probe<L: Ledger, B: Broker>(shared: &Arc<Shared<L, B>>, lane: &str, band: Band) {
    let (shared, lane) = (shared.clone(), lane.to_owned());
    let health: PublishHealth = shared.health.clone();
    let number = health.sent(&lane, band, Instant::now());
    shared.tasks.clone().spawn(async move {
        let outcome = shared.broker.publish(Outgoing::Probe { lane: lane.clone(), band }).await;
        health.answered(&lane, band, number, outcome, Instant::now());
    });
}
