//! docket.dead, and those who read it.

use super::{Place, Queues};
use docket::fleet::job::Pointer;
use std::collections::{BTreeMap, VecDeque};

/// A copy in docket.dead.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub(crate) pointer: Option<Pointer>,
    pub(crate) body: Vec<u8>,
}

/// Someone who makes a pass.
#[derive(Debug)]
struct Reader {
    process: u64,
    unacked: BTreeMap<u64, Copy>,
    next_tag: u64,
}

#[derive(Debug, Default)]
pub(super) struct Dead {
    ready: VecDeque<Copy>,
    readers: BTreeMap<u64, Reader>,
}

impl Queues {
    pub(crate) fn put_dead(&mut self, pointer: Option<Pointer>, body: Vec<u8>) {
        self.history.note("put dead", &[pointer.map_or(0, |p| p.id().0), pointer.map_or(0, |p| p.epoch().into())]);
        self.dead.ready.push_back(Copy { pointer, body });
    }

    pub(crate) fn dead_ready(&self) -> u64 {
        if self.leaderless.contains(&Place::Dead) { 0 } else { self.dead.ready.len() as u64 }
    }

    /// The pointers of docket.dead, sorted; what is unreadable counts as none.
    pub(crate) fn dead_pointers(&self) -> Vec<Option<Pointer>> {
        // What a pass holds at the moment returns.
        let read = self.dead.readers.values().flat_map(|reader| reader.unacked.values());
        let mut all: Vec<_> = self.dead.ready.iter().chain(read).map(|copy| copy.pointer).collect();
        all.sort_unstable();
        all
    }

    /// An operator empties docket.dead.
    pub(crate) fn purge_dead(&mut self) {
        self.dead.ready.clear();
    }

    pub(crate) fn read_dead(&mut self, process: u64) -> u64 {
        self.next_holder += 1;
        self.dead.readers.insert(self.next_holder, Reader { process, unacked: BTreeMap::new(), next_tag: 0 });
        self.next_holder
    }

    /// Err: the reader is gone, or nobody answers it.
    pub(crate) fn next_dead(&mut self, holder: u64) -> Result<Option<(u64, Copy)>, ()> {
        if self.leaderless.contains(&Place::Dead) {
            return Err(());
        }
        let reader = self.dead.readers.get_mut(&holder).ok_or(())?;
        let Some(copy) = self.dead.ready.pop_front() else { return Ok(None) };
        reader.next_tag += 1;
        reader.unacked.insert(reader.next_tag, copy.clone());
        Ok(Some((reader.next_tag, copy)))
    }

    pub(crate) fn ack_dead(&mut self, holder: u64, tag: u64) -> bool {
        self.dead.readers.get_mut(&holder).is_some_and(|reader| reader.unacked.remove(&tag).is_some())
    }

    /// The holders of a process's passes, or of all.
    pub(super) fn readers_of(&self, process: Option<u64>) -> Vec<u64> {
        let readers = self.dead.readers.iter().filter(|(_, r)| process.is_none_or(|process| process == r.process));
        readers.map(|(holder, _)| *holder).collect()
    }

    /// The end of a pass: what was kept returns.
    pub(super) fn leave_dead(&mut self, holder: u64) {
        if let Some(reader) = self.dead.readers.remove(&holder) {
            self.dead.ready.extend(reader.unacked.into_values());
        }
    }
}
