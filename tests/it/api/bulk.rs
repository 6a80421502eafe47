//! Many jobs at once.

use super::support::{Server, is_error};
use crate::support::TestLedger;
use docket::http::{HttpSettings, Rates};
use serde_json::{Value, json};

const PATH: &str = "/api/jobs/bulk";

fn jobs(range: std::ops::Range<usize>) -> Value {
    let jobs: Vec<Value> = range.map(|n| json!({"kind": "sync_city", "args": {"n": n}})).collect();
    json!({"jobs": jobs})
}

#[tokio::test]
async fn a_thousand_are_enqueued_in_their_order() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let (status, told) = api.post(PATH, &jobs(0..1000)).await;
    assert_eq!((status.as_u16(), &told["enqueued"], &told["existing"]), (200, &json!(1000), &json!(0)));
    let ids: Vec<i64> = told["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_i64().unwrap()).collect();
    let in_order = db.client.query("select id from jobs order by (args->>'n')::int", &[]).await.unwrap();
    assert_eq!(ids, in_order.iter().map(|row| row.get(0)).collect::<Vec<i64>>());
}

#[tokio::test]
async fn keys_that_are_there_are_told_and_spoil_nothing() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let job = |key: Option<&str>| json!({"kind": "sync_city", "idempotency_key": key});
    let (_, first) = api.post("/api/jobs", &job(Some("a"))).await;
    let (_, told) = api.post(PATH, &json!({"jobs": [job(Some("b")), job(Some("a")), job(None), job(Some("b"))]})).await;
    assert_eq!((&told["enqueued"], &told["existing"]), (&json!(2), &json!(2)));
    let existing: Vec<bool> = told["jobs"].as_array().unwrap().iter().map(|job| job["existing"] == true).collect();
    assert_eq!(existing, [false, true, false, true]);
    assert_eq!((&told["jobs"][1]["id"], &told["jobs"][3]["id"]), (&first["id"], &told["jobs"][0]["id"]));
    assert_eq!(db.number("select count(*) from jobs").await, 3);
}

#[tokio::test]
async fn a_bad_job_refuses_all_and_is_named() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let good = json!({"kind": "sync_city"});
    let unreadable = [good.clone(), json!({"kind": "sync_city", "priority": "high"}), json!({"lane": "a"}), json!(7)];
    let refused = api.post(PATH, &json!({"jobs": unreadable})).await;
    is_error(&refused, 400, "bad_request");
    let places = |refused: &Value| -> Vec<Value> {
        let faults = refused["error"]["jobs"].as_array().unwrap().iter();
        faults.map(|fault| json!([fault["index"], fault["field"]])).collect()
    };
    assert_eq!(places(&refused.1), [json!([1, "priority"]), json!([2, "kind"]), json!([3, null])]);
    assert!(refused.1["error"]["message"].as_str().unwrap().starts_with("jobs[1].priority: "), "{refused:?}");
    let unusable = [good.clone(), json!({"kind": "nonsense"}), json!({"kind": "sync_city", "lane": ""})];
    let refused = api.post(PATH, &json!({"jobs": unusable})).await;
    assert_eq!(places(&refused.1), [json!([1, "kind"]), json!([2, "lane"])]);
    let many: Vec<Value> = (0..1000).map(|_| json!({"kind": "nonsense"})).collect();
    let refused = api.post(PATH, &json!({"jobs": many})).await;
    assert_eq!(refused.1["error"]["jobs"].as_array().unwrap().len(), 10);
    // Each alone could be read: only the parser knows.
    let twice = r#"{"jobs": [{"kind": "sync_city"}, {"kind": "sync_city", "kind": "sync_city"}]}"#;
    let refused = api.raw(PATH, twice).await;
    is_error(&refused, 400, "bad_request");
    let message = refused.1["error"]["message"].as_str().unwrap();
    assert!(message.contains("duplicate field `kind`") && message.contains("line 1 column"), "{message}");
    for bad in
        [json!({}), json!({"jobs": []}), jobs(0..1001), json!({"jobs": {}}), json!([]), json!({"jobs": [], "a": 1})]
    {
        is_error(&api.post(PATH, &bad).await, 400, "bad_request");
    }
    assert_eq!(db.number("select count(*) from jobs").await, 0);
}

#[tokio::test]
async fn its_jobs_are_counted_by_a_rate_of_their_own() {
    let db = TestLedger::new().await;
    let rates = Rates { bulk_jobs: 1, bulk_jobs_burst: 1000, ..Rates::default() };
    let settings = HttpSettings { rates, ..HttpSettings::default() };
    let api = Server { settings, ..Server::on(&db.config) }.start().await;
    assert_eq!(api.post(PATH, &jobs(0..600)).await.0.as_u16(), 200);
    let request = api.request(reqwest::Method::POST, PATH).json(&jobs(0..600));
    let response = request.send().await.unwrap();
    assert_eq!(response.status().as_u16(), 429);
    let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((100..=200).contains(&wait), "{wait}");
    assert_eq!(api.post("/api/jobs", &json!({"kind": "sync_city"})).await.0.as_u16(), 201);
    assert_eq!(db.number("select count(*) from jobs").await, 601);
}
