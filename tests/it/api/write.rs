//! Jobs in, and what operators do to them.

use super::support::{Server, is_error};
use crate::support::TestLedger;
use docket::fleet::job::{JobId, Status};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_job_is_in_the_ledger_before_the_answer() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let body = json!({"kind": "sync_city", "args": {"city": "a", "slot": 1}});
    let response = api.request(Method::POST, "/api/jobs").json(&body).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 201);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let told: serde_json::Value = response.json().await.unwrap();
    assert_eq!(location, format!("/api/jobs/{}", told["id"]));
    assert_eq!(told, json!({"id": told["id"], "status": "pending", "existing": false}));
    let (_, job) = api.get(&location).await;
    assert_eq!((&job["args"], &job["lane"], &job["priority"]), (&body["args"], &json!("default"), &json!(100)));
    let said = json!({
        "kind": "sync_city", "lane": "slow", "priority": -5, "max_attempts": 7, "run_at": "2999-01-01T00:00:00Z",
    });
    let (_, told) = api.post("/api/jobs", &said).await;
    let (_, job) = api.get(&format!("/api/jobs/{}", told["id"])).await;
    assert_eq!((&job["lane"], &job["priority"], &job["max_attempts"]), (&json!("slow"), &json!(-5), &json!(7)));
    assert_eq!((&job["hold"], &job["hold_until"], &job["args"]), (&json!("scheduled"), &said["run_at"], &json!({})));
}

#[tokio::test]
async fn a_key_is_taken_once_wherever_it_stands() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let body = json!({"kind": "sync_city", "idempotency_key": "k"});
    let (_, first) = api.post("/api/jobs", &body).await;
    let again = api.post("/api/jobs", &body).await;
    is_error(&again, 409, "exists");
    assert_eq!((&again.1["error"]["id"], &again.1["error"]["status"]), (&first["id"], &json!("pending")));
    let header =
        |key: &str, body| api.send(api.request(Method::POST, "/api/jobs").header("Idempotency-Key", key).json(body));
    let plain = json!({"kind": "sync_city"});
    is_error(&header("k", &plain).await, 409, "exists");
    is_error(&header("k", &body).await, 409, "exists");
    is_error(&header("other", &body).await, 400, "bad_request");
    assert_eq!(header("other", &plain).await.0.as_u16(), 201);
    let two = api.request(Method::POST, "/api/jobs").header("Idempotency-Key", "a").header("Idempotency-Key", "b");
    is_error(&api.send(two.json(&plain)).await, 400, "bad_request");
    assert_eq!(db.number("select count(*) from jobs").await, 2);
    db.step(JobId(first["id"].as_i64().unwrap()), Status::Cancelled, 1).await.unwrap();
    assert_eq!(api.post("/api/jobs", &body).await.1["error"]["status"], "cancelled");
}

#[tokio::test]
async fn unknown_kinds_need_force() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let refused = api.post("/api/jobs", &json!({"kind": "sync_citty"})).await;
    is_error(&refused, 400, "bad_request");
    assert_eq!(refused.1["error"]["field"], "kind");
    let message = refused.1["error"]["message"].as_str().unwrap();
    assert!(message.contains("did you mean sync_city") && message.contains("fetch_document"), "{message}");
    assert_eq!(api.post("/api/jobs", &json!({"kind": "sync_citty", "force": true})).await.0.as_u16(), 201);
}

#[tokio::test]
async fn one_job_is_cancelled_or_requeued_under_its_callers_name() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let (waiting, running) = (db.job("greet").await, db.job_in(Status::Processing).await);
    let done = api.act(&format!("/api/jobs/{waiting}/cancel")).await;
    assert_eq!((done.0.as_u16(), &done.1["status"]), (200, &json!("cancelled")));
    let again = api.act(&format!("/api/jobs/{waiting}/cancel")).await;
    is_error(&again, 409, "conflict");
    assert_eq!((&again.1["error"]["id"], &again.1["error"]["status"]), (&json!(waiting), &json!("cancelled")));
    assert_eq!(api.act(&format!("/api/jobs/{running}/cancel")).await.1["status"], "processing");
    is_error(&api.act(&format!("/api/jobs/{running}/cancel")).await, 409, "conflict");
    is_error(&api.act("/api/jobs/4711/cancel").await, 404, "not_found");
    is_error(&api.act("/api/jobs/x/cancel").await, 400, "bad_request");
    let dead = db.job_in(Status::DeadLetter).await;
    assert_eq!(api.act(&format!("/api/jobs/{dead}/requeue")).await.1["status"], "pending");
    is_error(&api.act(&format!("/api/jobs/{dead}/requeue")).await, 409, "conflict");
    assert_eq!(db.number("select count(*) from job_events where actor = 'api:local'").await, 3);
}

#[tokio::test]
async fn dead_letters_get_a_new_round_or_are_given_up() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let mut dead = Vec::new();
    for _ in 0..3 {
        dead.push(db.job_in(Status::DeadLetter).await);
    }
    let (_, acted) = api.post("/api/dead-letters/requeue", &json!({"ids": [dead[0], 4711]})).await;
    assert_eq!(acted["done"][0]["status"], "pending");
    assert_eq!(acted["refused"], json!([{"id": 4711, "reason": "not_found"}]));
    let (_, acted) = api.post("/api/dead-letters/discard", &json!({"kind": "nothing"})).await;
    assert_eq!(acted, json!({"done": [], "refused": [], "more": false}));
    let (_, acted) = api.post("/api/dead-letters/requeue", &json!({"kind": "greet"})).await;
    assert_eq!(acted["done"].as_array().unwrap().len(), 2);
    db.bring(dead[1], Status::DeadLetter).await;
    let (_, acted) = api.post("/api/dead-letters/discard", &json!({"all": true})).await;
    assert_eq!((&acted["done"][0]["id"], &acted["done"][0]["status"]), (&json!(dead[1]), &json!("cancelled")));
    for bad in [
        json!({}),
        json!({"ids": []}),
        json!({"ids": vec![1; 1001]}),
        json!({"ids": [1], "kind": "greet"}),
        json!({"all": false}),
        json!({"all": true, "kind": "greet"}),
        json!({"kind": "a\u{0}"}),
        json!({"nonsense": 1}),
        json!({"ids": [1e300]}),
    ] {
        is_error(&api.post("/api/dead-letters/discard", &bad).await, 400, "bad_request");
    }
}

#[tokio::test]
async fn more_dead_letters_than_one_act_takes_are_told() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    db.sql(
        "alter table jobs disable trigger user;
         insert into jobs (kind, status, epoch, finished_at, failed_at, dead_published_gen)
         select 'greet', 'dead_letter', 3, now(), now(), 0 from generate_series(1, 1001);
         alter table jobs enable trigger user",
    )
    .await;
    let (_, acted) = api.post("/api/dead-letters/discard", &json!({"kind": "greet"})).await;
    assert_eq!((acted["done"].as_array().unwrap().len(), &acted["more"]), (1000, &json!(true)));
    let (_, acted) = api.post("/api/dead-letters/discard", &json!({"kind": "greet"})).await;
    assert_eq!((acted["done"].as_array().unwrap().len(), &acted["more"]), (1, &json!(false)));
}
