//! The port: a process's connection to the queues.

use crate::{chaos::PublishFate, process::Process, world::World};
use docket::fleet::{
    job::{Band, Envelope, MessageId, Pointer},
    ports::{
        Acks, Broker, BrokerError, DeadMessage, DeadPass, Delivery, Outgoing, Prefetch, PublishOutcome, Subscription,
    },
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

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
        self.world.look(|queues| queues.away)
    }

    /// One question, there and back. A question costs nothing but time when it is lost.
    async fn ask<T>(&self, answer: impl FnOnce(&World) -> T) -> Result<T, BrokerError> {
        self.process.gate().await;
        let (latency, is_lost) = {
            let mut chaos = self.world.chaos();
            (chaos.latency(), chaos.chance(0.01))
        };
        sleep(latency).await;
        if is_lost {
            return Err(BrokerError::Timeout(latency));
        }
        if self.is_away() || self.process.is_dead() {
            return Err(away());
        }
        let answer = answer(&self.world);
        self.process.gate().await;
        Ok(answer)
    }

    /// As the publishing channel does it: written, then answered.
    async fn send(&self, message: Outgoing) -> PublishOutcome {
        let world = self.world.clone();
        let (latency, fate) = {
            let mut chaos = world.chaos();
            (chaos.latency(), chaos.publish())
        };
        sleep(latency).await;
        if self.is_away() || self.process.is_dead() {
            return PublishOutcome::Unknown;
        }
        match fate {
            PublishFate::Fine => put(&world, &message),
            PublishFate::Twice => {
                put(&world, &message);
                put(&world, &message);
            }
            PublishFate::Vanished => {}
            PublishFate::Nacked { written } => {
                if written {
                    put(&world, &message);
                }
                return PublishOutcome::Nacked;
            }
            PublishFate::Returned => return PublishOutcome::Returned,
            PublishFate::SlowConfirm(delay) => {
                put(&world, &message);
                sleep(delay).await;
            }
            PublishFate::Lost => return std::future::pending().await,
            PublishFate::Late(delay) => {
                tokio::spawn(async move {
                    sleep(delay).await;
                    put(&world, &message);
                });
                return std::future::pending().await;
            }
        }
        sleep(latency).await;
        // The confirm dies with the connection.
        if self.is_away() { PublishOutcome::Unknown } else { PublishOutcome::Confirmed }
    }
}

fn put(world: &World, message: &Outgoing) {
    world.broker(|queues| match message {
        Outgoing::Jobs(dispatch) => {
            let pointers = dispatch.jobs.iter().map(|picked| picked.pointer).collect();
            queues.put(&dispatch.lane, dispatch.band, Envelope::new(dispatch.message, pointers).encode());
        }
        Outgoing::Probe { lane, band } => queues.put(lane, *band, Envelope::new(MessageId(0), Vec::new()).encode()),
        Outgoing::Dead(dead) => queues.put_dead(Some(Pointer(dead.id, dead.epoch)), b"a copy".to_vec()),
    });
}

impl Broker for SimBroker {
    type Subscription = SimSubscription;
    type DeadPass = SimDeadPass;

    fn can_publish(&self) -> bool {
        !self.process.is_dead() && self.world.look(|queues| !queues.away && !queues.blocked)
    }

    async fn publish(&self, message: Outgoing) -> PublishOutcome {
        self.process.gate().await;
        if !self.can_publish() {
            return PublishOutcome::Nacked;
        }
        let outcome = timeout(self.world.protocol.confirm_deadline, self.send(message)).await;
        self.process.gate().await;
        outcome.unwrap_or(PublishOutcome::Unknown)
    }

    async fn depth(&self, lane: &str, band: Band) -> Result<u64, BrokerError> {
        self.ask(|world| world.look(|queues| queues.ready(lane, band))).await
    }
    async fn dead_depth(&self) -> Result<u64, BrokerError> {
        self.ask(|world| world.look(|queues| queues.dead_ready())).await
    }
    async fn has_generation(&self, generation: i32) -> Result<bool, BrokerError> {
        self.ask(|world| world.look(|queues| queues.generations.contains(&generation))).await
    }
    async fn declare_generation(&self, generation: i32) -> Result<(), BrokerError> {
        self.ask(|world| world.broker(|queues| queues.generations.insert(generation))).await.map(drop)
    }

    async fn subscribe(&self, lane: &str, prefetch: Prefetch) -> Result<SimSubscription, BrokerError> {
        let process = self.process.number();
        let holder = self.ask(|world| world.broker(|queues| queues.consume(process, lane, prefetch))).await?;
        let held = Holder { broker: self.clone(), holder };
        Ok(SimSubscription { held, news: self.world.news.subscribe() })
    }

    async fn dead_pass(&self) -> Result<SimDeadPass, BrokerError> {
        let process = self.process.number();
        let holder = self.ask(|world| world.broker(|queues| queues.read_dead(process))).await?;
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
pub(crate) struct SimSubscription {
    held: Holder,
    news: watch::Receiver<u64>,
}

impl Subscription for SimSubscription {
    async fn next(&mut self) -> Option<Delivery> {
        loop {
            self.held.broker.process.gate().await;
            self.news.borrow_and_update();
            let (world, holder) = (&self.held.broker.world, self.held.holder);
            let twice = world.chaos().chance(0.02);
            match world.look(|queues| queues.deliver(holder, twice)) {
                Ok(Some(delivery)) => return Some(delivery),
                Ok(None) => self.news.changed().await.ok()?,
                Err(()) => return None,
            }
        }
    }

    async fn ack(&mut self, acks: Acks) -> Result<(), BrokerError> {
        let holder = self.held.holder;
        let is_taken = self.held.broker.ask(|world| world.broker(|queues| queues.ack(holder, &acks))).await;
        // As a failed round trip on a consuming channel: the connection is given up.
        if !matches!(is_taken, Ok(true)) {
            self.held.broker.world.broker(|queues| queues.leave(holder));
            return Err(away());
        }
        Ok(())
    }

    async fn cancel(&mut self) -> Result<(), BrokerError> {
        let holder = self.held.holder;
        self.held.broker.ask(|world| world.broker(|queues| queues.cancel(holder))).await.map(drop)
    }

    async fn close(self) {
        self.held.broker.process.gate().await;
    }
}

/// A pass over docket.dead.
pub(crate) struct SimDeadPass(Holder);

impl DeadPass for SimDeadPass {
    async fn next(&mut self) -> Result<Option<DeadMessage>, BrokerError> {
        let holder = self.0.holder;
        let next = self.0.broker.ask(|world| world.broker(|queues| queues.next_dead(holder))).await?;
        let next = next.map_err(|()| away())?;
        Ok(next.map(|(tag, copy)| DeadMessage { tag, pointer: copy.pointer, body: copy.body, headers: String::new() }))
    }

    async fn ack(&mut self, tag: u64) -> Result<(), BrokerError> {
        let holder = self.0.holder;
        let is_taken = self.0.broker.ask(|world| world.broker(|queues| queues.ack_dead(holder, tag))).await?;
        if is_taken { Ok(()) } else { Err(away()) }
    }

    async fn close(self) {
        sleep(Duration::from_millis(1)).await;
    }
}
