//! Bodies and clients that nobody wants.

use super::support::{Api, Server, is_error};
use crate::support::TestLedger;
use docket::http::{HttpSettings, Limits};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const MIB: usize = 1024 * 1024;
const HEAD: &str = "POST /api/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";

async fn lives(api: &Api) {
    assert_eq!(api.post("/api/jobs", &json!({"kind": "sync_city"})).await.0.as_u16(), 201, "the process lives");
}

#[tokio::test]
async fn bodies_that_cant_be_read_say_where() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let deep =
        |levels: usize| format!("{{\"kind\":\"sync_city\",\"args\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    for bad in [
        String::new(),
        " ".to_owned(),
        "{".to_owned(),
        "[".repeat(1_000_000),
        "{\"args\":".repeat(100_000),
        deep(128),
        r#"{"kind":"sync_city","kind":"sync_city"}"#.to_owned(),
        r#"{"kind":"sync_city","nonsense":1}"#.to_owned(),
        r#"{"kind":"sync_city","args":1e999}"#.to_owned(),
        r#"{"kind":"sync_city","priority":99999999999999999999}"#.to_owned(),
        r#"{"kind":"sync_city","max_attempts":1.5}"#.to_owned(),
        r#"{"kind":"sync_city","args":"\ud800"}"#.to_owned(),
        "{\"kind\":\"sync_city\",\"args\":\"\u{1}\"}".to_owned(),
        r#"{"kind":"sync_city"} {"#.to_owned(),
        r#"{"kind":null}"#.to_owned(),
        r#"[{"kind":"sync_city"}]"#.to_owned(),
        "NaN".to_owned(),
    ] {
        let shown: String = bad.chars().take(60).collect();
        let answer = api.raw("/api/jobs", bad).await;
        is_error(&answer, 400, "bad_request");
        assert!(answer.1["error"]["message"].as_str().unwrap().contains("line"), "{shown}: {answer:?}");
    }
    is_error(&api.raw("/api/jobs", &b"{\"kind\":\"\xff\"}"[..]).await, 400, "bad_request");
    assert_eq!(api.raw("/api/jobs", deep(100)).await.0.as_u16(), 201);
    assert_eq!(api.raw("/api/jobs", r#"{"kind":"sync_city","args":{"a":1,"a":2}}"#).await.0.as_u16(), 201);
    lives(&api).await;
    assert_eq!(db.number("select count(*) from jobs").await, 3);
}

#[tokio::test]
async fn a_bomb_of_small_objects_is_not_unpacked() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let bomb = |bytes: usize| {
        format!("{{\"jobs\":[{{\"kind\":\"sync_city\",\"args\":[{}1]}}]}}", "{\"\":0},".repeat(bytes / 7))
    };
    let answer = api.raw("/api/jobs/bulk", bomb(7 * MIB)).await;
    is_error(&answer, 400, "bad_request");
    assert!(answer.1["error"]["message"].as_str().unwrap().contains("objects"), "{answer:?}");
    lives(&api).await;
    assert_eq!(db.number("select count(*) from jobs").await, 1);
}

#[tokio::test]
async fn fields_that_cant_be_used_are_named() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let job = |field: &str, value: Value| {
        let mut job = json!({"kind": "sync_city"});
        job[field] = value;
        job
    };
    // The quotes of a text count as well.
    for (field, value) in [
        ("args", json!("x".repeat(64 * 1024 - 1))),
        ("args", json!({"a": "b\u{0}c"})),
        ("args", json!({"a\u{0}": 1})),
        ("kind", json!("a\u{0}b")),
        ("lane", json!("a\u{0}b")),
        ("lane", json!("")),
        ("lane", json!("x".repeat(513))),
        ("idempotency_key", json!("a\u{0}b")),
        ("idempotency_key", json!("x".repeat(513))),
        ("priority", json!(1001)),
        ("priority", json!(-1001)),
        ("max_attempts", json!(0)),
        ("max_attempts", json!(-1)),
        ("run_at", json!("-009999-01-02T01:59:59Z")),
    ] {
        let mut body = job(field, value);
        body["force"] = json!(true);
        let answer = api.post("/api/jobs", &body).await;
        is_error(&answer, 400, "bad_request");
        assert_eq!(answer.1["error"]["field"], field, "{answer:?}");
    }
    for (field, value) in [
        ("args", json!("x".repeat(64 * 1024 - 2))),
        ("args", json!(null)),
        ("args", json!(u64::MAX)),
        ("args", json!(1e308)),
        ("args", json!({"'); drop table jobs; --": "\u{202e}\u{1b}[31m"})),
        ("run_at", json!("9999-12-30T22:00:00Z")),
        ("idempotency_key", json!("ключ ' \" \\ %s")),
    ] {
        assert_eq!(api.post("/api/jobs", &job(field, value.clone())).await.0.as_u16(), 201, "{field} {value}");
    }
    assert_eq!(db.number("select count(*) from jobs").await, 7);
}

