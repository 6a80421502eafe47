//! What happens to members.

use crate::dev::{
    chaos::{
        kinds::{FAIL_ONCE, SLOW},
        spec::SLOTS,
        stage::Stage,
    },
    fleet::Member,
};
use anyhow::Result;
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// So often is tried to fill the queues.
const FILLS: u32 = 4;

pub(super) fn one(members: &[Arc<Member>], random: &mut StdRng) -> Arc<Member> {
    members.choose(random).expect("a fleet has members of each role").clone()
}

/// Seconds of the real profile, a fifth of them in the short one.
pub(super) fn scaled(stage: &Stage, seconds: f64) -> Duration {
    Duration::from_secs_f64(if stage.short { seconds / 5.0 } else { seconds })
}

async fn kill(stage: &Stage, member: &Member, dead: Duration) {
    stage.hold_down(member, true);
    member.kill9().await;
    sleep(dead).await;
    stage.hold_down(member, false);
}

pub(super) async fn kill_worker(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    let worker = one(&stage.workers, random);
    let dead = Duration::from_millis(random.random_range(0..1_000));
    let held = hold_slow_jobs(stage, &worker).await?;
    kill(stage, &worker, dead).await;
    Ok(json!({"member": worker.name(), "held": held}))
}

pub(super) async fn kill_scheduler(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    let scheduler = one(&stage.schedulers, random);
    let dead = Duration::from_millis(random.random_range(0..2_000));
    kill(stage, &scheduler, dead).await;
    Ok(json!({"member": scheduler.name()}))
}

pub(super) async fn kill_all_workers(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    let dead = Duration::from_millis(random.random_range(0..2_000));
    for worker in &stage.workers {
        stage.hold_down(worker, true);
        worker.kill9().await;
    }
    sleep(dead).await;
    stage.workers.iter().for_each(|worker| stage.hold_down(worker, false));
    Ok(json!({"members": stage.workers.len()}))
}

/// Stalled while it runs jobs, until they were given to others; its late results must be refused.
pub(super) async fn stall_worker(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    let worker = one(&stage.workers, random);
    let held = hold_slow_jobs(stage, &worker).await?;
    worker.suspend();
    sleep(stage.protocol.lease.mul_f64(1.2)).await;
    let reaped = stage.until(stage.protocol.lease, &format!("select not exists ({})", messages_of(&worker))).await;
    worker.resume();
    Ok(json!({"member": worker.name(), "held": held, "reaped": reaped}))
}

pub(super) async fn stall_scheduler(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    let scheduler = one(&stage.schedulers, random);
    scheduler.suspend();
    sleep(stage.protocol.lease.mul_f64(1.5)).await;
    scheduler.resume();
    Ok(json!({"member": scheduler.name()}))
}

pub(super) async fn restart(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    let worker = one(&stage.workers, random);
    // Its next run must not be mistaken for this one.
    stage.hold_down(&worker, true);
    worker.terminate();
    // It may be killed by one of its jobs meanwhile.
    let status = worker.ended(stage.protocol.grace + Duration::from_secs(30)).await?;
    stage.hold_down(&worker, false);
    Ok(json!({"member": worker.name(), "ended": status.to_string()}))
}

pub(super) async fn cancel_storm(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    stage.put(&[(SLOW, 2_000, 100); SLOTS]).await?;
    let recent = stage.recent();
    let ids: Vec<i64> = recent.choose_multiple(random, 30).copied().collect();
    stage.cancel(&ids).await?;
    Ok(json!({"jobs": ids.len()}))
}

/// The messages that a member's process holds. A worker's name in the ledger ends with its process number.
fn messages_of(worker: &Member) -> String {
    let pid = worker.pid().unwrap_or_default();
    format!("select from job_messages m join workers w on w.id = m.worker_id where w.name like '%/{pid}'")
}

/// Gives the fleet jobs that take a while, and waits until this worker holds some. Says whether it does.
pub(super) async fn hold_slow_jobs(stage: &Stage, worker: &Member) -> Result<bool> {
    let ms = if stage.short { 1_500 } else { 4_000 };
    stage.put(&[(SLOW, ms, 200); 12]).await?;
    let sql = format!("select count(*) >= 2 from ({}) m", messages_of(worker));
    Ok(stage.until(Duration::from_secs(3), &sql).await)
}

/// Stalls all workers and fills the queues, so that the broker holds confirmed messages that nobody has taken. Says whether
/// it does; the workers are still stalled. What fills it is chance: retries that come due together.
pub(super) async fn fill_queues(stage: &Stage) -> Result<bool> {
    for _ in 1..FILLS {
        if fill_once(stage).await? {
            return Ok(true);
        }
        go_on(stage);
        sleep(stage.protocol.lease).await;
    }
    fill_once(stage).await
}

/// What was delivered and not claimed is not in a queue any more, so one queue must have more messages than the workers
/// prefetch of each. The window holds twice as many jobs, which is few messages unless each job has its own: retries travel
/// alone.
async fn fill_once(stage: &Stage) -> Result<bool> {
    let slots = stage.workers.len() * SLOTS;
    stage.put(&vec![(FAIL_ONCE, 5, 100); 3 * slots]).await?;
    let failed = format!("select count(*) > {} from jobs where kind = '{FAIL_ONCE}' and hold = 'retry'", 3 * slots / 2);
    stage.until(Duration::from_secs(3), &failed).await;
    for worker in &stage.workers {
        worker.suspend();
    }
    let sql = format!(
        "select coalesce(max(n), 0) > {slots} from (select count(*) n from job_messages \
         where worker_id is null and broker_gen is not null and published_at is not null group by lane, band) m"
    );
    Ok(stage.until(stage.protocol.lease.mul_f64(0.7), &sql).await)
}

/// Ends the stall of [`fill_queues`].
pub(super) fn go_on(stage: &Stage) {
    stage.workers.iter().for_each(|worker| worker.resume());
}
