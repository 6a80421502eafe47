//! Who may do what.

use super::support::{Api, Server, is_error, tokens};
use crate::{broker::support::LONG, support::TestLedger};
use docket::{
    fleet::job::Status,
    http::{HttpSettings, Rates},
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

async fn guarded(db: &TestLedger) -> (Api, [Api; 3]) {
    let (tokens, secrets) = tokens();
    let settings = HttpSettings { tokens, ..HttpSettings::default() };
    let api = Server { settings, ..Server::on(&db.config) }.start().await;
    let with = secrets.each_ref().map(|secret| api.with(secret));
    (api, with)
}

#[tokio::test]
async fn each_role_may_what_those_below_may() {
    let db = TestLedger::new().await;
    let (nobody, [viewer, operator, admin]) = guarded(&db).await;
    let plain = json!({"kind": "sync_city"});
    let urgent = json!({"kind": "sync_city", "priority": 101});
    let all = json!({"all": true});
    // (path, body, the least role: 1 operator, 2 admin)
    let writes = [
        ("/api/jobs", Some(&plain), 1),
        ("/api/jobs", Some(&urgent), 2),
        ("/api/jobs/bulk", Some(&json!({"jobs": [plain.clone()]})), 1),
        ("/api/jobs/bulk", Some(&json!({"jobs": [plain.clone(), urgent.clone()]})), 2),
        ("/api/dead-letters/requeue", Some(&json!({"kind": "a"})), 1),
        ("/api/dead-letters/requeue", Some(&all), 2),
        ("/api/dead-letters/discard", Some(&all), 2),
        ("/api/lanes/a/pause", None, 1),
        ("/api/lanes/a/resume", None, 1),
    ];
    for (path, body, least) in writes {
        let call = async |api: &Api| match body {
            Some(body) => api.post(path, body).await,
            None => api.act(path).await,
        };
        is_error(&call(&nobody).await, 401, "unauthorized");
        for (role, api) in [&viewer, &operator, &admin].into_iter().enumerate() {
            let answer = call(api).await;
            if role >= least {
                assert!(answer.0.is_success(), "{path} {answer:?}");
            } else {
                is_error(&answer, 403, "forbidden");
                // What is not for a viewer at all is refused before its body is read.
                let needs = if role == 0 { "operator" } else { "admin" };
                assert_eq!(answer.1["error"]["needs"], needs, "{path} {answer:?}");
            }
        }
    }
    for path in [
        "/api/jobs",
        "/api/queue-stats",
        "/api/lanes",
        "/api/dead-letters",
        "/api/cities",
        "/api/meetings",
        "/api/matters",
        "/api/changes",
        "/api/openapi.json",
    ] {
        assert_eq!(viewer.get(path).await.0.as_u16(), 200, "{path}");
        is_error(&nobody.get(path).await, 401, "unauthorized");
    }
}

#[tokio::test]
async fn events_name_the_token_and_never_show_it() {
    let db = TestLedger::new().await;
    let (_, [_, operator, _]) = guarded(&db).await;
    let id = db.job("greet").await;
    assert_eq!(operator.act(&format!("/api/jobs/{id}/cancel")).await.0.as_u16(), 200);
    operator.act("/api/lanes/slow/pause").await;
    assert_eq!(db.number("select count(*) from job_events where actor = 'api:operator'").await, 1);
    assert_eq!(db.number("select count(*) from paused_lanes where actor = 'api:operator'").await, 1);
    let (_, job) = operator.get(&format!("/api/jobs/{id}")).await;
    assert!(!job.to_string().contains("docket_"), "{job}");
}

#[tokio::test]
async fn without_a_token_pages_of_other_sites_change_nothing() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let dead = db.job_in(Status::DeadLetter).await;
    let body = json!({"kind": "sync_city"});
    let post = |path: &str| api.request(Method::POST, path);
    // What a form can send.
    let form = post("/api/jobs").header("content-type", "text/plain").body(body.to_string());
    is_error(&api.send(form).await, 415, "unsupported_media_type");
    for (name, value) in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        is_error(&api.send(post("/api/jobs").header(name, value).json(&body)).await, 403, "cross_site");
        is_error(&api.send(post(&format!("/api/jobs/{dead}/requeue")).header(name, value)).await, 403, "cross_site");
        is_error(&api.send(post("/api/lanes/default/pause").header(name, value)).await, 403, "cross_site");
    }
    // A name that was made to mean 127.0.0.1, for reading too.
    for request in [post("/api/jobs").json(&body), api.request(Method::GET, "/api/jobs")] {
        is_error(&api.send(request.header("host", "evil.example")).await, 403, "wrong_host");
    }
    assert_eq!(db.number("select count(*) from jobs where status = 'pending'").await, 0);
    assert_eq!(db.number("select count(*) from paused_lanes").await, 0);
    let own = post("/api/jobs").header("origin", format!("http://{}", api.addr)).json(&body);
    assert_eq!(api.send(own).await.0.as_u16(), 201);
}

#[tokio::test]
async fn reading_changes_nothing() {
    let db = TestLedger::new().await;
    let (dead, waiting) = (db.job_in(Status::DeadLetter).await, db.job("greet").await);
    let api = Server::on(&db.config).start().await;
    for path in [
        "/api/jobs/bulk".to_owned(),
        format!("/api/jobs/{waiting}/cancel"),
        format!("/api/jobs/{dead}/requeue"),
        "/api/dead-letters/discard".to_owned(),
        "/api/lanes/default/pause".to_owned(),
    ] {
        let (status, _) = api.get(&path).await;
        assert!(matches!(status.as_u16(), 400 | 405), "{path}: {status}");
        assert!(api.request(Method::HEAD, &path).send().await.unwrap().status().is_client_error(), "{path}");
    }
    assert_eq!((db.status(dead).await, db.status(waiting).await), (Status::DeadLetter, Status::Pending));
    assert_eq!(db.number("select count(*) from paused_lanes").await, 0);
}

#[tokio::test]
async fn each_token_has_a_rate_of_its_own() {
    let db = TestLedger::new().await;
    let (tokens, [viewer, operator, _]) = tokens();
    let rates = Rates { requests: 1, requests_burst: 3, ..Rates::default() };
    let settings = HttpSettings { tokens, rates, ..HttpSettings::default() };
    let api = Server { settings, ..Server::on(&db.config) }.start().await;
    let viewer = api.with(&viewer);
    let mut answers: Vec<u16> = Vec::new();
    for _ in 0..8 {
        answers.push(viewer.get("/api/lanes").await.0.as_u16());
    }
    assert!(answers.starts_with(&[200, 200, 200]) && answers.contains(&429), "{answers:?}");
    let refused = async {
        loop {
            let response = viewer.request(Method::GET, "/api/lanes").send().await.unwrap();
            if response.status().as_u16() == 429 {
                return response;
            }
        }
    };
    let response = timeout(LONG, refused).await.expect("its rate is spent");
    assert_eq!(response.headers()["retry-after"], "1");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "rate_limited");
    assert_eq!(api.with(&operator).get("/api/lanes").await.0.as_u16(), 200, "another token");
    assert_eq!(api.client.get(format!("http://{}/livez", api.addr)).send().await.unwrap().status().as_u16(), 200);
}
