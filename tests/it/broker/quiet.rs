//! What a process logs about a broker that is away: tries go on for ever, lines don't.

use super::support::{Host, LONG, settings, start, until};
use docket::{
    fleet::broker::BrokerSettings,
    telemetry::{LogSettings, init},
};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use std::{collections::HashSet, process::Stdio, time::Duration};
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

/// The reasons that such a process logs in many tries, a line each.
async fn reasons(url: &str) -> Vec<String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["broker::quiet::try_in_vain", "--exact", "--ignored", "--nocapture"]);
    let output = command.env(URL, url).stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
    let [out, log] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success() && !log.contains("s3cret"), "{out}{log}");
    let reason = |line: &str| Some(serde_json::from_str::<Value>(line).ok()?.get("error")?.as_str()?.to_owned());
    log.lines().map(|line| reason(line).unwrap_or_else(|| panic!("no reason: {line}\n{log}"))).collect()
}

/// Each reason is told once, and this one is told. A broker that is short of time may give another one besides: it cuts
/// a login off that takes longer than 10 s.
fn told_once(reasons: &[String], wanted: &str) {
    let different: HashSet<_> = reasons.iter().collect();
    assert_eq!(different.len(), reasons.len(), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains(wanted)), "{reasons:?}");
}

#[tokio::test]
async fn a_wrong_password_is_told_once() {
    let host = Host::new().await;
    let reasons = reasons(host.url_of("docket", "s3cret").expose_secret()).await;
    told_once(&reasons, "refuses the user or its password");
}

#[tokio::test]
async fn a_refused_connection_is_told_once() {
    let reasons = reasons("amqp://docket:s3cret@127.0.0.1:9/").await;
    told_once(&reasons, "is RabbitMQ running there?");
    assert_eq!(reasons.len(), 1, "nobody else answers there: {reasons:?}");
}
