//! The checker can fail: each of these systems breaks one rule of the protocol, and is caught by what that rule
//! prevents.

use crate::{mutant::Mutant, runner};

/// Seeds until a mutant must have been caught.
const SEEDS: u64 = 1000;

/// The first fault of a seed that is the mutant's own: it says all of `words`.
fn own_fault(seed: u64, mutant: Mutant, words: &[&str]) -> Option<String> {
    let faults = runner::run(seed, mutant, false).faults;
    faults.into_iter().find(|fault| words.iter().all(|word| fault.contains(word)))
}

/// How many of so many seeds catch it is asked for with `DOCKET_SIM_MUTANTS=n`.
fn is_caught(mutant: Mutant, words: &[&str]) {
    if let Some(seeds) = crate::number("DOCKET_SIM_MUTANTS") {
        let bad = (0..seeds).filter(|seed| own_fault(*seed, mutant, words).is_some()).count();
        println!("{mutant:?}: {bad} of {seeds} seeds");
    }
    let caught = (0..SEEDS).find_map(|seed| Some((seed, own_fault(seed, mutant, words)?)));
    let Some((seed, what)) = caught else { panic!("{mutant:?} was not caught by {SEEDS} seeds") };
    let what: String = what.chars().take(150).collect();
    println!("{mutant:?} is caught by seed {seed}: {what}");
}

#[test]
fn a_completion_without_a_fence_is_caught() {
    is_caught(Mutant::NoFence, &["to completed at epoch"]);
}

#[test]
fn a_completion_fenced_by_the_status_alone_is_caught() {
    is_caught(Mutant::StatusFence, &["completed by an attempt that did not do it"]);
}

#[test]
fn effects_in_a_transaction_of_their_own_are_caught() {
    is_caught(Mutant::LooseEffects, &["effects of attempts"]);
}

#[test]
fn a_ledger_that_never_gives_back_what_a_dead_worker_held_is_caught() {
    is_caught(Mutant::NoR4, &["does not end", " processing at epoch"]);
}

#[test]
fn a_ledger_that_never_gives_back_what_a_worker_does_not_know_of_is_caught() {
    is_caught(Mutant::NoR6, &["does not end", " processing at epoch"]);
}

#[test]
fn a_ledger_that_gives_back_nothing_that_is_in_flight_is_caught() {
    is_caught(Mutant::NoR1R2R3, &["does not end", " queued at epoch"]);
}

#[test]
fn a_ledger_that_never_gives_back_what_the_broker_lost_is_caught() {
    is_caught(Mutant::NoR3, &["does not end", " queued at epoch"]);
}

#[test]
fn leases_by_the_wall_clock_are_caught() {
    is_caught(Mutant::WallLeases, &["does not end", " processing at epoch"]);
}

#[test]
fn sweeps_by_the_wall_clock_are_caught() {
    is_caught(Mutant::WallSweeps, &["does not end", " queued at epoch"]);
}

#[test]
fn the_refusal_of_a_message_with_several_jobs_is_caught() {
    is_caught(Mutant::NackWhole, &["expected (", " dead_letter at epoch"]);
}

#[test]
fn a_fleet_without_suspects_is_caught() {
    is_caught(Mutant::NoSuspects, &["a false dead letter: a neighbour killed its workers"]);
}
