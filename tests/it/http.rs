//! The HTTP side over real sockets: limits, access, shutdown, operations endpoints.

use axum::{Router, body::Bytes, routing};
use docket::http::{CheckResult, Health, HttpSettings, Limits, Routes, Running, ServeError, serve};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
};
use tokio_util::sync::CancellationToken;

use crate::support::metrics;

const TOKEN: &str = "0123456789abcdef";

async fn start(settings: HttpSettings, health: Health, api: Option<Router>) -> (Running, CancellationToken) {
    let shutdown = CancellationToken::new();
    let routes = Routes { metrics: metrics(), health, api };
    (serve(settings, routes, shutdown.clone()).await.expect("listens"), shutdown)
}

async fn plain(api: Option<Router>) -> SocketAddr {
    start(HttpSettings::default(), Health::new(), api).await.0.addr()
}

async fn limited(limits: Limits) -> SocketAddr {
    let settings = HttpSettings { limits, ..HttpSettings::default() };
    start(settings, Health::new(), None).await.0.addr()
}

async fn ask(method: Method, addr: SocketAddr, path: &str) -> reqwest::Response {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().expect("builds");
    client.request(method, format!("http://{addr}{path}")).send().await.expect("answers")
}

async fn get(addr: SocketAddr, path: &str) -> reqwest::Response {
    ask(Method::GET, addr, path).await
}

/// Sends raw bytes, and reads until the other side closes.
async fn raw(addr: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(addr).await.expect("connects");
    // The server may close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

// ------------------------------------------------------------------------------------------------ endpoints

#[tokio::test]
async fn every_process_has_metrics_and_probes() {
    let addr = plain(None).await;
    let response = get(addr, "/metrics").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.headers()["content-type"].to_str().expect("text").starts_with("text/plain; version=0.0.4"));
    assert!(response.text().await.expect("text").contains("docket_build_info{version="));
    for path in ["/livez", "/readyz"] {
        let response = get(addr, path).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.json::<Value>().await.expect("JSON")["status"], "ok");
    }
    let head = ask(Method::HEAD, addr, "/livez").await;
    assert_eq!((head.status(), head.text().await.expect("text").as_str()), (StatusCode::OK, ""));
}

#[tokio::test]
async fn readiness_says_what_is_wrong() {
    let broken = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = Arc::clone(&broken);
    let health = Health::new().ready("broker", || CheckResult::degraded("away, leasing directly")).ready(
        "database",
        move || {
            if seen.load(std::sync::atomic::Ordering::SeqCst) {
                CheckResult::failed("no answer")
            } else {
                CheckResult::ok("")
            }
        },
    );
    let (running, _shutdown) = start(HttpSettings::default(), health, None).await;
    let response = get(running.addr(), "/readyz").await;
    assert_eq!(response.status(), StatusCode::OK, "degraded is still ready");
    assert_eq!(response.json::<Value>().await.expect("JSON")["status"], "degraded");
    broken.store(true, std::sync::atomic::Ordering::SeqCst);
    let response = get(running.addr(), "/readyz").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body["checks"][1], serde_json::json!({"name": "database", "status": "failed", "detail": "no answer"}));
    assert_eq!(get(running.addr(), "/livez").await.status(), StatusCode::OK, "a restart would not help");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_in_json() {
    for api in [None, Some(Router::new())] {
        let addr = plain(api).await;
        assert_eq!(get(addr, "/livez/").await.status(), StatusCode::NOT_FOUND);
        let response = ask(Method::POST, addr, "/metrics").await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()["allow"], "GET, HEAD");
        assert_eq!(response.json::<Value>().await.expect("JSON")["error"]["code"], "method_not_allowed");
    }
    let response = get(plain(None).await, "/nowhere?<script>").await;
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert_eq!(response.json::<Value>().await.expect("JSON")["error"]["code"], "no_route");
}

// ------------------------------------------------------------------------------------------------ limits

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_announced_or_not() {
    let limits = Limits { body_bytes: 1000, ..Limits::default() };
    let read = routing::post(async |body: Bytes| body.len().to_string());
    let settings = HttpSettings { limits, ..HttpSettings::default() };
    let (running, _shutdown) = start(settings, Health::new(), Some(Router::new().route("/read", read))).await;
    let head = "POST /read HTTP/1.1\r\nhost: h\r\nconnection: close\r\n";
    let announced = raw(running.addr(), format!("{head}content-length: 1001\r\n\r\n").as_bytes()).await;
    assert!(announced.starts_with("HTTP/1.1 413 "), "{announced}");
    assert!(announced.contains("too_large"), "{announced}");
    let chunk = format!("{head}transfer-encoding: chunked\r\n\r\n5dc\r\n{}\r\n0\r\n\r\n", "x".repeat(1500));
    let chunked = raw(running.addr(), chunk.as_bytes()).await;
    assert!(chunked.starts_with("HTTP/1.1 413 "), "{chunked}");
    let fits = raw(running.addr(), format!("{head}content-length: 4\r\n\r\nfour").as_bytes()).await;
    assert!(fits.starts_with("HTTP/1.1 200 ") && fits.ends_with('4'), "{fits}");
    let endless = raw(running.addr(), format!("{head}content-length: 18446744073709551615\r\n\r\n").as_bytes()).await;
    assert!(endless.starts_with("HTTP/1.1 4"), "{endless}");
}

