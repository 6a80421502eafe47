//! What each drill does.

use super::{Drill, stage::Stage};
use crate::{
    dev::{
        chaos::kinds::{FAIL_ALWAYS, KILL, OK, SLOW},
        proxy::Mode,
    },
    fleet::{
        breaker::state::State,
        handler::Handler,
        job::JobId,
        ledger::{breakers, operate},
    },
};
use anyhow::{Context, Result, ensure};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const PROCESSING: &str = "select count(*) from jobs where status = 'processing'";
const COMPLETED: &str = "select count(*) from jobs where status = 'completed'";
/// Who acts, in the events.
const ACTOR: &str = "drill";
/// Longer than a statement's deadline.
const HANGS: Duration = Duration::from_secs(15);

/// Hurts the fleet, and says how long it took to recover.
pub(super) async fn play(drill: Drill, stage: &Stage<'_>) -> Result<Duration> {
    match drill {
        Drill::WorkerKill => worker_kill(stage).await,
        Drill::BrokerRestart => broker_restart(stage).await,
        Drill::BrokerWipe => broker_wipe(stage).await,
        Drill::SlowDb => slow_db(stage).await,
        Drill::Poison => poison(stage).await,
        Drill::SlowJobs => slow_jobs(stage).await,
        Drill::VendorDown => vendor_down(stage).await,
        Drill::Llm429 => llm_429(stage).await,
        Drill::Flood => flood(stage).await,
    }
}

async fn worker_kill(stage: &Stage<'_>) -> Result<Duration> {
    stage.put(SLOW, 48, 1000).await?;
    stage.at_least(9, PROCESSING).await?;
    let victim = stage.workers.first().context("there are workers")?;
    victim.kill9().await;
    let killed = Instant::now();
    stage.say(format!("killed {} with its jobs", victim.name()));
    // It stays away until both alerts have come: settling starts it again, or the operator does.
    stage.alerts(Drill::WorkerKill).await;
    stage.by_hand().await?;
    stage.settled(killed).await
}

async fn broker_restart(stage: &Stage<'_>) -> Result<Duration> {
    stage.put(SLOW, 64, 500).await?;
    stage.at_least(1, COMPLETED).await?;
    stage.fleet.rabbitmq().stop().await;
    stage.say("stopped RabbitMQ");
    stage.put(OK, 64, 0).await?;
    stage.alerts(Drill::BrokerRestart).await;
    stage.at_least(64, COMPLETED).await?;
    stage.say("workers go on from the database");
    stage.fleet.rabbitmq().start().await?;
    stage.fleet.rabbitmq().wait().await?;
    let back = Instant::now();
    stage.say("RabbitMQ is back");
    stage.put(OK, 64, 0).await?;
    stage.settled(back).await
}

async fn broker_wipe(stage: &Stage<'_>) -> Result<Duration> {
    stage.put(SLOW, 96, 500).await?;
    stage.at_least(1, COMPLETED).await?;
    stage.fleet.rabbitmq().wipe().await?;
    let wiped = Instant::now();
    stage.say("RabbitMQ has lost every queue and message, and runs again");
    stage.alerts(Drill::BrokerWipe).await;
    stage.settled(wiped).await
}

async fn slow_db(stage: &Stage<'_>) -> Result<Duration> {
    stage.put(SLOW, 96, 200).await?;
    stage.at_least(1, COMPLETED).await?;
    let members = stage.fleet.members();
    members.iter().for_each(|member| member.database().set_both(Mode::Delay(Duration::from_millis(300))));
    stage.say("every answer of the database comes 0.6 s late");
    sleep(HANGS).await;
    members.iter().for_each(|member| member.database().set_both(Mode::Stall));
    stage.say("the database does not answer");
    sleep(HANGS).await;
    members.iter().for_each(|member| member.database().heal());
    let healed = Instant::now();
    stage.say("the database answers again");
    stage.put(OK, 32, 0).await?;
    stage.settled(healed).await
}

