//! The real loops against a simulated ledger and a simulated broker, on one thread, with tokio's paused clock.
//!
//! Scheduler, worker and projection run as they are. Each seed is a story of its own: jobs, faults of both services,
//! killed, frozen and drained processes; then the faults end, and `check` looks at what became of the jobs. A process is
//! killed by never answering it again: what its loops do after that reaches nobody.
//!
//! A seed fixes the story. It does not fix the order in which the loops' own tasks run (`tokio::select!` and hash maps
//! draw from the machine's randomness, and so does the jitter of retries), so a failing seed may need some repeats:
//! `DOCKET_SIM_SEED=n cargo test --test sim`. `DOCKET_SIM_SEEDS=n` runs more of them.

#![expect(clippy::unwrap_used, reason = "a test's helpers may panic like the test itself")]

mod broker;
mod chaos;
mod check;
mod handlers;
mod ledger;
mod process;
mod story;
mod world;

use std::{cell::RefCell, sync::Once};
use world::Mutant;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is not a number")))
}

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

/// What a seed did wrong.
fn run(seed: u64, mutant: Mutant) -> Result<story::Tally, String> {
    keep_panics();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let told = runtime.block_on(story::tell(seed, mutant));
    drop(runtime);
    let panics = PANICS.take();
    if panics.is_empty() { told } else { Err(format!("{}\n  {}", panics.join("\n  "), told.err().unwrap_or_default())) }
}

#[test]
fn every_job_ends_once_whatever_fails() {
    let seeds = match number("DOCKET_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("DOCKET_SIM_SEEDS").unwrap_or(100),
    };
    let (mut tally, mut bad) = (story::Tally::default(), Vec::new());
    for seed in seeds {
        match run(seed, Mutant::None) {
            Ok(one) => tally.add(&one),
            Err(what) => {
                eprintln!("seed {seed}: {what}");
                bad.push(seed);
            }
        }
    }
    println!("{tally:?}");
    assert!(bad.is_empty(), "failing seeds: {bad:?}; repeat one with DOCKET_SIM_SEED=n");
}

/// The checker can fail: each of these ledgers breaks one rule of the protocol, and is caught.
fn is_caught(mutant: Mutant) {
    let caught = (0..100).find_map(|seed| run(seed, mutant).err().map(|what| (seed, what)));
    let Some((seed, what)) = caught else { panic!("{mutant:?} was not caught") };
    println!("{mutant:?} is caught by seed {seed}: {}", what.lines().next().unwrap_or_default());
}

#[test]
fn a_completion_without_the_fence_is_caught() {
    is_caught(Mutant::NoFence);
}

#[test]
fn a_ledger_that_never_gives_back_what_a_dead_worker_held_is_caught() {
    is_caught(Mutant::NoR4);
}

#[test]
fn a_ledger_that_never_gives_back_what_the_broker_lost_is_caught() {
    is_caught(Mutant::NoR3);
}
