//! The lanes' queues, and who holds what of them unacknowledged.

use super::dead::Dead;
use crate::history::History;
use docket::fleet::{
    job::{Band, Pointer},
    ports::{Acks, Delivery, Prefetch},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

/// A queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// A band of the one lane that there is.
    Lane(Band),
    /// docket.dead.
    Dead,
}

/// A message of a lane.
#[derive(Clone, Debug)]
struct Message {
    body: Vec<u8>,
    /// How often it came back unacknowledged.
    returns: u32,
}

/// A lane's three consumers.
#[derive(Debug)]
struct Consumer {
    process: u64,
    prefetch: Prefetch,
    unacked: BTreeMap<u64, (Band, Message)>,
    next_tag: u64,
    cancelled: bool,
}

/// The whole broker.
#[derive(Debug)]
pub(crate) struct Queues {
    pub(super) history: Arc<History>,
    bands: BTreeMap<Band, VecDeque<Message>>,
    pub(super) dead: Dead,
    pub(crate) generations: BTreeSet<i32>,
    /// Refuses all connections.
    pub(crate) away: bool,
    /// Takes nothing in, and says so.
    pub(crate) blocked: bool,
    /// After a wipe: connections are taken, and there is no queue yet.
    pub(crate) bare: bool,
    /// It stays as it is, whatever that is.
    pub(crate) is_lost: bool,
    /// Have no leader: nothing goes in or out, and their count is 0.
    pub(crate) leaderless: BTreeSet<Place>,
    /// Written to a queue without a leader: it may be in there when it has one again.
    held_back: Vec<(Place, Option<Pointer>, Vec<u8>)>,
    /// Most messages that are ready in a band; more are refused.
    pub(crate) max_length: usize,
    /// A message that came back more often goes to docket.dead.
    pub(crate) delivery_limit: u32,
    /// What was sent lately, for those who send it again.
    pub(crate) sent: VecDeque<(Band, Vec<u8>)>,
    consumers: BTreeMap<u64, Consumer>,
    pub(super) next_holder: u64,
}

const SENT_MAX: usize = 50;

impl Queues {
    pub(crate) fn new(history: Arc<History>) -> Self {
        Self {
            history,
            bands: BTreeMap::new(),
            dead: Dead::default(),
            generations: BTreeSet::new(),
            away: false,
            blocked: false,
            bare: false,
            is_lost: false,
            leaderless: BTreeSet::new(),
            held_back: Vec::new(),
            max_length: usize::MAX,
            delivery_limit: u32::MAX,
            sent: VecDeque::new(),
            consumers: BTreeMap::new(),
            next_holder: 0,
        }
    }

    /// False: the queue is full, and refuses.
    pub(crate) fn put(&mut self, band: Band, body: Vec<u8>) -> bool {
        let queue = self.bands.entry(band).or_default();
        if queue.len() >= self.max_length {
            self.history.count("queue full", &[band.as_number().into()]);
            return false;
        }
        self.history.note("put", &[band.as_number().into(), i64::try_from(body.len()).unwrap()]);
        queue.push_back(Message { body: body.clone(), returns: 0 });
        self.sent.push_back((band, body));
        if self.sent.len() > SENT_MAX {
            self.sent.pop_front();
        }
        true
    }

    /// False: the queue is full, and refuses. docket.dead never is.
    pub(crate) fn put_at(&mut self, place: Place, pointer: Option<Pointer>, body: Vec<u8>) -> bool {
        match place {
            Place::Lane(band) => self.put(band, body),
            Place::Dead => {
                self.put_dead(pointer, body);
                true
            }
        }
    }

    /// Written while the queue can't take it.
    pub(crate) fn hold_back(&mut self, place: Place, pointer: Option<Pointer>, body: Vec<u8>) {
        self.held_back.push((place, pointer, body));
    }

    /// Every queue has its leader, and the broker takes everything again.
    pub(crate) fn recover(&mut self) {
        (self.blocked, self.leaderless) = (false, BTreeSet::new());
        for (place, pointer, body) in std::mem::take(&mut self.held_back) {
            self.put_at(place, pointer, body);
        }
    }

    pub(crate) fn ready(&self, band: Band) -> u64 {
        if self.leaderless.contains(&Place::Lane(band)) {
            return 0;
        }
        self.bands.get(&band).map_or(0, |queue| queue.len() as u64)
    }

