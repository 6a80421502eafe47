//! Who hurts the fleet: first a fixed set in seeded order, then faults at random.
//!
//! One fault after another, each to its end, so that what it takes to recover from it can be told. [`class`] names them,
//! `processes`, `broker`, `database` and `network` make them, `garbage` publishes what no scheduler wrote, `recovery`
//! measures.

mod broker;
pub(super) mod class;
mod database;
mod garbage;
mod network;
mod processes;
mod recovery;

use super::{evidence::What, stage::Stage};
use anyhow::Result;
use class::{Class, FIXED};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde_json::{Value, json};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// A fault that takes longer is given up: a service that doesn't start, most likely.
const FAULT: Duration = Duration::from_mins(4);

/// Hurts the fleet for `time`, the last tenth of it excepted; `tell` hears of each fault. The fixed set is played to its
/// end, whatever time it takes.
pub(super) async fn run(stage: Arc<Stage>, time: Duration, tell: &(dyn Fn(&str) + Send + Sync)) -> Result<()> {
    let mut random = StdRng::seed_from_u64(stage.seed);
    let begun = Instant::now();
    let mut fixed: Vec<Class> = FIXED.to_vec();
    // Which of the two services is killed is the seed's choice.
    fixed.push(if random.random() { Class::KillBroker } else { Class::KillDatabase });
    fixed.shuffle(&mut random);
    stage.put(&[(super::kinds::KILL, 0, 100)]).await?;
    for class in &fixed {
        step(&stage, *class, &mut random, tell).await?;
    }
    // What was not played yet comes first; then all, again and again.
    let mut bag: Vec<Class> = Class::ALL.iter().copied().filter(|class| !fixed.contains(class)).collect();
    while begun.elapsed() < time.mul_f64(0.9) {
        if bag.is_empty() {
            bag = Class::ALL.to_vec();
        }
        let class = bag.swap_remove(random.random_range(0..bag.len()));
        step(&stage, class, &mut random, tell).await?;
    }
    sleep(time.saturating_sub(begun.elapsed())).await;
    Ok(())
}

async fn step(
    stage: &Arc<Stage>,
    class: Class,
    random: &mut StdRng,
    tell: &(dyn Fn(&str) + Send + Sync),
) -> Result<()> {
    stage.step.fetch_add(1, Ordering::Relaxed);
    let name = class.name();
    tell(name);
    // What a step draws depends on nothing that happens meanwhile: the next ones are the same in each run of the seed.
    let mut own = StdRng::seed_from_u64(random.random());
    let gap = Duration::from_millis(random.random_range(300..1_500)) * if stage.short { 1 } else { 4 };
    // What it draws depends on what it finds: a source of its own.
    garbage::scatter(stage, &mut StdRng::seed_from_u64(own.random()), 6).await;
    stage.tell(What::Fault, name, None, json!({})).await?;
    let done = timeout(FAULT, Box::pin(make(stage, class, &mut own))).await;
    let detail = match done {
        Ok(Ok(detail)) => detail,
        Ok(Err(error)) => json!({"error": format!("{error:#}")}),
        Err(_) => json!({"error": "it took too long"}),
    };
    calm(stage).await;
    let event = if detail.get("error").is_some() { What::Failed } else { What::Healed };
    stage.tell(event, name, None, detail).await?;
    let (seconds, left) = recovery::measure(stage).await?;
    let event = if left.is_empty() { What::Recovered } else { What::NotRecovered };
    stage.tell(event, name, Some(seconds), json!({"left": left})).await?;
    sleep(gap).await;
    Ok(())
}

/// What a fault that was given up may have left.
async fn calm(stage: &Stage) {
    for member in stage.fleet.members() {
        member.resume();
        member.database().heal();
        member.broker().heal();
        stage.hold_down(&member, false);
    }
}

async fn make(stage: &Stage, class: Class, random: &mut StdRng) -> Result<Value> {
    match class {
        Class::KillWorker => processes::kill_worker(stage, random).await,
        Class::KillScheduler => processes::kill_scheduler(stage, random).await,
        Class::KillAllWorkers => processes::kill_all_workers(stage, random).await,
        Class::StallWorker => processes::stall_worker(stage, random).await,
        Class::StallScheduler => processes::stall_scheduler(stage, random).await,
        Class::Restart => processes::restart(stage, random).await,
        Class::CancelStorm => processes::cancel_storm(stage, random).await,
        Class::KillBroker => broker::kill(stage, random).await,
        Class::BrokerAway => broker::away(stage, random).await,
        Class::Wipe => broker::wipe(stage).await,
        Class::Reborn => broker::reborn(stage).await,
        Class::Purge => broker::purge(stage).await,
        Class::DeleteQueue => broker::delete_queue(stage, random).await,
        Class::Alarm => broker::alarm(stage, random).await,
        Class::CloseConnections => broker::close_connections(stage).await,
        Class::Garbage => {
            garbage::scatter(stage, random, 100).await;
            Ok(json!({"messages": 100}))
        }
        Class::KillDatabase => database::kill(stage, random).await,
        Class::RestartDatabase => database::restart(stage).await,
        Class::TerminateBackends => database::terminate(stage, random).await,
        Class::CutCommit => network::cut_commit(stage, random).await,
        Class::CutConfirm => network::cut_confirm(stage, random).await,
        Class::LoseLease => network::lose_lease(stage).await,
        Class::CutOff => network::cut_off(stage, random).await,
        Class::CutOffBroker => network::cut_off_broker(stage, random).await,
        Class::Slow => network::slow(stage, random).await,
        Class::Silence => network::silence(stage, random).await,
        Class::Flap => network::flap(stage, random).await,
    }
}
