//! The load: jobs of all kinds and priorities, at random times, as if from many callers.

use super::{
    kinds::{BUSY, EFFECT, EXTERNAL, FAIL_ALWAYS, FAIL_ONCE, FAIL_TWICE, HANG, KILL, OK, PANIC, REFUSE, SLOW},
    spec::RATE,
    stage::Stage,
};
use anyhow::Result;
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A kind, and how often of [`WHOLE`] it comes.
const WEIGHTS: &[(&str, u32)] = &[
    (OK, 4400),
    (EFFECT, 2200),
    (EXTERNAL, 1000),
    (FAIL_ONCE, 800),
    (FAIL_TWICE, 400),
    (SLOW, 700),
    (FAIL_ALWAYS, 150),
    (PANIC, 150),
    (REFUSE, 100),
    (HANG, 50),
    (BUSY, 45),
    (KILL, 5),
];
const WHOLE: u32 = 10_000;

const PRIORITIES: [i32; 5] = [300, 150, 100, 50, -50];

/// Jobs that are being enqueued at once: beyond that, callers wait for a database that is away.
const AT_ONCE: usize = 200;

/// Enqueues until `stop`.
pub(super) async fn run(stage: Arc<Stage>, stop: CancellationToken) -> Result<()> {
    let mut random = StdRng::seed_from_u64(stage.seed ^ 0x10ad);
    let (tasks, mut at) = (TaskTracker::new(), Instant::now());
    loop {
        // 1 - u is in (0, 1], so the logarithm is finite.
        at += Duration::from_secs_f64(-(1.0 - random.random::<f64>()).ln() / RATE);
        if stop.run_until_cancelled(sleep_until(at)).await.is_none() {
            break;
        }
        let kind = kind(random.random_range(0..WHOLE));
        let priority = PRIORITIES[random.random_range(0..PRIORITIES.len())];
        let ms = how_long(kind, stage.short, &mut random);
        if tasks.len() >= AT_ONCE {
            continue;
        }
        let stage = stage.clone();
        tasks.spawn(async move {
            if let Err(error) = stage.put(&[(kind, ms, priority)]).await {
                tracing::error!(event = "chaos.not_enqueued", %error, "a job of the load was not enqueued");
            }
        });
    }
    tasks.close();
    tasks.wait().await;
    Ok(())
}

fn kind(mut draw: u32) -> &'static str {
    for (kind, weight) in WEIGHTS {
        match draw.checked_sub(*weight) {
            Some(left) => draw = left,
            None => return kind,
        }
    }
    OK
}

fn how_long(kind: &str, short: bool, random: &mut StdRng) -> u64 {
    match kind {
        SLOW if short => random.random_range(500..3_000),
        SLOW => random.random_range(2_000..12_000),
        // Half of them beyond their deadline.
        BUSY => [300, 2_600][random.random_range(0..2)],
        _ => random.random_range(0..40),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::kinds::KINDS, *};

    #[test]
    fn every_kind_comes_as_often_as_it_weighs() {
        assert_eq!(WEIGHTS.iter().map(|(_, weight)| weight).sum::<u32>(), WHOLE);
        assert_eq!(WEIGHTS.len(), KINDS.len());
        for (wanted, weight) in WEIGHTS {
            let count = (0..WHOLE).filter(|draw| kind(*draw) == *wanted).count();
            assert_eq!(count, *weight as usize, "{wanted}");
        }
    }
}
