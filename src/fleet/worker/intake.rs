//! A lane's deliveries: received, kept until a slot is free, claimed, acknowledged.

use super::{
    acks::AckWindow,
    bands::BandQueues,
    claim,
    claims::{ClaimEnd, Claims},
    shared::Shared,
    unreadable,
};
use crate::{
    fleet::{
        crash::{self, Point},
        job::{Band, Envelope, MessageId},
        ports::{Broker, Delivery, Ledger, Prefetch, Subscription},
        wake::notified,
    },
    telemetry::names,
};
use futures_util::future::BoxFuture;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{
        OwnedSemaphorePermit,
        broadcast::{self, error::TryRecvError},
    },
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

/// A message that waits for a slot.
pub(super) struct Waiting {
    pub(super) tag: u64,
    pub(super) envelope: Envelope,
    since: Instant,
}

/// Between two tries to subscribe; the session supervisor has its own backoff below this.
const RESUBSCRIBE: Duration = Duration::from_millis(200);
/// After a lease that found nothing, notifications wait for so long: a burst of them is one look.
const GAP: Duration = Duration::from_millis(50);
/// Far away: no timer is set.
const NEVER: Duration = Duration::from_hours(24);

/// One lane of a worker.
pub(super) struct Intake<L: Ledger, B: Broker> {
    pub(super) shared: Arc<Shared<L, B>>,
    pub(super) lane: String,
    waiting: BandQueues<Waiting>,
    window: AckWindow,
    /// Unreadable messages on their way into quarantine: beside the loop, so that a flood of them stops no job. Tasks of
    /// their own: each has a connection of the ledger, and the loop may wait for one without looking at them. Bounded by what
    /// the broker delivers unacknowledged.
    keeping: JoinSet<Option<u64>>,
    claims: Claims,
    /// From when on idle slots lease directly.
    lease_at: Instant,
    /// When a lease last found nothing.
    empty_at: Instant,
    /// The last work came by a lease: as far as this lane can tell, nobody brings any.
    is_direct: bool,
    /// Notifications of new jobs: while nobody brings work, they are for us.
    wake: broadcast::Receiver<String>,
    /// When each band brought something, or was subscribed to.
    heard: [Instant; Band::ALL.len()],
}

/// The lane's channel, or its making.
struct Session<S> {
    open: Option<S>,
    opening: BoxFuture<'static, Option<S>>,
}

enum Step<S> {
    Delivery(Option<Delivery>),
    Slot(OwnedSemaphorePermit),
    /// The tag of a message that is kept, or none: the worker drains.
    Kept(Option<u64>),
    Claimed(ClaimEnd),
    Overdue,
    Silent,
    Subscribed(Option<S>),
    Notified,
    Look,
    Drain,
}

impl<L: Ledger, B: Broker> Intake<L, B> {
    pub(super) fn new(shared: Arc<Shared<L, B>>, lane: String, wake: broadcast::Receiver<String>) -> Self {
        let now = Instant::now();
        let (lease_at, empty_at, heard) = (now + shared.protocol.direct_lease, now, [now; Band::ALL.len()]);
        Self {
            shared,
            lane,
            waiting: BandQueues::default(),
            window: AckWindow::default(),
            keeping: JoinSet::new(),
            claims: Claims::default(),
            lease_at,
            empty_at,
            is_direct: false,
            wake,
            heard,
        }
    }

    /// Until the worker drains.
    pub(super) async fn run(mut self) {
        let mut fit = self.shared.fit.subscribe();
        let mut session = Session { open: None, opening: self.subscribe(Duration::ZERO) };
        let mut was_fit = true;
        loop {
            let is_fit = *fit.borrow_and_update();
            if was_fit && !is_fit {
                // Who can claim shall have what was delivered here: it returns to its queue with the channel, also with
                // one that is only half made.
                self.renew(&mut session, RESUBSCRIBE).await;
            }
            was_fit = is_fit;
            let (lease_at, overdue_at, silent_at) = (self.lease_at, self.overdue_at(), self.silent_at());
            let has_waiting = self.waiting.len() > 0;
            let is_busy = has_waiting || !self.keeping.is_empty() || !self.claims.is_empty();
            let may_claim = self.claims.may_start(self.waiting.iter(), self.shared.protocol.batch);
            let wants_slot = is_fit && may_claim && (has_waiting || Instant::now() >= lease_at);
            let is_direct = self.is_direct || session.open.is_none();
            let step = tokio::select! {
                biased;
                () = self.shared.drain.cancelled() => Step::Drain,
                Some(kept) = self.keeping.join_next() => Step::Kept(kept.ok().flatten()),
                Some(end) = self.claims.next() => Step::Claimed(end),
                delivery = next(&mut session.open) => Step::Delivery(delivery),
                sub = &mut session.opening, if session.open.is_none() && is_fit => Step::Subscribed(sub),
                permit = self.shared.slots.clone().acquire_owned(), if wants_slot => match permit {
                    Ok(permit) => Step::Slot(permit),
                    Err(_) => Step::Drain,
                },
                () = sleep_until(overdue_at) => Step::Overdue,
                () = sleep_until(silent_at), if session.open.is_some() && !is_busy => Step::Silent,
                () = sleep_until(lease_at), if !wants_slot && is_fit && may_claim => Step::Look,
                () = notified(&mut self.wake, &self.lane), if !wants_slot && is_fit && is_direct => Step::Notified,
                _ = fit.changed() => Step::Look,
            };
            if matches!(step, Step::Drain) {
                break;
            }
            self.act(step, &mut session).await;
            if !self.acknowledge(&mut session.open).await {
                self.reopen(&mut session, RESUBSCRIBE);
            }
        }
        while let Some(end) = self.claims.next().await {
            if let ClaimEnd::Settled(tags) = end {
                self.settle(tags);
            }
        }
        self.acknowledge(&mut session.open).await;
        close(session.open).await;
    }

