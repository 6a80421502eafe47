//! What happens between members and services.

use super::processes::{hold_slow_jobs, one, scaled};
use crate::dev::{
    chaos::{
        kinds::{EFFECT, OK},
        samples,
        spec::SLOTS,
        stage::Stage,
    },
    fleet::Member,
    proxy::{Doors, End, Mode, Sprung, Trap},
};
use anyhow::Result;
use rand::{Rng, rngs::StdRng};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

/// What a trap waits for comes several times a second.
const SPRING: Duration = Duration::from_secs(10);
/// A fault that must bite is made so often.
const TRIES: usize = 4;

async fn springs(mut sprung: Sprung) -> bool {
    timeout(SPRING, sprung.wait()).await.unwrap_or(false)
}

/// One worker's commit is done and its answer lost, another's never arrives.
pub(super) async fn cut_commit(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    let (unknown, lost) = (one(&stage.workers, random), one(&stage.workers, random));
    let traps = [unknown.database().trap(Trap::commit_unknown()), lost.database().trap(Trap::commit_lost())];
    stage.put(&[(EFFECT, 5, 200); 40]).await?;
    let [first, second] = traps;
    let (unknown_sprung, lost_sprung) = tokio::join!(springs(first), springs(second));
    Ok(json!({"unknown": unknown.name(), "lost": lost.name(), "sprung": [unknown_sprung, lost_sprung]}))
}

/// A scheduler's publish is confirmed and never learns it; another never arrives, so that R1 has to find its jobs.
pub(super) async fn cut_confirm(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    let sql = "select count(*) from job_events where event = 'rescued' and actor = 'R1'";
    let before = stage.number(sql).await?;
    let (mut sprung, mut confirms_cut, mut rescued) = (Vec::new(), 0, 0);
    for _ in 0..TRIES {
        // One each: after an unknown publish a scheduler only probes, and a probe carries no job.
        let first = random.random_range(0..stage.schedulers.len());
        for (turn, (trap, confirms)) in [(Trap::confirm_lost(), 1), (Trap::publish_lost(), 0)].into_iter().enumerate() {
            let scheduler = &stage.schedulers[(first + turn) % stage.schedulers.len()];
            let set = scheduler.broker().trap(trap);
            stage.put(&[(OK, 5, 100); 10]).await?;
            let has_sprung = springs(set).await;
            confirms_cut += if has_sprung { confirms } else { 0 };
            sprung.push(has_sprung);
            scheduler.broker().heal();
        }
        let seen = format!("select ({sql}) > {before}");
        stage.until(stage.protocol.unconfirmed.mul_f64(1.5) + Duration::from_secs(2), &seen).await;
        rescued = stage.number(sql).await? - before;
        if rescued > 0 {
            break;
        }
    }
    Ok(json!({"sprung": sprung, "confirms_cut": confirms_cut, "r1": rescued}))
}

/// While no scheduler runs, workers lease; the answers of some leases are lost, so that R6 has to find their jobs.
pub(super) async fn lose_lease(stage: &Stage) -> Result<Value> {
    let before = r6(&stage.workers).await;
    let mut sprung = 0;
    for _ in 0..TRIES {
        for scheduler in &stage.schedulers {
            scheduler.suspend();
        }
        // More than the slots: the leases of a while find something.
        stage.put(&vec![(OK, 30, 100); 4 * SLOTS * stage.workers.len()]).await?;
        let lease = || Trap::answer_lost("select base, $1, '', 1, $4::bigint");
        let traps: Vec<Sprung> = stage.workers.iter().map(|worker| worker.database().trap(lease())).collect();
        sleep(stage.protocol.direct_lease * 4).await;
        for scheduler in &stage.schedulers {
            scheduler.resume();
        }
        sprung += traps.iter().filter(|trap| trap.is()).count();
        for worker in &stage.workers {
            worker.database().heal();
        }
        // Two beats until a row is a stray, and one for luck.
        sleep(stage.protocol.heartbeat * 4).await;
        if r6(&stage.workers).await > before {
            break;
        }
    }
    Ok(json!({"sprung": sprung, "r6": r6(&stage.workers).await - before}))
}

async fn r6(workers: &[Arc<Member>]) -> f64 {
    let mut sum = 0.0;
    for worker in workers {
        let page = worker.metrics().await.unwrap_or_default();
        sum += samples::parse(&page).0.get(samples::R6).copied().unwrap_or_default();
    }
    sum
}

/// Until its jobs were given to others. Its link is down, not closed: what it had sent arrives late, and must be refused.
pub(super) async fn cut_off(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    let mut fenced = 0.0;
    let mut names = Vec::new();
    for _ in 0..TRIES {
        let worker = one(&stage.workers, random);
        hold_slow_jobs(stage, &worker).await?;
        let before = count(&worker, samples::FENCED).await;
        worker.database().set_both(Mode::Stall);
        sleep(stage.protocol.lease.mul_f64(1.8)).await;
        worker.database().heal();
        sleep(stage.protocol.heartbeat * 2).await;
        fenced += count(&worker, samples::FENCED).await - before;
        names.push(worker.name().to_owned());
        if fenced > 0.0 {
            break;
        }
    }
    Ok(json!({"members": names, "fenced": fenced}))
}

async fn count(member: &Member, name: &str) -> f64 {
    let page = member.metrics().await.unwrap_or_default();
    samples::parse(&page).0.get(name).copied().unwrap_or_default()
}

pub(super) async fn cut_off_broker(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    let (worker, time) = (one(&stage.workers, random), scaled(stage, random.random_range(10.0..60.0)));
    worker.broker().set_both(Mode::Stall);
    sleep(time).await;
    worker.broker().heal();
    Ok(json!({"member": worker.name(), "seconds": time.as_secs_f64()}))
}

pub(super) async fn slow(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    let worker = one(&stage.workers, random);
    let delay = Duration::from_millis(random.random_range(50..250));
    worker.database().set_both(Mode::Delay(delay));
    worker.broker().set_both(Mode::Rate(20_000));
    sleep(scaled(stage, 20.0)).await;
    worker.database().heal();
    worker.broker().heal();
    Ok(json!({"member": worker.name(), "delay_ms": u64::try_from(delay.as_millis())?}))
}

/// As when a machine in between loses its power: nobody is told.
pub(super) async fn silence(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    let worker = one(&stage.workers, random);
    let time = scaled(stage, random.random_range(10.0..40.0));
    worker.database().cut(End::Silence);
    worker.broker().cut(End::Silence);
    sleep(time).await;
    worker.database().cut(End::Reset);
    worker.broker().cut(End::Reset);
    Ok(json!({"member": worker.name(), "seconds": time.as_secs_f64()}))
}

pub(super) async fn flap(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    let scheduler = one(&stage.schedulers, random);
    for _ in 0..6 {
        for proxy in [scheduler.database(), scheduler.broker()] {
            proxy.doors(Doors::Refuse);
            proxy.cut(End::Reset);
        }
        sleep(Duration::from_millis(random.random_range(200..800))).await;
        scheduler.database().heal();
        scheduler.broker().heal();
        sleep(Duration::from_millis(random.random_range(200..800))).await;
    }
    Ok(json!({"member": scheduler.name()}))
}
