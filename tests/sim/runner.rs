//! Runs seeds: one on a runtime of its own with paused time, many on all cores.

use crate::{
    mutant::Mutant,
    story::{self, Told},
    tally::Tally,
};
use std::{
    cell::RefCell,
    sync::{
        Mutex, Once,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

thread_local! {
    /// Panics of this thread's tasks. The runtime catches them, and a loop that is gone must not go unseen.
    static PANICS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn keep_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.with_borrow_mut(|panics| panics.push(info.to_string()));
            usual(info);
        }));
    });
}

/// One seed. `is_told`: each event is printed.
pub(crate) fn run(seed: u64, mutant: Mutant, is_told: bool) -> Told {
    keep_panics();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let mut told = runtime.block_on(story::tell(seed, mutant, is_told));
    drop(runtime);
    told.faults.extend(PANICS.take());
    told
}

/// All of them, on as many threads as there are cores: a seed has a runtime of its own.
pub(crate) fn run_all(seeds: &[u64], mutant: Mutant) -> Tally {
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    let work = || {
        let mut tally = Tally::default();
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            tally.add(*seed, run(*seed, mutant, false));
        }
        all.lock().unwrap().merge(tally);
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    all.into_inner().unwrap()
}