    async fn act(&mut self, step: Step<B::Subscription>, session: &mut Session<B::Subscription>) {
        match step {
            Step::Drain | Step::Look => {}
            Step::Notified => self.notified(),
            Step::Subscribed(Some(sub)) => {
                self.heard = [Instant::now(); Band::ALL.len()];
                session.open = Some(sub);
            }
            Step::Subscribed(None) => session.opening = self.subscribe(RESUBSCRIBE),
            Step::Silent => self.renew(session, Duration::ZERO).await,
            Step::Kept(tag) => self.settle(tag),
            Step::Delivery(Some(delivery)) => self.receive(delivery),
            Step::Delivery(None) => self.reopen(session, RESUBSCRIBE),
            Step::Slot(permit) => self.fill(permit, session.open.is_some()).await,
            Step::Claimed(ClaimEnd::Settled(tags)) => self.settle(tags),
            Step::Claimed(ClaimEnd::Unanswered) => self.renew(session, RESUBSCRIBE).await,
            Step::Overdue => self.hand_back().await,
        }
    }

    /// Gives up what was delivered and not claimed: it returns to its queue with the channel.
    async fn renew(&mut self, session: &mut Session<B::Subscription>, after: Duration) {
        close(session.open.take()).await;
        self.reopen(session, after);
    }

    /// The session is over, and the next one is asked for. The old channel's deliveries will come again; meanwhile nobody
    /// brings work.
    fn reopen(&mut self, session: &mut Session<B::Subscription>, after: Duration) {
        session.open = None;
        self.claims.new_session();
        session.opening = self.subscribe(after);
        self.waiting.take_if(|_| true);
        self.keeping = JoinSet::new();
        self.window = AckWindow::default();
        self.lease_at = Instant::now();
    }

