//! Who looks on: dead members are started again, living ones are sampled.

use super::{
    evidence::Sample,
    samples::parse,
    stage::Stage,
    witness::{Lines, monotonic_us},
};
use anyhow::Result;
use futures_util::future::join_all;
use std::{path::Path, sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

/// How often dead members are looked for.
const KEEP: Duration = Duration::from_millis(200);
/// Counters die with their process: what it counted since its last sample is not seen.
const SAMPLE: Duration = Duration::from_millis(500);
/// A process that is stalled doesn't answer.
const ANSWER: Duration = Duration::from_millis(1500);

/// Starts dead members until `stop`.
pub(super) async fn keep(stage: Arc<Stage>, stop: CancellationToken) -> Result<()> {
    let mut ticks = interval(KEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        stage.keep().await?;
    }
    Ok(())
}

/// Samples all members until `stop`, and once more then.
pub(super) async fn sample(stage: Arc<Stage>, evidence: &Path, stop: CancellationToken) -> Result<()> {
    let lines = Lines::open(&evidence.join("samples.jsonl"))?;
    let mut ticks = interval(SAMPLE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_last = stop.run_until_cancelled(ticks.tick()).await.is_none();
        let all = join_all(stage.fleet.members().into_iter().map(|member| async move {
            let pid = member.pid()?;
            let page = timeout(ANSWER, member.metrics()).await.ok()?.ok()?;
            // One that died meanwhile may have been another process's page.
            (member.pid() == Some(pid)).then(|| {
                let (counters, rss) = parse(&page);
                Sample { at_us: monotonic_us(), member: member.name().to_owned(), pid, rss, counters }
            })
        }));
        let samples: Vec<Sample> = all.await.into_iter().flatten().collect();
        lines.write_all(&samples).await?;
        if is_last {
            return Ok(());
        }
    }
}
