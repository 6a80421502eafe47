//! Which deliveries may be acknowledged. Pure.

use crate::fleet::ports::Acks;
use std::collections::{BTreeMap, BTreeSet};

/// The unacknowledged deliveries of one subscription.
///
/// A delivery is open until its jobs are claimed, handed back or quarantined, all of them committed; then it is settled.
/// One `multiple` ack covers all settled tags below the first open one; settled tags above an open one are acknowledged
/// singly, because they count against their consumer's prefetch.
///
/// A channel numbers its deliveries from 1 without a gap, and its bands are read in any order: a tag that did not come yet
/// waits in another band's stream, and is as good as open.
#[derive(Debug, Default)]
pub(super) struct AckWindow {
    /// Tag → settled.
    tags: BTreeMap<u64, bool>,
    settled: usize,
    /// Each tag up to this one came.
    came: u64,
    /// Tags that came before a lower one. No more than the broker delivers unacknowledged: the lower one is among those.
    ahead: BTreeSet<u64>,
}

impl AckWindow {
    /// A delivery came.
    pub(super) fn open(&mut self, tag: u64) {
        self.tags.insert(tag, false);
        self.ahead.insert(tag);
        while self.ahead.remove(&(self.came + 1)) {
            self.came += 1;
        }
    }

    /// Nothing more is to be done for a delivery.
    pub(super) fn settle(&mut self, tag: u64) {
        if let Some(settled @ false) = self.tags.get_mut(&tag) {
            *settled = true;
            self.settled += 1;
        }
    }

    /// What can be acknowledged now; it is forgotten here.
    pub(super) fn flush(&mut self) -> Option<Acks> {
        if self.settled == 0 {
            return None;
        }
        let first_open = self.tags.iter().find(|(_, settled)| !**settled).map_or(u64::MAX, |(tag, _)| *tag);
        let above = self.tags.split_off(&first_open.min(self.came + 1));
        let up_to = self.tags.keys().next_back().copied();
        let (single, open): (Vec<_>, Vec<_>) = above.into_iter().partition(|(_, settled)| *settled);
        self.tags = open.into_iter().collect();
        self.settled = 0;
        Some(Acks { up_to, single: single.into_iter().map(|(tag, _)| tag).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn multiple_below_the_first_open_tag_and_single_above_it() {
        let mut window = AckWindow::default();
        (1..=6).for_each(|tag| window.open(tag));
        [1, 2, 4, 6].into_iter().for_each(|tag| window.settle(tag));
        assert_eq!(window.flush(), Some(Acks { up_to: Some(2), single: vec![4, 6] }));
        assert_eq!(window.flush(), None);
        window.settle(3);
        window.settle(5);
        // 4 and 6 are acknowledged: naming them again would close the channel.
        assert_eq!(window.flush(), Some(Acks { up_to: Some(5), single: vec![] }));
    }

    #[test]
    fn what_waits_in_another_bands_stream_is_not_acknowledged_along() {
        let mut window = AckWindow::default();
        window.open(3);
        window.settle(3);
        // With `multiple`, 1 and 2 would be gone from the broker before anybody has read them.
        assert_eq!(window.flush(), Some(Acks { up_to: None, single: vec![3] }));
        [2, 1].into_iter().for_each(|tag| window.open(tag));
        window.settle(2);
        assert_eq!(window.flush(), Some(Acks { up_to: None, single: vec![2] }));
        window.open(4);
        [1, 4].into_iter().for_each(|tag| window.settle(tag));
        assert_eq!(window.flush(), Some(Acks { up_to: Some(4), single: vec![] }));
    }

    proptest! {
        #[test]
        fn whatever_the_order_in_which_they_come_each_is_acknowledged_once_after_it_is_settled(order in Just((1..=30_u64).collect::<Vec<_>>()).prop_shuffle(), settle in prop::collection::vec(any::<bool>(), 30), every in 1..7_usize) {
            let mut window = AckWindow::default();
            let (mut unacked, mut settled): (BTreeSet<u64>, BTreeSet<u64>) = ((1..=30).collect(), BTreeSet::new());
            for (i, &tag) in order.iter().enumerate() {
                window.open(tag);
                if settle[i] {
                    window.settle(tag);
                    settled.insert(tag);
                }
                if i % every != 0 && i != 29 { continue; }
                let Some(acks) = window.flush() else { continue };
                if let Some(last) = acks.up_to {
                    prop_assert!(unacked.contains(&last), "a used tag closes the channel");
                    let rest = unacked.split_off(&(last + 1));
                    prop_assert!(unacked.is_subset(&settled), "an open or unread delivery was acknowledged");
                    unacked = rest;
                }
                for tag in acks.single {
                    prop_assert!(settled.contains(&tag) && unacked.remove(&tag), "{} twice, or open", tag);
                }
            }
            prop_assert!(unacked.is_disjoint(&settled), "each settled one is acknowledged");
        }

        #[test]
        fn every_settled_tag_is_acknowledged_once_and_no_open_one(order in Just((1..=30_u64).collect::<Vec<_>>()).prop_shuffle(), settle in 0..30_usize, every in 1..7_usize) {
            let mut window = AckWindow::default();
            (1..=30).for_each(|tag| window.open(tag));
            let mut unacked: BTreeSet<u64> = (1..=30).collect();
            let settled: BTreeSet<u64> = order[..settle].iter().copied().collect();
            for (i, &tag) in order[..settle].iter().enumerate() {
                window.settle(tag);
                if i % every != 0 && i + 1 != settle { continue; }
                let Some(acks) = window.flush() else { continue };
                for tag in acks.single {
                    prop_assert!(unacked.remove(&tag), "{} twice", tag);
                }
                if let Some(last) = acks.up_to {
                    prop_assert!(unacked.contains(&last), "a used tag closes the channel");
                    let rest = unacked.split_off(&(last + 1));
                    prop_assert!(unacked.iter().all(|tag| settled.contains(tag)), "an open delivery was acknowledged");
                    unacked = rest;
                }
            }
            let open: BTreeSet<u64> = (1..=30).filter(|tag| !settled.contains(tag)).collect();
            prop_assert_eq!(unacked, open);
        }
    }
}