#[tokio::test]
async fn bodies_have_a_size_and_a_type() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let padded = |bytes: usize| {
        let job = r#"{"kind":"sync_city"}"#;
        job.to_owned() + &" ".repeat(bytes - job.len())
    };
    assert_eq!(api.raw("/api/jobs", padded(MIB)).await.0.as_u16(), 201);
    is_error(&api.raw("/api/jobs", padded(MIB + 1)).await, 413, "too_large");
    let bulk = |bytes: usize| padded(bytes).replacen(r#"{"kind":"sync_city"}"#, r#"{"jobs":[]}         "#, 1);
    is_error(&api.raw("/api/jobs/bulk", bulk(8 * MIB)).await, 400, "bad_request");
    is_error(&api.raw("/api/jobs/bulk", bulk(8 * MIB + 1)).await, 413, "too_large");
    for kind in ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"] {
        let request = api.request(reqwest::Method::POST, "/api/jobs").header("content-type", kind);
        is_error(&api.send(request.body(padded(30))).await, 415, "unsupported_media_type");
    }
    let missing = api.request(reqwest::Method::POST, "/api/jobs").body(padded(30));
    is_error(&api.send(missing).await, 415, "unsupported_media_type");
    let charset =
        api.request(reqwest::Method::POST, "/api/jobs").header("content-type", "Application/JSON; charset=utf-8");
    assert_eq!(api.send(charset.body(padded(30))).await.0.as_u16(), 201);
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let mut stream = TcpStream::connect(api.addr).await.unwrap();
    stream.write_all(format!("{HEAD}transfer-encoding: chunked\r\n\r\n").as_bytes()).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let endless = async {
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        while writing.write_all(chunk.as_bytes()).await.is_ok() {}
        std::future::pending::<()>().await;
    };
    let mut answer = [0; 12];
    let read = reading.read_exact(&mut answer);
    tokio::select! {
        () = endless => {}
        read = read => { read.unwrap(); }
    }
    assert_eq!(&answer, b"HTTP/1.1 413");
    lives(&api).await;
}

#[tokio::test]
async fn a_body_that_stands_still_is_not_waited_for() {
    let db = TestLedger::new().await;
    let limits = Limits { request: Duration::from_millis(300), ..Limits::default() };
    let settings = HttpSettings { limits, ..HttpSettings::default() };
    let api = Server { settings, ..Server::on(&db.config) }.start().await;
    let mut stream = TcpStream::connect(api.addr).await.unwrap();
    stream.write_all(format!("{HEAD}content-length: 100\r\n\r\n{{\"kind\"").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert_eq!(db.number("select count(*) from jobs").await, 0);
}

#[tokio::test]
async fn a_client_that_leaves_early_leaves_nothing_half_done() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let body = json!({"kind": "sync_city", "idempotency_key": "k"}).to_string();
    let whole = format!("{HEAD}content-length: {}\r\n\r\n{body}", body.len());
    // In the middle of the body, at its end, and while the answer is made.
    for cut in [whole.len() / 2, whole.len() - 1, whole.len()] {
        let mut stream = TcpStream::connect(api.addr).await.unwrap();
        stream.write_all(&whole.as_bytes()[..cut]).await.unwrap();
        drop(stream);
    }
    // Asked again, with its key: once, whatever became of the last.
    let answer = api.raw("/api/jobs", body).await;
    assert!(matches!(answer.0.as_u16(), 201 | 409), "{answer:?}");
    assert_eq!(db.number("select count(*) from jobs").await, 1);
}

#[tokio::test]
async fn ambiguous_lengths_are_refused() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let smuggled = "GET /api/jobs HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for lengths in [
        "content-length: 0\r\ncontent-length: 44\r\n",
        "content-length: +44\r\n",
        "content-length: 0x2c\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: xchunked\r\n",
    ] {
        let mut stream = TcpStream::connect(api.addr).await.unwrap();
        let _ = stream.write_all(format!("{HEAD}{lengths}\r\n{smuggled}").as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.matches("HTTP/1.1").count() == 1, "{lengths}: {answer}");
    }
    assert_eq!(db.number("select count(*) from jobs").await, 0);
}
