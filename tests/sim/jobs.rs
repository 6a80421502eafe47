//! The jobs of a story.

use crate::{
    handlers::{Script, join, plain, writer},
    story::{LANE, STORM, Story},
};
use docket::fleet::job::NewJob;
use rand::{Rng, rngs::StdRng};
use std::time::Duration;
use tokio::time::sleep;

/// Jobs come during some of the storm or all of it, a few at a time.
pub(crate) async fn bring(story: &Story, dice: &mut StdRng) {
    let count = dice.random_range(10..45);
    let poison = *[0.0, 0.03, 0.1].get(dice.random_range(0..3)).unwrap();
    let share = [50, 100, 100][dice.random_range(0..3)];
    let pause = 2 * STORM.as_millis() * share / 100 / count;
    for _ in 0..count {
        sleep(Duration::from_millis(dice.random_range(0..u64::try_from(pause).unwrap()))).await;
        arrive(story, dice, poison);
        if dice.random_bool(0.5) {
            // No scheduler listens: it polls.
            let _ = story.wake.send(LANE.to_owned());
        }
    }
}

fn arrive(story: &Story, dice: &mut StdRng, poison: f64) {
    let world = &story.world;
    if dice.random_bool(poison) {
        let script = Script { kill: true, run_ms: one_of(dice, &[100, 500, 2000]), ..Script::default() };
        let job = prioritised(plain(&script), dice);
        world.ledger(|s| s.insert(job, None));
        return;
    }
    match dice.random_range(0..20) {
        0 => {
            let children = (0..dice.random_range(1..5)).map(|_| writer(&script(dice))).collect();
            world.ledger(|s| s.insert_family(join(), children));
        }
        1 => {
            let script = Script { spawn: dice.random_range(1..4), ..script(dice) };
            world.ledger(|s| s.insert(writer(&script), None));
        }
        2..10 => {
            let after = dice.random_bool(0.15).then(|| Duration::from_millis(dice.random_range(1000..60_000)));
            let job = prioritised(writer(&script(dice)), dice);
            world.ledger(|s| s.insert(job, after));
        }
        // Many of one kind and priority, so that messages with several pointers come about.
        _ => {
            let priority = one_of(dice, &PRIORITIES);
            for _ in 0..dice.random_range(1..8) {
                let script = Script { run_ms: one_of(dice, &[0, 20, 50, 300]), ..script(dice) };
                world.ledger(|s| s.insert(plain(&script).priority(priority), None));
            }
        }
    }
}

/// All three bands.
const PRIORITIES: [i32; 6] = [100, 100, 100, 200, 10, -5];

fn prioritised(job: NewJob, dice: &mut StdRng) -> NewJob {
    job.priority(one_of(dice, &PRIORITIES))
}

fn one_of<T: Copy>(dice: &mut StdRng, all: &[T]) -> T {
    all[dice.random_range(0..all.len())]
}

fn script(dice: &mut StdRng) -> Script {
    let script = Script { run_ms: one_of(dice, &[5, 50, 800, 3000, 8000]), ..Script::default() };
    match dice.random_range(0..40) {
        0..4 => Script { fail_first: 1, ..script },
        4..6 => Script { fail_first: 2, ..script },
        6..9 => Script { fail_first: 3, ..script },
        9..11 => Script { refuse: true, ..script },
        11 => Script { discard: true, ..script },
        12..14 => Script { bad_effects: true, ..script },
        14 => Script { snooze: true, ..script },
        15 => Script { run_ms: dice.random_range(10_000..40_000), ..script },
        _ => script,
    }
}
