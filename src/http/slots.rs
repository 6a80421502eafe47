//! Places for connections: a bounded number of them. When all are taken, a newcomer gets the place of whoever has kept us
//! waiting longest for a request; when all are at work, he is refused.
//!
//! So a crowd that connects and says nothing keeps no probe out: it only displaces itself.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio_util::sync::CancellationToken;

/// The places of one listener.
#[derive(Clone)]
pub(super) struct Slots(Arc<Mutex<State>>);

struct State {
    free: usize,
    /// Rises with each wait: the smallest key has waited longest.
    next: u64,
    waiting: BTreeMap<u64, CancellationToken>,
}

/// One place. Dropping it gives it back, unless it was given to another already.
pub(super) struct Slot {
    slots: Slots,
    cut: CancellationToken,
    /// Its key while it waits; none while it is at work.
    ticket: Mutex<Option<u64>>,
}

/// While it lives, the connection is at work and keeps its place.
pub(super) struct Busy<'a>(&'a Slot);

/// How a newcomer came by his place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was free.
    Free,
    /// Another connection had to make room.
    Displaced,
}

impl Slots {
    pub(super) fn new(places: usize) -> Self {
        Self(Arc::new(Mutex::new(State { free: places, next: 0, waiting: BTreeMap::new() })))
    }

    /// A place for a new connection, which waits for its first request. `cut` ends all connections.
    pub(super) fn take(&self, cut: &CancellationToken) -> Option<(Slot, Taken)> {
        let mut state = self.state();
        let taken = if let Some(free) = state.free.checked_sub(1) {
            state.free = free;
            Taken::Free
        } else {
            let (_, displaced) = state.waiting.pop_first()?;
            displaced.cancel();
            Taken::Displaced
        };
        let cut = cut.child_token();
        let ticket = Mutex::new(Some(state.wait(&cut)));
        Some((Slot { slots: self.clone(), cut, ticket }, taken))
    }

    /// No code between lock and unlock can panic and leave it half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wait(&mut self, cut: &CancellationToken) -> u64 {
        let ticket = self.next;
        self.next += 1;
        self.waiting.insert(ticket, cut.clone());
        ticket
    }
}

impl Slot {
    /// Fires when the place was given away, and when all connections end.
    pub(super) const fn cut(&self) -> &CancellationToken {
        &self.cut
    }

    /// A request has come. None: too late, the place is given away.
    pub(super) fn busy(&self) -> Option<Busy<'_>> {
        let mut state = self.slots.state();
        let mut ticket = self.ticket();
        state.waiting.remove(&(*ticket)?)?;
        *ticket = None;
        Some(Busy(self))
    }

    fn ticket(&self) -> MutexGuard<'_, Option<u64>> {
        self.ticket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut state = self.0.slots.state();
        *self.0.ticket() = Some(state.wait(&self.0.cut));
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.slots.state();
        let displaced = self.ticket().take().is_some_and(|ticket| state.waiting.remove(&ticket).is_none());
        if !displaced {
            state.free += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(slots: &Slots) -> Option<(Slot, Taken)> {
        slots.take(&CancellationToken::new())
    }

    #[test]
    fn the_one_that_has_waited_longest_makes_room() {
        let slots = Slots::new(2);
        let ((one, _), (two, taken)) = (take(&slots).unwrap(), take(&slots).unwrap());
        assert_eq!(taken, Taken::Free);
        drop(one.busy().unwrap());
        // The first has spoken since, so it is the second's turn.
        let (three, taken) = take(&slots).unwrap();
        assert_eq!(taken, Taken::Displaced);
        assert!(two.cut().is_cancelled() && !one.cut().is_cancelled() && !three.cut().is_cancelled());
        assert!(two.busy().is_none(), "its request comes too late");
        drop(two);
        assert_eq!(take(&slots).unwrap().1, Taken::Displaced, "a displaced one gives back no second place");
        assert!(one.cut().is_cancelled());
    }

    #[test]
    fn who_is_at_work_keeps_his_place() {
        let slots = Slots::new(2);
        let ((one, _), (two, _)) = (take(&slots).unwrap(), take(&slots).unwrap());
        let (busy, also) = (one.busy().unwrap(), two.busy().unwrap());
        assert!(take(&slots).is_none());
        drop(also);
        let three = take(&slots).unwrap();
        assert!(two.cut().is_cancelled() && !one.cut().is_cancelled());
        drop(busy);
        drop((one, two, three));
        assert_eq!(slots.state().free, 2, "all places are back");
    }

    #[test]
    fn any_order_of_events_keeps_the_count() {
        let slots = Slots::new(3);
        let mut held: Vec<Slot> = Vec::new();
        for step in 0_usize..10_000 {
            match step.wrapping_mul(2_654_435_761) >> 7 & 3 {
                0 | 1 => held.extend(take(&slots).map(|(slot, _)| slot)),
                2 if !held.is_empty() => drop(held.swap_remove(step % held.len())),
                _ => held.iter().for_each(|slot| drop(slot.busy())),
            }
            let live = held.iter().filter(|slot| !slot.cut().is_cancelled()).count();
            assert_eq!(slots.state().free + live, 3, "step {step}");
            assert_eq!(slots.state().waiting.len(), live, "step {step}");
        }
    }

    #[test]
    fn the_end_of_all_is_the_end_of_each() {
        let (slots, cut) = (Slots::new(1), CancellationToken::new());
        let (slot, _) = slots.take(&cut).unwrap();
        cut.cancel();
        assert!(slot.cut().is_cancelled());
    }
}
