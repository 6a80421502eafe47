//! The port: a process's connection to the queues.

use super::Place;
use crate::{chaos::PublishFate, process::Process, world::World};
use docket::fleet::{
    job::{Band, Envelope, MessageId, Pointer},
    ports::{
        Acks, Broker, BrokerError, DeadMessage, DeadPass, Delivery, Outgoing, Prefetch, PublishOutcome, Subscription,
    },
};
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

/// A process's connection to the broker.
#[derive(Clone)]
pub(crate) struct SimBroker {
    pub(crate) world: Arc<World>,
    pub(crate) process: Process,
}

fn away() -> BrokerError {
    BrokerError::Away("simulated".to_owned())
}

impl SimBroker {
    fn is_away(&self) -> bool {
        self.process.is_dead() || self.world.look(|queues| queues.away)
    }

    /// One question, there and back. A question costs nothing but time when it is lost.
    async fn ask<T>(&self, what: &'static str, answer: impl FnOnce(&World) -> T) -> Result<T, BrokerError> {
        self.world.gate(&self.process).await;
        let (latency, is_lost) = {
            let mut chaos = self.world.chaos();
            (chaos.latency(), chaos.chance(0.01))
        };
        sleep(latency).await;
        if is_lost {
            self.world.history.count("broker call lost", &[]);
            return Err(BrokerError::Timeout(latency));
        }
        if self.is_away() {
            return Err(away());
        }
        if self.world.look(|queues| queues.bare) {
            return Err(BrokerError::Topology("no queues yet".to_owned()));
        }
        self.world.history.note(what, &[self.process.number().cast_signed()]);
        let answer = answer(&self.world);
        self.world.gate(&self.process).await;
        Ok(answer)
    }

    /// As the publishing channel does it: written, then answered.
    async fn send(&self, parcel: Parcel) -> PublishOutcome {
        let world = self.world.clone();
        let (latency, fate) = {
            let mut chaos = world.chaos();
            (chaos.latency(), chaos.publish())
        };
        sleep(latency).await;
        if self.is_away() {
            return PublishOutcome::Unknown;
        }
        if world.look(|queues| queues.bare) {
            return PublishOutcome::Returned;
        }
        if world.look(|queues| queues.blocked || queues.leaderless.contains(&parcel.place)) {
            // Nobody answers. Whether it is there when someone does again is open.
            if world.chaos().chance(0.5) {
                world.look(|queues| queues.hold_back(parcel.place, parcel.pointer, parcel.body));
            }
            return std::future::pending().await;
        }
        if fate != PublishFate::Fine {
            world.history.count(name(fate), &[]);
        }
        let is_taken = match fate {
            PublishFate::Fine => parcel.put(&world),
            PublishFate::Vanished => true,
            PublishFate::Twice => parcel.put(&world) && parcel.put(&world),
            PublishFate::Nacked { written } => {
                if written {
                    parcel.put(&world);
                }
                false
            }
            PublishFate::Returned => return PublishOutcome::Returned,
            PublishFate::SlowConfirm(delay) => {
                let is_taken = parcel.put(&world);
                sleep(delay).await;
                is_taken
            }
            PublishFate::Lost => return std::future::pending().await,
            PublishFate::Late(delay) => {
                tokio::spawn(async move {
                    sleep(delay).await;
                    parcel.put(&world);
                });
                return std::future::pending().await;
            }
        };
        sleep(latency).await;
        // The answer dies with the connection.
        match is_taken {
            _ if self.is_away() => PublishOutcome::Unknown,
            true => PublishOutcome::Confirmed,
            false => PublishOutcome::Nacked,
        }
    }
}

const fn name(fate: PublishFate) -> &'static str {
    match fate {
        PublishFate::Fine => "publish",
        PublishFate::Nacked { .. } => "publish nacked",
        PublishFate::Returned => "publish returned",
        PublishFate::Twice => "publish twice",
        PublishFate::Vanished => "publish confirmed and gone",
        PublishFate::SlowConfirm(_) => "confirm slow",
        PublishFate::Lost => "publish lost",
        PublishFate::Late(_) => "publish late",
    }
}

/// A message on its way.
struct Parcel {
    place: Place,
    pointer: Option<Pointer>,
    body: Vec<u8>,
}

impl Parcel {
    fn of(message: &Outgoing) -> Self {
        match message {
            Outgoing::Jobs(dispatch) => {
                let pointers = dispatch.jobs.iter().map(|picked| picked.pointer).collect();
                let body = Envelope::new(dispatch.message, pointers).encode();
                Self { place: Place::Lane(dispatch.band), pointer: None, body }
            }
            Outgoing::Probe { band, .. } => Self {
                place: Place::Lane(*band),
                pointer: None,
                body: Envelope::new(MessageId(0), Vec::new()).encode(),
            },
            Outgoing::Dead(dead) => {
                Self { place: Place::Dead, pointer: Some(Pointer(dead.id, dead.epoch)), body: b"a copy".to_vec() }
            }
        }
    }

