//! `docket healthcheck` against roles, and against what is none.

use super::process::docket;
use crate::{
    edges::process::{PATIENCE, Process},
    support::{TestDb, metrics},
};
use docket::http::{CheckResult, Health, HttpSettings, Routes, Running, serve};
use serde_json::json;
use std::{net::SocketAddr, os::unix::fs::PermissionsExt, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

async fn endpoint(health: Health, token: Option<&str>) -> (Running, CancellationToken) {
    let shutdown = CancellationToken::new();
    let settings = HttpSettings { token: token.map(Into::into), ..HttpSettings::default() };
    let api = axum::Router::new().route("/hello", axum::routing::get(async || "hi"));
    let routes = Routes { metrics: metrics(), health, api: Some(api) };
    (serve(settings, routes, shutdown.clone()).await.unwrap(), shutdown)
}

/// Answers every connection with these bytes, the last of them over and over if `endless`.
async fn stranger(first: &'static [u8], endless: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(first).await;
                while !endless.is_empty() && stream.write_all(endless).await.is_ok() {}
            });
        }
    });
    place
}

#[tokio::test]
async fn real_roles_are_asked() {
    let db = TestDb::migrated().await;
    for role in ["server", "worker"] {
        // Its broker is away: it works, and worse than it should.
        let process = Process::start(role, &[("DATABASE_URL", db.url()), ("AMQP_URL", "amqp://127.0.0.1:1")]).await;
        let place = process.addr;
        // It listens before it is ready.
        let ready = async {
            loop {
                let ended = docket(&format!("healthcheck {place}")).run().await;
                if ended.code == 0 {
                    return ended;
                }
                assert_eq!((ended.code, ended.stdout.as_str()), (69, ""), "{ended:?}");
                sleep(Duration::from_millis(50)).await;
            }
        };
        let healthy = timeout(PATIENCE, ready).await.expect("it gets ready");
        assert!(healthy.stdout.starts_with("200 degraded (broker: "), "{healthy:?}");
        let json = docket(&format!("healthcheck http://{place}/livez")).json().await;
        assert_eq!(json, json!({"url": format!("http://{place}/livez"), "status": 200, "health": "ok"}));
    }
}

#[tokio::test]
async fn an_answer_that_is_no_success_is_told() {
    let health = Health::new().ready("database", || CheckResult::failed("no answer\u{1b}[31m within 3s"));
    let (running, _shutdown) = endpoint(health, None).await;
    let place = running.addr();
    let ended =
        docket(&format!("healthcheck {place}")).fails(69, &["503 failed (database: no answer", "within 3s)"]).await;
    assert!(!ended.stderr.contains('\u{1b}'), "{ended:?}");
    docket(&format!("healthcheck {place}/nowhere")).fails(69, &["answers 404"]).await;
    docket(&format!("healthcheck --json {place}/nowhere")).fails(69, &["404"]).await;
}

#[tokio::test]
async fn the_token_comes_by_environment_or_file_and_only_where_it_is_needed() {
    const TOKEN: &str = "0123456789abcdef-hunter2";
    let (running, _shutdown) = endpoint(Health::new(), Some(TOKEN)).await;
    let place = running.addr();
    docket(&format!("healthcheck {place}/hello")).fails(69, &["401"]).await;
    let wrong = docket(&format!("healthcheck {place}/hello")).env("DOCKET_HTTP_TOKEN", "wrong-0123456789-hunter2");
    assert!(!format!("{:?}", wrong.fails(69, &["401"]).await).contains("hunter2"));
    let right = docket(&format!("healthcheck {place}/hello")).env("DOCKET_HTTP_TOKEN", TOKEN).run().await;
    assert_eq!((right.code, right.stdout.as_str()), (0, "200 hi\n"), "{right:?}");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, TOKEN).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let by_file = docket(&format!("healthcheck {place}/nowhere")).env("DOCKET_HTTP_TOKEN_FILE", file.to_str().unwrap());
    by_file.fails(69, &["404"]).await;
    docket(&format!("healthcheck {place}/nowhere"))
        .env("DOCKET_HTTP_TOKEN_FILE", "/nowhere")
        .fails(64, &["/nowhere"])
        .await;

    // A stranger who is asked for a probe is told nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let asked = listener.local_addr().unwrap();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).await.unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    docket(&format!("healthcheck {asked}")).env("DOCKET_HTTP_TOKEN", TOKEN).fails(69, &[]).await;
    let heard = heard.await.unwrap();
    assert!(heard.starts_with("GET /readyz") && !heard.contains("hunter2"), "{heard}");
}

#[tokio::test]
async fn strangers_end_in_one_clear_line() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = silent.local_addr().unwrap();
    docket(&format!("healthcheck --timeout 1 {place}")).fails(69, &["no complete answer within 1 s"]).await;
    drop(silent);
    docket(&format!("healthcheck {place}")).fails(69, &["refused"]).await;

    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
    let endless = stranger(HEAD, &[b' '; 8192]).await;
    docket(&format!("healthcheck {endless}")).fails(69, &["more than 65536 bytes"]).await;
    let slow = stranger(HEAD, b"").await;
    // A body without a length ends with the connection, so this one is whole, and empty.
    let ended = docket(&format!("healthcheck {slow}")).run().await;
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "200\n"), "{ended:?}");
    let cut = stranger(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", b"").await;
    docket(&format!("healthcheck {cut}")).fails(69, &["200", "breaks off"]).await;
    let garbage = stranger(b"\x00\xff\x1b[2J never mind\r\n\r\n", b"").await;
    let ended = docket(&format!("healthcheck {garbage}")).fails(69, &["does not answer"]).await;
    assert!(!ended.stderr.contains('\u{1b}'), "{ended:?}");
    let headers = stranger(b"HTTP/1.1 200 OK\r\n", b"x-more: and more and more\r\n").await;
    docket(&format!("healthcheck {headers}")).fails(69, &["does not answer"]).await;
    // What a TLS port says to plain HTTP, and the other way round.
    let tls = stranger(b"\x15\x03\x03\x00\x02\x02\x46", b"").await;
    docket(&format!("healthcheck {tls}")).fails(69, &["does not answer"]).await;
    docket(&format!("healthcheck https://{slow}")).fails(69, &["does not answer"]).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let away = stranger(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", b"").await;
    docket(&format!("healthcheck {away}")).fails(69, &["answers 302"]).await;
}

#[tokio::test]
async fn what_is_no_address_is_usage() {
    for bad in ["", " ftp://h", " http://u:hunter2@h", " h:99999", " --timeout 0 h", " --timeout 61 h", " h h"] {
        let ended = docket(&format!("healthcheck{bad}")).fails(64, &[]).await;
        assert!(!ended.stderr.is_empty() && !ended.stderr.contains("hunter2"), "{bad}: {ended:?}");
    }
}
