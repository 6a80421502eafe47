//! The API of the server role and the queue gauges, over a real socket and a real PostgreSQL.

mod access;
mod bulk;
mod civic;
mod docs;
mod document;
mod flood;
mod hostile;
mod lanes;
pub(crate) mod support;
mod write;

use crate::{
    broker::support::until,
    support::{TestLedger, metrics},
};
use docket::{
    db,
    fleet::{
        job::{NewJob, Status},
        ledger::gauges::{Watched, publish_gauges},
    },
    http::api,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use support::server;
use tokio_util::sync::CancellationToken;

async fn get(addr: SocketAddr, path: &str) -> (StatusCode, Value) {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().expect("builds");
    let response = client.get(format!("http://{addr}{path}")).send().await.expect("answers");
    let status = response.status();
    assert_eq!(response.headers()["content-type"], "application/json", "{path}");
    if status == StatusCode::SERVICE_UNAVAILABLE {
        assert_eq!(response.headers()["retry-after"], "2", "{path}");
    }
    (status, response.json().await.expect("JSON"))
}

#[tokio::test]
async fn queue_statistics() {
    let db = TestLedger::new().await;
    for status in Status::ALL {
        db.job_in(status).await;
    }
    let addr = server(&db).await;
    let (status, exact) = get(addr, "/api/queue-stats?exact=true").await;
    assert_eq!(status, StatusCode::OK);
    let lane = &exact["lanes"]["default"];
    for state in ["runnable", "queued", "processing", "completed", "failed", "dead_letter", "cancelled"] {
        assert_eq!(lane[state], 1, "{state} in {lane}");
    }
    assert!(lane["oldest_runnable_age_seconds"].is_number(), "{lane}");
    for state in ["pending", "queued", "processing", "completed", "failed", "dead_letter", "cancelled"] {
        assert_eq!(exact[state], 1, "{state} in {exact}");
    }
    let (_, cheap) = get(addr, "/api/queue-stats").await;
    assert_eq!((&cheap["pending"], &cheap["dead_letter"]), (&json!(1), &json!(1)));
    assert_eq!((&cheap["completed"], &cheap["cancelled"]), (&Value::Null, &Value::Null));
    assert_eq!((&cheap["exact"], &cheap["lanes"]["default"]["completed"]), (&json!(false), &Value::Null));
}

#[tokio::test]
async fn jobs_page_by_page_and_one_by_one() {
    let db = TestLedger::new().await;
    for _ in 0..3 {
        db.job("greet").await;
    }
    let dead = db.job_in(Status::DeadLetter).await;
    let addr = server(&db).await;
    let (_, first) = get(addr, "/api/jobs?status=pending&kind=greet&lane=default&limit=2").await;
    assert_eq!(first["items"].as_array().map(Vec::len), Some(2));
    let next = &first["next"];
    let (_, second) = get(addr, &format!("/api/jobs?status=pending&limit=2&before={next}")).await;
    assert_eq!((second["items"].as_array().map(Vec::len), &second["next"]), (Some(1), &Value::Null));
    let (status, job) = get(addr, &format!("/api/jobs/{dead}")).await;
    assert_eq!((status, &job["status"], &job["args"]), (StatusCode::OK, &json!("dead_letter"), &json!({"n": 1})));
    assert!(job["history"].is_array() && job["events"].is_array(), "{job}");
    let (_, letters) = get(addr, "/api/dead-letters?limit=1").await;
    assert_eq!((&letters["items"][0]["id"], &letters["next"]), (&json!(dead), &Value::Null));
}

#[tokio::test]
async fn bad_requests_say_what_is_wrong() {
    let db = TestLedger::new().await;
    let addr = server(&db).await;
    for (path, expected) in [
        ("/api/jobs?status=lost", 400),
        ("/api/jobs?limit=0", 400),
        ("/api/jobs?limit=501", 400),
        ("/api/jobs?limit=99999999999999999999", 400),
        ("/api/jobs?before=x", 400),
        ("/api/jobs?kind=%00", 400),
        ("/api/jobs?kind=%ff%fe", 200),
        ("/api/jobs?kind='%20or%201=1%20--", 200),
        ("/api/jobs?nonsense=1", 400),
        ("/api/jobs/abc", 400),
        ("/api/jobs/99999999999999999999", 400),
        ("/api/jobs/9223372036854775807", 404),
        ("/api/dead-letters?before=yesterday", 400),
        ("/api/queue-stats?exact=maybe", 400),
        ("/api/", 404),
    ] {
        let (status, body) = get(addr, path).await;
        assert_eq!(status.as_u16(), expected, "{path}: {body}");
        if expected == 200 {
            assert_eq!(body["items"], json!([]), "{path}");
        } else {
            for field in ["code", "message", "hint"] {
                assert!(body["error"][field].as_str().is_some_and(|text| !text.is_empty()), "{path}: {body}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_path_does_not_take_is_refused() {
    let db = TestLedger::new().await;
    let addr = server(&db).await;
    let client = reqwest::Client::builder().no_proxy().build().expect("builds");
    for (path, allow) in [("/api/queue-stats", "GET,HEAD"), ("/api/jobs", "GET,HEAD,POST"), ("/api/jobs/bulk", "POST")]
    {
        let response = client.delete(format!("http://{addr}{path}")).send().await.expect("answers");
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(response.headers()["allow"], allow, "{path}");
        assert_eq!(response.json::<Value>().await.expect("JSON")["error"]["code"], "method_not_allowed");
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_said_so() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("binds").local_addr().expect("bound");
    let config = db::parse_url(&format!("postgres://u:hunter2@{nobody}/x?sslmode=disable")).expect("a URL");
    let addr = support::Server::on(&config).start().await.addr;
    let (status, body) = get(addr, "/api/jobs").await;
    assert_eq!((status, &body["error"]["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("unavailable")));
    assert!(!body.to_string().contains("hunter2"));
}

#[tokio::test]
async fn a_database_that_hangs_is_not_waited_for() {
    let db = TestLedger::new().await;
    let database = api::Database::new(db.pool.clone()).deadline(Duration::from_millis(200));
    let addr = support::Server { database, ..support::Server::on(&db.config) }.start().await.addr;
    db.sql("begin; lock table jobs in access exclusive mode").await;
    assert_eq!(get(addr, "/api/jobs").await.0, StatusCode::SERVICE_UNAVAILABLE);
    db.sql("rollback").await;
    until("the table is free", || async { get(addr, "/api/jobs").await.0 == StatusCode::OK }).await;
}

// ------------------------------------------------------------------------------------------------ gauges

fn gauge(series: &str) -> Option<f64> {
    let page = metrics().render();
    page.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
}

async fn until_gauge(series: &str, expected: f64) {
    until(&format!("{series} is {expected}"), || async { gauge(series) == Some(expected) }).await;
}

#[tokio::test]
async fn queue_gauges_have_one_owner_report_zero_when_drained_and_move_on() {
    const DUE: &str = r#"docket_queue_jobs{lane="gauged",status="pending"}"#;
    let db = TestLedger::new().await;
    let job = db.enqueue(NewJob::new("greet", &json!({})).expect("JSON").lane("gauged")).await;
    let spawn = |shutdown: &CancellationToken| {
        let lanes = vec!["idle".to_owned()];
        tokio::spawn(publish_gauges(
            db.pool.clone(),
            Watched { lanes, vendors: Vec::new() },
            Duration::from_millis(20),
            shutdown.clone(),
        ))
    };
    let (first, second) = (CancellationToken::new(), CancellationToken::new());
    let one = spawn(&first);
    until_gauge(DUE, 1.0).await;
    assert_eq!(gauge(r#"docket_queue_oldest_available_age_seconds{lane="idle"}"#), Some(0.0));
    let two = spawn(&second);
    db.step(job, Status::Cancelled, 1).await.expect("legal");
    until_gauge(DUE, 0.0).await;
    let owners = "select count(*) from pg_locks where locktype = 'advisory' and granted \
                  and objid::bigint = (hashtext(current_schema())::bigint & 4294967295)";
    assert_eq!(db.number(owners).await, 1);
    first.cancel();
    one.await.expect("no panic");
    let late = db.enqueue(NewJob::new("greet", &json!({})).expect("JSON").lane("gauged")).await;
    assert!(late.0 > job.0);
    until_gauge(DUE, 1.0).await;
    second.cancel();
    two.await.expect("no panic");
    assert_eq!(gauge(DUE), None, "withdrawn: nobody owns it");
}
