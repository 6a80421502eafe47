//! What `docket audit` says after a fault.

use super::trial::{LONG, Trial, in_time};
use serde_json::Value;
use std::{process::Stdio, time::Duration};
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

/// The audit accounts for every job within 90 seconds of the fault's end, and the seconds are measured.
pub(super) async fn assert_accounted(trial: &mut Trial, since: Instant) {
    loop {
        let verdict = audit(trial).await;
        if verdict["accounted"] == true {
            return trial.measure("accounted_seconds", since.elapsed().as_secs_f64());
        }
        assert!(since.elapsed() < LONG, "not accounted for: {verdict}");
        sleep(Duration::from_millis(500)).await;
    }
}

async fn audit(trial: &Trial) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docket"));
    command.env_clear().env("DATABASE_URL", trial.fleet().database_url()).env("AMQP_URL", trial.fleet().amqp_url());
    command.env("DOCKET_PROFILE", "short").args(["--config", "none", "audit", "--json"]);
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = in_time("the audit", output).await.expect("it runs");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("no verdict: {}", String::from_utf8_lossy(&output.stderr)))
}