async fn poison(stage: &Stage<'_>) -> Result<Duration> {
    stage.put(FAIL_ALWAYS, 12, 0).await?;
    stage.put(KILL, 1, 0).await?;
    stage.put(OK, 12, 0).await?;
    let begun = Instant::now();
    let recovery = stage.settled(begun).await?;
    stage.alerts(Drill::Poison).await;
    if stage.by_hand().await? {
        return Ok(begun.elapsed());
    }
    let dead = dead(stage).await?;
    ensure!(dead.len() == 13, "{} dead letters and not 13", dead.len());
    operate::discard(&stage.database().await?, &dead, ACTOR).await?;
    stage.say("discarded 13 dead letters, as an operator would who has read them");
    Ok(recovery)
}

async fn slow_jobs(stage: &Stage<'_>) -> Result<Duration> {
    stage.put(SLOW, 8, 121_000).await?;
    let begun = Instant::now();
    let recovery = stage.settled(begun).await?;
    stage.alerts(Drill::SlowJobs).await;
    Ok(recovery)
}

async fn vendor_down(stage: &Stage<'_>) -> Result<Duration> {
    let vendors = stage.vendors.as_ref().context("a drill of the domain has vendors")?;
    vendors.close();
    stage.say("the vendor's sites are away");
    vendors.sync_all(&stage.database().await?).await?;
    stage.alerts(Drill::VendorDown).await;
    vendors.open();
    let back = Instant::now();
    stage.say("the sites are back");
    if !stage.by_hand().await? {
        close_breakers(stage).await?;
    }
    let recovery = stage.settled(back).await?;
    let dead = dead(stage).await?.len();
    ensure!(dead == 0, "{dead} jobs did not wait for the sites, and are dead letters");
    Ok(recovery)
}

/// What an operator does who knows that they are back, and has no patience for the next probe.
async fn close_breakers(stage: &Stage<'_>) -> Result<()> {
    let mut client = stage.database().await?;
    for breaker in breakers::list(&client).await?.into_iter().filter(|breaker| breaker.state != "closed") {
        breakers::set(&mut client, &breaker.key, |_| State::Closed, ACTOR).await?;
        stage.say(format!("closed the breaker of {}, for which {} jobs waited", breaker.key, breaker.held_jobs));
    }
    Ok(())
}

async fn llm_429(stage: &Stage<'_>) -> Result<Duration> {
    let vendors = stage.vendors.as_ref().context("a drill of the domain has vendors")?;
    vendors.close();
    stage.say("the model answers 429");
    vendors.sync_one(&stage.database().await?).await?;
    stage.settled(Instant::now()).await?;
    stage.alerts(Drill::Llm429).await;
    vendors.open();
    let back = Instant::now();
    stage.say("the model answers again");
    requeue(stage).await?;
    let recovery = stage.settled(back).await?;
    if stage.is_by_hand {
        return Ok(recovery);
    }
    let kind = crate::civic::handler::SummariseItem::KIND;
    let left =
        stage.number(&format!("select count(*) from jobs where kind = '{kind}' and status <> 'completed'")).await?;
    ensure!(left == 0, "{left} items have no summary");
    Ok(recovery)
}

async fn flood(stage: &Stage<'_>) -> Result<Duration> {
    let begun = Instant::now();
    stage.put(OK, 20_000, 0).await?;
    stage.settled(begun).await
}

async fn dead(stage: &Stage<'_>) -> Result<Vec<JobId>> {
    Ok(operate::dead(&stage.database().await?, 10_000).await?)
}

/// What an operator does when the cause is gone.
async fn requeue(stage: &Stage<'_>) -> Result<()> {
    if stage.by_hand().await? {
        return Ok(());
    }
    let dead = dead(stage).await?;
    operate::requeue(&stage.database().await?, &dead, ACTOR).await?;
    stage.say(format!("requeued {} dead letters", dead.len()));
    Ok(())
}