    fn subscribe(&self, after: Duration) -> BoxFuture<'static, Option<B::Subscription>> {
        let (broker, lane, prefetch) =
            (self.shared.broker.clone(), self.lane.clone(), prefetch(self.shared.slot_count));
        Box::pin(async move {
            sleep(after).await;
            match broker.subscribe(&lane, prefetch).await {
                Ok(subscription) => Some(subscription),
                Err(e) => {
                    tracing::debug!(error = %e, lane, "no subscription yet");
                    None
                }
            }
        })
    }

    /// There may be work that nobody brings. What else was notified meanwhile is the same look.
    fn notified(&mut self) {
        while !matches!(self.wake.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {}
        self.lease_at = self.lease_at.min(self.empty_at + GAP);
    }

    fn receive(&mut self, delivery: Delivery) {
        self.window.open(delivery.tag);
        self.heard[delivery.band.index()] = Instant::now();
        match Envelope::decode(&delivery.body) {
            // A probe: its confirm was its purpose.
            Ok(envelope) if envelope.jobs.is_empty() => self.window.settle(delivery.tag),
            Ok(envelope) => {
                self.lease_at = Instant::now() + self.shared.protocol.direct_lease;
                self.is_direct = false;
                let waiting = Waiting { tag: delivery.tag, envelope, since: Instant::now() };
                self.waiting.push(delivery.band, waiting);
            }
            Err(e) => {
                let shared = self.shared.clone();
                self.keeping.spawn(unreadable::keep(shared, self.lane.clone(), delivery, e.to_string()));
            }
        }
    }

    /// A slot is free: claims what waits, up to the slots that are free and the jobs of one statement; with nothing waiting,
    /// leases directly.
    async fn fill(&mut self, first: OwnedSemaphorePermit, is_subscribed: bool) {
        let mut permits = vec![first];
        if self.waiting.len() == 0 {
            return self.lease(permits, is_subscribed).await;
        }
        let (mut batch, mut jobs) = (Vec::new(), 0);
        while let Some(waiting) = self.waiting.pop() {
            jobs += waiting.envelope.jobs.len();
            batch.push(waiting);
            if jobs >= self.shared.protocol.batch {
                break;
            }
            if batch.len() == permits.len() {
                match self.shared.slots.clone().try_acquire_owned() {
                    Ok(permit) => permits.push(permit),
                    Err(_) => break,
                }
            }
        }
        permits.truncate(batch.len());
        self.claims.start(self.shared.clone(), batch, permits);
    }

    fn settle(&mut self, tags: impl IntoIterator<Item = u64>) {
        tags.into_iter().for_each(|tag| self.window.settle(tag));
    }

    async fn lease(&mut self, mut permits: Vec<OwnedSemaphorePermit>, is_subscribed: bool) {
        while permits.len() < self.shared.protocol.batch
            && let Ok(permit) = self.shared.slots.clone().try_acquire_owned()
        {
            permits.push(permit);
        }
        let leased = claim::lease(&self.shared, &self.lane, permits).await;
        let (now, protocol) = (Instant::now(), &self.shared.protocol);
        if leased {
            // As long as there is work and no broker brings it, the next free slot leases at once.
            (self.is_direct, self.lease_at) = (true, now);
            return;
        }
        // Not every job that becomes due is notified: a retry's time just comes.
        let pause = if is_subscribed { protocol.direct_lease } else { protocol.direct_lease.min(protocol.poll) };
        (self.empty_at, self.lease_at) = (now, now + pause);
    }

    /// When the lane is subscribed to anew: a broker may take a consumer over to a queue that was deleted and made again,
    /// without a word, and then drop what it delivers. Whether a silent consumer is deaf can't be seen from here, and
    /// opening it anew costs a few round trips: after two thirds of a lease when nothing comes. While other bands bring
    /// work after two leases, because what is on its way then comes twice, and most lanes use one band only.
    fn silent_at(&self) -> Instant {
        let ([a, b, c], lease) = (self.heard, self.shared.protocol.lease);
        (a.max(b).max(c) + lease * 2 / 3).min(a.min(b).min(c) + lease * 2)
    }

    fn overdue_at(&self) -> Instant {
        let oldest = self.waiting.oldest(|waiting| waiting.since);
        oldest.map_or_else(|| Instant::now() + NEVER, |since| since + self.shared.protocol.hand_back)
    }

    /// Deliveries that found no slot in time go back to the ledger, where another worker may have one.
    async fn hand_back(&mut self) {
        let limit = self.shared.protocol.hand_back;
        let overdue = self.waiting.take_if(|waiting| waiting.since.elapsed() >= limit);
        let messages: Vec<MessageId> = overdue.iter().map(|waiting| waiting.envelope.message).collect();
        crash::point(Point::BeforeHandBack);
        match self.shared.ledger.hand_back(&messages).await {
            Ok(_) => {
                crash::point(Point::AfterHandBack);
                metrics::counter!(names::HANDED_BACK).increment(messages.len() as u64);
                overdue.iter().for_each(|waiting| self.window.settle(waiting.tag));
            }
            Err(e) => {
                tracing::debug!(error = %e, "not handed back; tried again");
                // Back into the normal band's queue: which band it came from no longer matters.
                overdue
                    .into_iter()
                    .for_each(|w| self.waiting.push(Band::Normal, Waiting { since: Instant::now(), ..w }));
            }
        }
    }

    /// False: the session is gone. Its messages will come again, and the claim refuses those that it has.
    async fn acknowledge(&mut self, subscription: &mut Option<B::Subscription>) -> bool {
        let Some(sub) = subscription else { return true };
        let Some(acks) = self.window.flush() else { return true };
        match sub.ack(acks).await {
            Ok(()) => true,
            Err(e) => {
                tracing::debug!(error = %e, "acks are lost");
                false
            }
        }
    }
}

/// In order. What was delivered and not claimed returns to its queue with the channel.
async fn close<S: Subscription>(subscription: Option<S>) {
    if let Some(mut sub) = subscription {
        let _ = sub.cancel().await;
        sub.close().await;
    }
}

async fn next<S: Subscription>(subscription: &mut Option<S>) -> Option<Delivery> {
    match subscription {
        Some(subscription) => subscription.next().await,
        None => std::future::pending().await,
    }
}

/// Prefetch counts per consumer: each band may deliver as many messages as the worker has slots. What is delivered and not
/// claimed is what one claim can take, and most lanes use one band: a share of the slots would make claims that small.
fn prefetch(slots: u32) -> Prefetch {
    Prefetch([u16::try_from(slots).unwrap_or(u16::MAX).max(1); 3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_band_can_fill_all_slots() {
        assert_eq!([1, 64, 70_000].map(prefetch), [1, 64, u16::MAX].map(|each| Prefetch([each; 3])));
    }
}
