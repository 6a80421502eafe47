//! The queues, and who holds what of them unacknowledged.

use docket::fleet::{
    job::{Band, Pointer},
    ports::{Acks, Delivery, Prefetch},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A copy in docket.dead.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub(crate) pointer: Option<Pointer>,
    pub(crate) body: Vec<u8>,
}

/// A lane's three consumers.
#[derive(Debug)]
struct Consumer {
    process: u64,
    lane: String,
    prefetch: Prefetch,
    unacked: BTreeMap<u64, (Band, Vec<u8>)>,
    next_tag: u64,
    cancelled: bool,
}

/// A reader of docket.dead.
#[derive(Debug)]
struct Reader {
    process: u64,
    unacked: BTreeMap<u64, Copy>,
    next_tag: u64,
}

/// The whole broker.
#[derive(Debug, Default)]
pub(crate) struct Queues {
    bands: BTreeMap<(String, Band), VecDeque<Vec<u8>>>,
    dead: VecDeque<Copy>,
    pub(crate) generations: BTreeSet<i32>,
    /// Refuses all connections.
    pub(crate) away: bool,
    /// Takes nothing in.
    pub(crate) blocked: bool,
    consumers: BTreeMap<u64, Consumer>,
    readers: BTreeMap<u64, Reader>,
    next_holder: u64,
}

impl Queues {
    pub(crate) fn put(&mut self, lane: &str, band: Band, body: Vec<u8>) {
        self.bands.entry((lane.to_owned(), band)).or_default().push_back(body);
    }

    pub(crate) fn put_dead(&mut self, pointer: Option<Pointer>, body: Vec<u8>) {
        self.dead.push_back(Copy { pointer, body });
    }

    pub(crate) fn ready(&self, lane: &str, band: Band) -> u64 {
        self.bands.get(&(lane.to_owned(), band)).map_or(0, |queue| queue.len() as u64)
    }

    pub(crate) fn dead_ready(&self) -> u64 {
        self.dead.len() as u64
    }

    /// The pointers of docket.dead, sorted; what is unreadable counts as none.
    pub(crate) fn dead_pointers(&self) -> Vec<Option<(i64, i32)>> {
        let mut all: Vec<_> = self.dead.iter().map(|copy| copy.pointer.map(|p| (p.id().0, p.epoch()))).collect();
        all.sort_unstable();
        all
    }

    /// Messages of all lanes, ready or unacknowledged.
    pub(crate) fn in_lanes(&self) -> usize {
        let unacked: usize = self.consumers.values().map(|consumer| consumer.unacked.len()).sum();
        self.bands.values().map(VecDeque::len).sum::<usize>() + unacked
    }

    pub(crate) fn consume(&mut self, process: u64, lane: &str, prefetch: Prefetch) -> u64 {
        self.next_holder += 1;
        let lane = lane.to_owned();
        let consumer = Consumer { process, lane, prefetch, unacked: BTreeMap::new(), next_tag: 0, cancelled: false };
        self.consumers.insert(self.next_holder, consumer);
        self.next_holder
    }

    /// Err: the consumer is gone. `twice`: the broker delivers the message again later.
    pub(crate) fn deliver(&mut self, holder: u64, twice: bool) -> Result<Option<Delivery>, ()> {
        let consumer = self.consumers.get_mut(&holder).ok_or(())?;
        if consumer.cancelled {
            return Ok(None);
        }
        for (index, band) in Band::ALL.into_iter().enumerate() {
            let held = consumer.unacked.values().filter(|(of, _)| *of == band).count();
            let queue = self.bands.entry((consumer.lane.clone(), band)).or_default();
            if held >= usize::from(consumer.prefetch.0[index]) {
                continue;
            }
            let Some(body) = queue.pop_front() else { continue };
            if twice {
                queue.push_back(body.clone());
            }
            consumer.next_tag += 1;
            consumer.unacked.insert(consumer.next_tag, (band, body.clone()));
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
            for (band, body) in consumer.unacked.into_values().rev() {
                self.bands.entry((consumer.lane.clone(), band)).or_default().push_front(body);
            }
        }
        if let Some(reader) = self.readers.remove(&holder) {
            self.dead.extend(reader.unacked.into_values());
        }
    }

    /// The connections of a process, or all, break.
    pub(crate) fn disconnect(&mut self, process: Option<u64>) {
        let is_theirs = |of: u64| process.is_none_or(|process| process == of);
        let consumers = self.consumers.iter().filter(|(_, c)| is_theirs(c.process)).map(|(holder, _)| *holder);
        let readers = self.readers.iter().filter(|(_, r)| is_theirs(r.process)).map(|(holder, _)| *holder);
        let holders: Vec<u64> = consumers.chain(readers).collect();
        holders.into_iter().for_each(|holder| self.leave(holder));
    }

    /// The disk is lost; the topology is there again at once, as boot imports it.
    pub(crate) fn wipe(&mut self) {
        self.disconnect(None);
        self.purge();
        self.purge_dead();
        self.generations.clear();
    }

    /// An operator empties the lanes' queues.
    pub(crate) fn purge(&mut self) {
        self.bands.clear();
    }

    /// An operator empties docket.dead.
    pub(crate) fn purge_dead(&mut self) {
        self.dead.clear();
    }

    pub(crate) fn read_dead(&mut self, process: u64) -> u64 {
        self.next_holder += 1;
        self.readers.insert(self.next_holder, Reader { process, unacked: BTreeMap::new(), next_tag: 0 });
        self.next_holder
    }

    /// Err: the reader is gone.
    pub(crate) fn next_dead(&mut self, holder: u64) -> Result<Option<(u64, Copy)>, ()> {
        let reader = self.readers.get_mut(&holder).ok_or(())?;
        let Some(copy) = self.dead.pop_front() else { return Ok(None) };
        reader.next_tag += 1;
        reader.unacked.insert(reader.next_tag, copy.clone());
        Ok(Some((reader.next_tag, copy)))
    }

    pub(crate) fn ack_dead(&mut self, holder: u64, tag: u64) -> bool {
        self.readers.get_mut(&holder).is_some_and(|reader| reader.unacked.remove(&tag).is_some())
    }
}
