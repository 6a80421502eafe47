//! The log of a running process, by its own endpoint.

use crate::{
    cli::process::docket,
    edges::process::{PATIENCE, Process},
    support::{TestDb, metrics},
};
use docket::http::{Health, HttpSettings, Role, Routes, Token, serve};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

const ADMIN: &str = "an-administrators-token";
const DEBUG: &str = "docket::fleet=debug";

async fn put(url: &str, token: &str, body: &str) -> (u16, Value) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.put(url).bearer_auth(token).header("content-type", "application/json").body(body.to_owned());
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn an_administrator_changes_the_level_for_a_while() {
    let db = TestDb::migrated().await;
    let vars = [("DATABASE_URL", db.url()), ("AMQP_URL", "none"), ("DOCKET_HTTP_TOKEN", ADMIN)];
    let process = Process::start("server", &vars).await;
    let level = |args: &str| docket(&format!("log-level {} {args}", process.addr)).env("DOCKET_HTTP_TOKEN", ADMIN);
    assert_eq!(level("").json().await, json!({ "filter": "" }));
    assert_eq!(level(&format!("{DEBUG} --for 2s")).json().await, json!({ "filter": DEBUG }));
    let silenced = async {
        while level("").json().await != json!({ "filter": "" }) {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, silenced).await.expect("it goes back by itself");
    let log = process.log();
    let told: Vec<&str> = log.lines().filter(|line| line.contains(r#""event":"log.level""#)).collect();
    assert_eq!(told.len(), 2, "{log}");
    assert!(told[0].contains(DEBUG) && told[0].contains(r#""actor":"api:default""#), "{}", told[0]);
    // Who silences the log is on record nevertheless.
    assert_eq!(level("off --for 1h").json().await, json!({ "filter": "off" }));
    let told = async {
        while process.log().matches(r#""filter":"off""#).count() == 0 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, told).await.expect("the last line says so");
    level("docket=loud=very").fails(69, &["400", "filter"]).await;
    level("debug --for 2h").fails(69, &["3600"]).await;
    assert_eq!(level("").json().await, json!({ "filter": "off" }));
}

#[tokio::test]
async fn nobody_else_does_and_nonsense_changes_nothing() {
    let shutdown = CancellationToken::new();
    let (secret, operator) = Token::generate("ci", Role::Operator).unwrap();
    let settings = HttpSettings { token: Some(ADMIN.into()), tokens: vec![operator], ..HttpSettings::default() };
    let routes = Routes { metrics: metrics(), health: Health::new(), api: None };
    let running = serve(settings, routes, shutdown.clone()).await.unwrap();
    let url = format!("http://{}/api/log-level", running.addr());
    let good = r#"{"filter": "docket::fleet=debug", "seconds": 60}"#;
    assert_eq!(put(&url, secret.expose_secret(), good).await.0, 403);
    let (status, refused) = put(&url, "nobody-knows-this-token", good).await;
    assert_eq!(status, 401);
    assert_eq!(refused["error"]["trace_id"].as_str().unwrap().len(), 32, "{refused}");
    let long = format!(r#"{{"filter": "{}", "seconds": 1}}"#, "a".repeat(2000));
    for bad in [
        "",
        "nonsense",
        r#"{"filter": "docket=debug"}"#,
        r#"{"filter": "docket=debug", "seconds": 0}"#,
        r#"{"filter": "docket=debug", "seconds": 3601}"#,
        r#"{"filter": "docket=debug", "seconds": 1, "for": "ever"}"#,
        long.as_str(),
    ] {
        let (status, told) = put(&url, ADMIN, bad).await;
        assert_eq!(status, 400, "{bad}");
        // The test's own process has no log: what can be read comes as far as that, and no further.
        assert!(!told["error"]["message"].as_str().unwrap().contains("no log"), "{told}");
    }
    assert!(put(&url, ADMIN, good).await.1["error"]["message"].as_str().unwrap().contains("no log"));
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn lines_are_told_for_people() {
    let lines = "{\"v\":0,\"name\":\"docket\",\"msg\":\"attempt ended\",\"level\":50,\"time\":\"t\",\"event\":\"job.failed\",\"job.id\":7}\n\
                 {\"v\":0,\"name\":\"docket\",\"msg\":\"other\",\"level\":30,\"time\":\"t\",\"event\":\"worker.started\"}\nplain\n";
    let all = docket("logs").stdin(lines.as_bytes()).run().await;
    assert_eq!(
        all.stdout,
        "t ERROR attempt ended event=job.failed job.id=7\nt INFO  other event=worker.started\nplain\n"
    );
    let some = docket("logs --job 7").stdin(lines.as_bytes()).run().await;
    assert_eq!(some.stdout.lines().count(), 1);
    docket("logs /nowhere/at.all").fails(64, &["can't read", "/nowhere/at.all"]).await;
}
