//! The log of a running process, by its own endpoint.

use crate::cli::process::docket;
use docket::http::{Health, HttpSettings, Role, Routes, Token, serve};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

const ADMIN: &str = "an-administrators-token";

#[tokio::test]
async fn an_administrator_changes_the_level_for_a_while() {
    let shutdown = CancellationToken::new();
    let (secret, operator) = Token::generate("ci", Role::Operator).unwrap();
    let secret = secret.expose_secret().to_owned();
    let settings = HttpSettings { token: Some(ADMIN.into()), tokens: vec![operator], ..HttpSettings::default() };
    let routes = Routes { metrics: crate::support::metrics(), health: Health::new(), api: None };
    let running = serve(settings, routes, shutdown.clone()).await.unwrap();
    let url = format!("http://{}/api/log-level", running.addr());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let put = |token: &str, body: &str| {
        let request = http.put(&url).bearer_auth(token).header("content-type", "application/json");
        let request = request.body(body.to_owned());
        async move {
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        }
    };
    let good = r#"{"filter": "docket::fleet=debug", "seconds": 60}"#;
    assert_eq!(put(ADMIN, good).await.0, 200);
    assert_eq!(put(&secret, good).await.0, 403);
    let (status, refused) = put("nobody-knows-this-token", good).await;
    assert_eq!(status, 401);
    assert_eq!(refused["error"]["trace_id"].as_str().unwrap().len(), 32, "{refused}");
    for bad in [
        "",
        "nonsense",
        r#"{"filter": "docket=debug"}"#,
        r#"{"filter": "docket=debug", "seconds": 0}"#,
        r#"{"filter": "docket=debug", "seconds": 3601}"#,
        r#"{"filter": "docket=debug", "seconds": 1, "for": "ever"}"#,
    ] {
        assert_eq!(put(ADMIN, bad).await.0, 400, "{bad}");
    }
    let told = docket(&format!("log-level {}", running.addr())).env("DOCKET_HTTP_TOKEN", ADMIN).run().await;
    assert_eq!(told.code, 0, "{told:?}");
    let refused = docket(&format!("log-level {} debug --for 2h", running.addr())).env("DOCKET_HTTP_TOKEN", ADMIN);
    refused.fails(69, &["3600"]).await;
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