    /// False: the queue is full.
    fn put(&self, world: &World) -> bool {
        world.broker(|queues| queues.put_at(self.place, self.pointer, self.body.clone()))
    }
}

impl Broker for SimBroker {
    type Subscription = SimSubscription;
    type DeadPass = SimDeadPass;

    fn can_publish(&self) -> bool {
        !self.process.is_dead() && self.world.look(|queues| !queues.away && !queues.blocked)
    }

    async fn publish(&self, message: Outgoing) -> PublishOutcome {
        self.world.gate(&self.process).await;
        if !self.can_publish() {
            return PublishOutcome::Nacked;
        }
        let outcome = timeout(self.world.protocol.confirm_deadline, self.send(Parcel::of(&message))).await;
        let outcome = outcome.unwrap_or(PublishOutcome::Unknown);
        self.world.history.note(outcome.as_str(), &[self.process.number().cast_signed()]);
        self.world.gate(&self.process).await;
        outcome
    }

    async fn depth(&self, _lane: &str, band: Band) -> Result<u64, BrokerError> {
        self.ask("depth", |world| world.look(|queues| queues.ready(band))).await
    }
    async fn dead_depth(&self) -> Result<u64, BrokerError> {
        self.ask("dead depth", |world| world.look(|queues| queues.dead_ready())).await
    }
    async fn has_generation(&self, generation: i32) -> Result<bool, BrokerError> {
        self.ask("has generation", |world| world.look(|queues| queues.generations.contains(&generation))).await
    }
    async fn declare_generation(&self, generation: i32) -> Result<(), BrokerError> {
        let declared = |world: &World| world.broker(|queues| queues.generations.insert(generation));
        self.ask("declare generation", declared).await.map(drop)
    }

    async fn subscribe(&self, _lane: &str, prefetch: Prefetch) -> Result<SimSubscription, BrokerError> {
        let process = self.process.number();
        let consumed = |world: &World| world.broker(|queues| queues.consume(process, prefetch));
        let holder = self.ask("subscribe", consumed).await?;
        Ok(SimSubscription(Holder { broker: self.clone(), holder }))
    }

    async fn dead_pass(&self) -> Result<SimDeadPass, BrokerError> {
        let process = self.process.number();
        let holder = self.ask("dead pass", |world| world.broker(|queues| queues.read_dead(process))).await?;
        Ok(SimDeadPass(Holder { broker: self.clone(), holder }))
    }
}

/// A channel: dropped, it closes.
struct Holder {
    broker: SimBroker,
    holder: u64,
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.broker.world.broker(|queues| queues.leave(self.holder));
    }
}

/// Three consumers.
pub(crate) struct SimSubscription(Holder);

impl Subscription for SimSubscription {
    async fn next(&mut self) -> Option<Delivery> {
        loop {
            let (world, holder) = (&self.0.broker.world, self.0.holder);
            world.gate(&self.0.broker.process).await;
            let news = world.news.notified();
            let twice = world.chaos().chance(0.02);
            match world.look(|queues| queues.deliver(holder, twice)) {
                Ok(Some(delivery)) => return Some(delivery),
                Ok(None) => news.await,
                Err(()) => return None,
            }
        }
    }

    async fn ack(&mut self, acks: Acks) -> Result<(), BrokerError> {
        let holder = self.0.holder;
        let is_taken = self.0.broker.ask("ack", |world| world.broker(|queues| queues.ack(holder, &acks))).await;
        // As a failed round trip on a consuming channel: the connection is given up.
        if !matches!(is_taken, Ok(true)) {
            self.0.broker.world.broker(|queues| queues.leave(holder));
            return Err(away());
        }
        Ok(())
    }

    async fn cancel(&mut self) -> Result<(), BrokerError> {
        let holder = self.0.holder;
        self.0.broker.ask("cancel", |world| world.broker(|queues| queues.cancel(holder))).await.map(drop)
    }

    async fn close(self) {
        self.0.broker.world.gate(&self.0.broker.process).await;
    }
}

/// A pass over docket.dead.
pub(crate) struct SimDeadPass(Holder);

impl DeadPass for SimDeadPass {
    async fn next(&mut self) -> Result<Option<DeadMessage>, BrokerError> {
        let holder = self.0.holder;
        let next = self.0.broker.ask("next dead", |world| world.broker(|queues| queues.next_dead(holder))).await?;
        let next = next.map_err(|()| away())?;
        Ok(next.map(|(tag, copy)| DeadMessage { tag, pointer: copy.pointer, body: copy.body, headers: String::new() }))
    }

    async fn ack(&mut self, tag: u64) -> Result<(), BrokerError> {
        let holder = self.0.holder;
        let acked = |world: &World| world.broker(|queues| queues.ack_dead(holder, tag));
        if self.0.broker.ask("ack dead", acked).await? { Ok(()) } else { Err(away()) }
    }

    async fn close(self) {
        sleep(Duration::from_millis(1)).await;
    }
}
