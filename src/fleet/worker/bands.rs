//! Deliveries that wait for a slot, by band. Pure.

use crate::fleet::job::Band;
use std::collections::VecDeque;

/// A free slot takes from high, normal, low in this proportion, among those that hold a message: urgent work first,
/// and no band starves.
const WEIGHTS: [i64; 3] = [6, 3, 1];

/// Three queues and whose turn it is. What it holds is bounded by the prefetch.
#[derive(Debug)]
pub(super) struct BandQueues<T> {
    queues: [VecDeque<T>; 3],
    credit: [i64; 3],
}

impl<T> Default for BandQueues<T> {
    fn default() -> Self {
        Self { queues: Default::default(), credit: [0; 3] }
    }
}

impl<T> BandQueues<T> {
    /// At the end of its band.
    pub(super) fn push(&mut self, band: Band, item: T) {
        self.queues[band.index()].push_back(item);
    }

    /// The next one by smooth weighted round robin.
    pub(super) fn pop(&mut self) -> Option<T> {
        let waiting: Vec<usize> = (0..3).filter(|&i| !self.queues[i].is_empty()).collect();
        for &i in &waiting {
            self.credit[i] += WEIGHTS[i];
        }
        // The first of equals is the most urgent: `max_by_key` would take the last.
        let best = waiting.iter().copied().rev().max_by_key(|&i| self.credit[i])?;
        self.credit[best] -= waiting.iter().map(|&i| WEIGHTS[i]).sum::<i64>();
        self.queues[best].pop_front()
    }

    /// Takes out all for which `overdue` holds.
    pub(super) fn take_if(&mut self, overdue: impl Fn(&T) -> bool) -> Vec<T> {
        let mut taken = Vec::new();
        for queue in &mut self.queues {
            let (out, keep): (VecDeque<T>, VecDeque<T>) = queue.drain(..).partition(|item| overdue(item));
            taken.extend(out);
            *queue = keep;
        }
        taken
    }

    /// All that wait.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.queues.iter().flatten()
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.queues.iter().map(VecDeque::len).sum()
    }

    /// The item that has waited longest in its band, over all bands, as `age` orders them.
    pub(super) fn oldest<K: Ord>(&self, age: impl Fn(&T) -> K) -> Option<K> {
        self.queues.iter().filter_map(|queue| queue.front().map(&age)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(each: usize) -> BandQueues<Band> {
        let mut queues = BandQueues::default();
        for band in Band::ALL {
            (0..each).for_each(|_| queues.push(band, band));
        }
        queues
    }

    #[test]
    fn six_to_three_to_one_while_all_wait() {
        let mut queues = full(100);
        let first: Vec<Band> = (0..100).filter_map(|_| queues.pop()).collect();
        let count = |band| first.iter().filter(|b| **b == band).count();
        assert_eq!([count(Band::High), count(Band::Normal), count(Band::Low)], [60, 30, 10]);
        assert_eq!(first[0], Band::High);
    }

    #[test]
    fn empty_bands_leave_their_share_to_the_others() {
        let mut queues = BandQueues::default();
        (0..4).for_each(|_| queues.push(Band::Low, Band::Low));
        assert_eq!(queues.pop(), Some(Band::Low));
        queues.push(Band::High, Band::High);
        assert_eq!(queues.pop(), Some(Band::High));
        assert_eq!((queues.len(), queues.take_if(|_| true).len(), queues.len()), (3, 3, 0));
        assert_eq!(queues.pop(), None);
    }
}
