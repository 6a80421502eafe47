//! What happened in a story, and when: as a digest that two tellings of a seed must share, and as lines to read.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hasher},
    sync::Mutex,
};
use tokio::time::Instant;

/// How often something happened.
pub(crate) type Counts = BTreeMap<&'static str, u64>;

/// All events of a story, in their order.
#[derive(Debug)]
pub(crate) struct History {
    start: Instant,
    /// True: each event is printed.
    is_told: bool,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    digest: DefaultHasher,
    counts: Counts,
}

impl History {
    pub(crate) fn new(is_told: bool) -> Self {
        Self { start: Instant::now(), is_told, inner: Mutex::default() }
    }

    /// An event: what, and the numbers that tell it from others of its sort.
    pub(crate) fn note(&self, what: &'static str, numbers: &[i64]) {
        let at = self.start.elapsed().as_millis();
        let mut inner = self.inner.lock().unwrap();
        inner.digest.write_u128(at);
        inner.digest.write(what.as_bytes());
        numbers.iter().for_each(|number| inner.digest.write_i64(*number));
        if self.is_told {
            println!("{at:>9} {what} {numbers:?}");
        }
    }

    /// An event that the report counts.
    pub(crate) fn count(&self, what: &'static str, numbers: &[i64]) {
        self.note(what, numbers);
        self.add(what, 1);
    }

    /// So many of a sort at once.
    pub(crate) fn add(&self, what: &'static str, number: usize) {
        if number > 0 {
            *self.inner.lock().unwrap().counts.entry(what).or_default() += number as u64;
        }
    }

    pub(crate) fn digest(&self) -> u64 {
        self.inner.lock().unwrap().digest.finish()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.inner.lock().unwrap().counts.clone()
    }
}
