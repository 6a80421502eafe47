//! What happens to RabbitMQ.

use super::processes::{fill_queues, go_on, scaled};
use crate::{
    dev::chaos::stage::Stage,
    fleet::{
        broker::{DEAD, generation_exchange, queue_name},
        job::Band,
    },
};
use anyhow::Result;
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

const LANE: &str = "default";

pub(super) async fn kill(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    stage.fleet.rabbitmq().kill9().await;
    back(stage, Duration::from_millis(random.random_range(0..2_000))).await
}

pub(super) async fn away(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    stage.fleet.rabbitmq().kill9().await;
    back(stage, scaled(stage, random.random_range(20.0..60.0))).await
}

async fn back(stage: &Stage, away: Duration) -> Result<Value> {
    sleep(away).await;
    stage.fleet.rabbitmq().start().await?;
    // A busy machine may need longer than it is given once.
    if stage.fleet.rabbitmq().wait().await.is_err() {
        stage.fleet.rabbitmq().wait().await?;
    }
    Ok(json!({"away_seconds": away.as_secs_f64()}))
}

pub(super) async fn wipe(stage: &Stage) -> Result<Value> {
    let filled = fill_queues(stage).await?;
    stage.fleet.rabbitmq().kill9().await;
    go_on(stage);
    if stage.fleet.rabbitmq().wipe().await.is_err() {
        stage.fleet.rabbitmq().wait().await?;
    }
    Ok(json!({"filled": filled}))
}

/// The same as a wipe to the ledger, in the time of a few requests: nothing else is quick enough for R2 to be the rule that
/// brings the jobs back.
pub(super) async fn reborn(stage: &Stage) -> Result<Value> {
    let filled = fill_queues(stage).await?;
    let (management, vhost) = (stage.fleet.management(), stage.fleet.vhost());
    let generation = stage.number("select generation::bigint from broker_state").await?;
    for queue in Band::ALL.map(|band| queue_name(LANE, band)).iter().map(String::as_str).chain([DEAD]) {
        management.delete_queue(vhost, queue).await?;
    }
    management.delete_exchange(vhost, &generation_exchange(i32::try_from(generation)?)).await?;
    management.import(vhost, stage.fleet.definitions()).await?;
    go_on(stage);
    Ok(json!({"filled": filled, "generation": generation}))
}

pub(super) async fn purge(stage: &Stage) -> Result<Value> {
    let filled = fill_queues(stage).await?;
    for band in Band::ALL {
        stage.fleet.management().purge_queue(stage.fleet.vhost(), &queue_name(LANE, band)).await?;
    }
    go_on(stage);
    Ok(json!({"filled": filled}))
}

pub(super) async fn delete_queue(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    let band = *Band::ALL.choose(random).expect("there are three");
    let (management, vhost) = (stage.fleet.management(), stage.fleet.vhost());
    management.delete_queue(vhost, &queue_name(LANE, band)).await?;
    sleep(Duration::from_millis(random.random_range(0..3_000))).await;
    management.import(vhost, stage.fleet.definitions()).await?;
    Ok(json!({"queue": queue_name(LANE, band)}))
}

pub(super) async fn alarm(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    let time = scaled(stage, random.random_range(10.0..30.0));
    stage.fleet.rabbitmq().ctl(&["set_vm_memory_high_watermark", "0"]).await?;
    sleep(time).await;
    stage.fleet.rabbitmq().ctl(&["set_vm_memory_high_watermark", "0.4"]).await?;
    Ok(json!({"seconds": time.as_secs_f64()}))
}

pub(super) async fn close_connections(stage: &Stage) -> Result<Value> {
    Ok(json!({"connections": stage.fleet.management().close_connections().await?}))
}
