//! What happens to PostgreSQL.

use crate::dev::{chaos::stage::Stage, fleet::terminate_backends};
use anyhow::Result;
use rand::{Rng, rngs::StdRng};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

pub(super) async fn kill(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    let away = Duration::from_millis(random.random_range(0..3_000));
    stage.fleet.postgres().kill9().await;
    sleep(away).await;
    stage.fleet.postgres().start().await?;
    Ok(json!({"away_seconds": away.as_secs_f64()}))
}

pub(super) async fn restart(stage: &Stage) -> Result<Value> {
    stage.fleet.postgres().restart_fast().await?;
    Ok(json!({}))
}

pub(super) async fn terminate(stage: &Stage, random: &mut StdRng) -> Result<Value> {
    let client = stage.fleet.connect().await?;
    let mut ended = 0;
    for _ in 0..8 {
        ended += terminate_backends(&client).await?;
        sleep(Duration::from_millis(random.random_range(100..500))).await;
    }
    Ok(json!({"sessions": ended}))
}