#[tokio::test]
async fn heads_have_a_size_a_number_of_lines_and_a_deadline() {
    let addr = limited(Limits { header: Duration::from_millis(200), ..Limits::default() }).await;
    let large = raw(addr, format!("GET /livez HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(70_000)).as_bytes()).await;
    assert!(large.starts_with("HTTP/1.1 431 "), "{large}");
    let many = raw(addr, format!("GET /livez HTTP/1.1\r\n{}\r\n", "x: a\r\n".repeat(200)).as_bytes()).await;
    assert!(many.starts_with("HTTP/1.1 431 "), "{many}");
    // This returns only because the server ends it.
    let slow = raw(addr, b"GET /livez HTTP/1.1\r\nx: ").await;
    assert!(!slow.contains("200 OK"), "{slow}");
    let idle = raw(addr, b"").await;
    assert_eq!(idle, "");
    let kept = raw(addr, b"GET /livez HTTP/1.1\r\nhost: h\r\n\r\n").await;
    assert!(kept.starts_with("HTTP/1.1 200 "), "it was answered, then ended for being idle: {kept}");
}

#[tokio::test]
async fn noise_is_refused_and_harms_no_one() {
    let addr = plain(None).await;
    for noise in [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"\0\0\0\0", b"GET\r\n\r\n", &[0xff; 4096]] {
        let mut stream = TcpStream::connect(addr).await.expect("connects");
        let _ = stream.write_all(noise).await;
        stream.shutdown().await.expect("closes its side");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400 "), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(get(addr, "/livez").await.status(), StatusCode::OK);
}

/// A route that answers when it is told to, and what tells it.
fn held_route(entered: &Arc<Notify>, go: &Arc<Notify>) -> Router {
    let (inside, wait) = (Arc::clone(entered), Arc::clone(go));
    let held = routing::get(async move || {
        inside.notify_one();
        wait.notified().await;
        "done"
    });
    Router::new().route("/held", held)
}

#[tokio::test]
async fn connections_above_the_limit_are_told_so_when_all_are_at_work() {
    let (entered, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let limits = Limits { connections: 2, ..Limits::default() };
    let settings = HttpSettings { limits, ..HttpSettings::default() };
    let (running, _shutdown) = start(settings, Health::new(), Some(held_route(&entered, &go))).await;
    let addr = running.addr();
    let ask_held = || tokio::spawn(raw(addr, b"GET /held HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"));
    let at_work = [ask_held(), ask_held()];
    for _ in &at_work {
        entered.notified().await;
    }
    let refused = raw(addr, b"").await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(refused.contains("retry-after: 2") && refused.contains("too many connections"), "{refused}");
    assert!(refused.contains("x-content-type-options: nosniff"), "{refused}");
    for held in at_work {
        go.notify_one();
        assert!(held.await.expect("no panic").ends_with("done"), "it kept its place");
    }
    let page = get(addr, "/metrics").await.text().await.expect("text");
    assert!(page.contains(r#"docket_http_connections_refused_total{reason="too_many_connections"}"#));
}

#[tokio::test]
async fn a_newcomer_takes_the_place_of_whoever_says_nothing() {
    let addr = limited(Limits { connections: 2, ..Limits::default() }).await;
    let mut silent = TcpStream::connect(addr).await.expect("connects");
    let mut also = TcpStream::connect(addr).await.expect("connects");
    let answer = raw(addr, b"GET /metrics HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains(r#"docket_http_connections_refused_total{reason="displaced"}"#), "{answer}");
    let mut end = Vec::new();
    let _ = silent.read_to_end(&mut end).await;
    assert_eq!(String::from_utf8_lossy(&end), "", "the one that waited longest was cut");
    also.write_all(b"GET /livez HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").await.expect("is still connected");
    let _ = also.read_to_end(&mut end).await;
    assert!(end.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&end));
}

#[tokio::test]
async fn a_request_that_takes_too_long_gets_an_answer() {
    let limits = Limits { request: Duration::from_millis(100), ..Limits::default() };
    let never = routing::get(async || std::future::pending::<&str>().await);
    let settings = HttpSettings { limits, ..HttpSettings::default() };
    let (running, _shutdown) = start(settings, Health::new(), Some(Router::new().route("/never", never))).await;
    let response = get(running.addr(), "/never").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "2");
}

// ------------------------------------------------------------------------------------------------ access

#[tokio::test]
async fn an_address_of_the_network_needs_a_token() {
    let addr: SocketAddr = "0.0.0.0:0".parse().expect("an address");
    let routes = || Routes { metrics: metrics(), health: Health::new(), api: None };
    let open = HttpSettings { addr, metrics_open: true, ..HttpSettings::default() };
    let error = serve(open, routes(), CancellationToken::new()).await.expect_err("refused").to_string();
    assert!(error.contains("token") && error.contains("127.0.0.1"), "it says what to do: {error}");
    let weak = HttpSettings { addr, token: Some("short".into()), ..HttpSettings::default() };
    assert!(matches!(serve(weak, routes(), CancellationToken::new()).await, Err(ServeError::WeakToken)));
}

#[tokio::test]
async fn the_token_matrix_over_a_socket() {
    let client = reqwest::Client::builder().no_proxy().build().expect("builds");
    for metrics_open in [false, true] {
        let addr = "0.0.0.0:0".parse().expect("an address");
        let settings = HttpSettings { addr, token: Some(TOKEN.into()), metrics_open, ..HttpSettings::default() };
        let api = Router::new().route("/api/x", routing::get(async || "fine"));
        let (running, _shutdown) = start(settings, Health::new(), Some(api)).await;
        let port = running.addr().port();
        for (path, open) in [
            ("/livez", true),
            ("/readyz", true),
            ("/metrics", metrics_open),
            ("/api/x", false),
            ("/nowhere", false),
            ("/livez/../api/x", false),
        ] {
            for (token, valid) in [(None, false), (Some("0123456789abcdeF"), false), (Some(TOKEN), true)] {
                let mut request = client.get(format!("http://127.0.0.1:{port}{path}"));
                if let Some(token) = token {
                    request = request.bearer_auth(token);
                }
                let response = request.send().await.expect("answers");
                let refused = response.status() == StatusCode::UNAUTHORIZED;
                assert_eq!(refused, !open && !valid, "{path} with {token:?}, metrics_open {metrics_open}");
                if refused {
                    assert_eq!(response.headers()["www-authenticate"], "Bearer");
                    assert!(!response.text().await.expect("text").contains(TOKEN));
                }
            }
        }
    }
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = plain(None).await;
    let settings = HttpSettings { addr: taken, ..HttpSettings::default() };
    let routes = Routes { metrics: metrics(), health: Health::new(), api: None };
    let error = serve(settings, routes, CancellationToken::new()).await.expect_err("in use");
    assert!(matches!(error, ServeError::InUse(addr) if addr == taken));
    assert!(error.to_string().contains(&taken.port().to_string()));
}

// ------------------------------------------------------------------------------------------------ shutdown, metrics

#[tokio::test]
async fn a_shutdown_lets_running_requests_finish() {
    let (entered, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inside, wait) = (Arc::clone(&entered), Arc::clone(&go));
    let slow = routing::get(async move || {
        inside.notify_one();
        wait.notified().await;
        "done"
    });
    let api = Router::new().route("/slow", slow);
    let (running, shutdown) = start(HttpSettings::default(), Health::new(), Some(api)).await;
    let addr = running.addr();
    let request = tokio::spawn(async move { get(addr, "/slow").await });
    entered.notified().await;
    shutdown.cancel();
    go.notify_one();
    assert_eq!(request.await.expect("no panic").text().await.expect("text"), "done");
    running.stopped().await;
    assert!(TcpStream::connect(addr).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_after_the_drain_time() {
    let entered = Arc::new(Notify::new());
    let inside = Arc::clone(&entered);
    let never = routing::get(async move || {
        inside.notify_one();
        std::future::pending::<&str>().await
    });
    let limits = Limits { drain: Duration::from_millis(100), request: Duration::from_secs(10), ..Limits::default() };
    let settings = HttpSettings { limits, ..HttpSettings::default() };
    let (running, shutdown) = start(settings, Health::new(), Some(Router::new().route("/never", never))).await;
    let addr = running.addr();
    let request = tokio::spawn(async move { raw(addr, b"GET /never HTTP/1.1\r\nhost: h\r\n\r\n").await });
    entered.notified().await;
    shutdown.cancel();
    running.stopped().await;
    assert_eq!(request.await.expect("no panic"), "", "cut, not answered");
}

#[tokio::test]
async fn metrics_name_the_route_and_never_the_path() {
    let api = Router::new().route("/api/things/{id}", routing::get(async || "fine"));
    let api = api.layer(axum::middleware::from_fn(docket::http::api::tag_route));
    let addr = plain(Some(api)).await;
    assert_eq!(get(addr, "/api/things/secret-4711").await.status(), StatusCode::OK);
    get(addr, "/guess/4711").await;
    ask(Method::from_bytes(b"BREW").expect("a method"), addr, "/pot/4711").await;
    let page = get(addr, "/metrics").await.text().await.expect("text");
    for series in [
        r#"docket_api_requests_total{method="GET",route="/api/things/{id}",status="200"} 1"#,
        r#"docket_api_requests_total{method="other",route="unmatched",status="404"} 1"#,
        r#"docket_api_request_duration_seconds_bucket{method="GET",route="/api/things/{id}",le="0.005"}"#,
    ] {
        assert!(page.contains(series), "{series} is missing in\n{page}");
    }
    // A bare number might be some series' value.
    for part in ["secret-4711", "guess", "/pot", "BREW"] {
        assert!(!page.contains(part), "{part} is in\n{page}");
    }
}