    /// Messages of the lane, ready or unacknowledged.
    pub(crate) fn in_lanes(&self) -> usize {
        let unacked: usize = self.consumers.values().map(|consumer| consumer.unacked.len()).sum();
        self.bands.values().map(VecDeque::len).sum::<usize>() + unacked
    }

    pub(crate) fn consume(&mut self, process: u64, prefetch: Prefetch) -> u64 {
        self.next_holder += 1;
        let consumer = Consumer { process, prefetch, unacked: BTreeMap::new(), next_tag: 0, cancelled: false };
        self.consumers.insert(self.next_holder, consumer);
        self.next_holder
    }

    /// Err: the consumer is gone. `twice`: the broker delivers the message again later.
    pub(crate) fn deliver(&mut self, holder: u64, twice: bool) -> Result<Option<Delivery>, ()> {
        let consumer = self.consumers.get_mut(&holder).ok_or(())?;
        if consumer.cancelled {
            return Ok(None);
        }
        for (band, prefetch) in Band::ALL.into_iter().zip(consumer.prefetch.0) {
            let held = consumer.unacked.values().filter(|(of, _)| *of == band).count();
            if held >= usize::from(prefetch) || self.leaderless.contains(&Place::Lane(band)) {
                continue;
            }
            let queue = self.bands.entry(band).or_default();
            let Some(message) = queue.pop_front() else { continue };
            if twice {
                self.history.count("delivered twice", &[]);
                queue.push_back(message.clone());
            }
            consumer.next_tag += 1;
            self.history.note("deliver", &[holder.cast_signed(), consumer.next_tag.cast_signed()]);
            let body = message.body.clone();
            consumer.unacked.insert(consumer.next_tag, (band, message));
            return Ok(Some(Delivery { tag: consumer.next_tag, band, body, headers: String::new() }));
        }
        Ok(None)
    }

    /// False: the consumer is gone, or a tag is not its own, which ends it as in RabbitMQ.
    pub(crate) fn ack(&mut self, holder: u64, acks: &Acks) -> bool {
        let Some(consumer) = self.consumers.get_mut(&holder) else { return false };
        if let Some(up_to) = acks.up_to {
            if !consumer.unacked.contains_key(&up_to) {
                self.leave(holder);
                return false;
            }
            consumer.unacked = consumer.unacked.split_off(&(up_to + 1));
        }
        if acks.single.iter().any(|tag| consumer.unacked.remove(tag).is_none()) {
            self.leave(holder);
            return false;
        }
        true
    }

    pub(crate) fn cancel(&mut self, holder: u64) -> bool {
        self.consumers.get_mut(&holder).map(|consumer| consumer.cancelled = true).is_some()
    }

    /// Closes a channel: what was not acknowledged returns to the head of its queue.
    pub(crate) fn leave(&mut self, holder: u64) {
        if let Some(consumer) = self.consumers.remove(&holder) {
            self.history.note("leave", &[holder.cast_signed()]);
            for (band, mut message) in consumer.unacked.into_values().rev() {
                message.returns += 1;
                if message.returns > self.delivery_limit {
                    self.history.count("delivery limit", &[]);
                    self.put_dead(None, message.body);
                } else {
                    self.bands.entry(band).or_default().push_front(message);
                }
            }
        }
        self.leave_dead(holder);
    }

    /// The connections of a process, or all, break.
    pub(crate) fn disconnect(&mut self, process: Option<u64>) {
        let is_theirs = |of: u64| process.is_none_or(|process| process == of);
        let consumers = self.consumers.iter().filter(|(_, c)| is_theirs(c.process)).map(|(holder, _)| *holder);
        let holders: Vec<u64> = consumers.chain(self.readers_of(process)).collect();
        holders.into_iter().for_each(|holder| self.leave(holder));
    }

    /// The disk is lost.
    pub(crate) fn wipe(&mut self) {
        self.disconnect(None);
        self.bands.clear();
        self.held_back.clear();
        self.purge_dead();
        self.generations.clear();
    }

    /// An operator empties a queue.
    pub(crate) fn purge(&mut self, band: Band) {
        self.bands.remove(&band);
    }

    /// One message is gone.
    pub(crate) fn lose_one(&mut self, band: Band, nth: usize) {
        if let Some(queue) = self.bands.get_mut(&band).filter(|queue| !queue.is_empty()) {
            queue.remove(nth % queue.len());
        }
    }
}
