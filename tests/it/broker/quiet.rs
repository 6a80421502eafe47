//! What a process logs about a broker that is away: tries go on for ever, lines don't.

use super::support::{Host, LONG, settings, start, until};
use docket::{
    fleet::broker::BrokerSettings,
    telemetry::{LogSettings, init},
};
use std::{process::Stdio, time::Duration};
use tokio::process::Command;

/// Tells [`try_in_vain`] where.
const URL: &str = "DOCKET_TEST_TRY_IN_VAIN";

/// Not a test of its own: the body of the processes whose log the tests below read.
#[tokio::test]
#[ignore = "the body of the processes whose log other tests read"]
async fn try_in_vain() {
    let _guard = init(&LogSettings::default()).unwrap();
    let (ms, url) = (Duration::from_millis, std::env::var(URL).unwrap());
    let settings = BrokerSettings { backoff_min: ms(20), backoff_max: ms(50), connect_deadline: LONG, ..settings() };
    let broker = start(&url.into(), settings);
    until("a reason", || async { broker.status().last_error.is_some() }).await;
    assert!(broker.wait_ready(Duration::from_secs(3)).await.is_err());
    broker.shutdown().await;
}

/// What such a process logs in many tries.
async fn log_of(url: &str) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["broker::quiet::try_in_vain", "--exact", "--ignored", "--nocapture"]);
    let output = command.env(URL, url).stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn a_wrong_password_is_told_once() {
    use secrecy::ExposeSecret as _;
    let host = Host::new().await;
    let log = log_of(host.url_of("docket", "s3cret").expose_secret()).await;
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains("refuses the user or its password") && !log.contains("s3cret"), "{log}");
}

#[tokio::test]
async fn a_refused_connection_is_told_once() {
    let log = log_of("amqp://docket:s3cret@127.0.0.1:9/").await;
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains("is RabbitMQ running there?") && !log.contains("s3cret"), "{log}");
}
