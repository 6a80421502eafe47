//! Fifty strings that would be SQL if any statement were put together from them, in every place that takes text.

use crate::{
    api::support::{Api, Server},
    support::TestLedger,
};
use docket::fleet::job::Status;
use reqwest::Method;
use serde_json::{Value, json};

/// Kinds and lanes that only a leak could show.
const HIDDEN: &str = "only-a-leak-shows-this";

const STRINGS: [&str; 50] = [
    "'",
    "''",
    "\"",
    "\\'",
    "\\",
    "`",
    ";",
    "--",
    "/*",
    "*/",
    "' or '1'='1",
    "' or 1=1 --",
    "' or 1=1 /*",
    "') or ('1'='1",
    "')) or 1=1 --",
    "\" or \"\"=\"",
    "1 or 1=1",
    "1) or (1=1",
    "0 or true",
    "or 1=1#",
    "'; drop table jobs; --",
    "'; delete from jobs; --",
    "'); truncate jobs cascade; --",
    "'; update jobs set status='cancelled', epoch=epoch+1, finished_at=now(); --",
    "'; insert into jobs (kind) values ('injected'); --",
    "' union select 1 --",
    "' union all select null, null, null --",
    "' union select kind from jobs --",
    "-1 union select version()",
    "'||(select kind from jobs limit 1)||'",
    "'||pg_sleep(10)||'",
    "'; select pg_sleep(10); --",
    "1; select pg_sleep(10)",
    "' and 1=cast((select kind from jobs limit 1) as int) --",
    "' and extractvalue(1, concat(0x7e, version())) --",
    "' order by 99 --",
    "' group by kind having 1=1 --",
    "'; copy jobs to program 'id'; --",
    "'; create role evil superuser; --",
    "$$; drop table jobs; $$",
    "$1",
    "${jndi:ldap://h/a}",
    "{{7*7}}",
    "%27%20or%201%3D1",
    "%' or kind like '%",
    "_%",
    "E'\\047 or 1=1'",
    "U&'\\0027 or 1=1'",
    "\u{2019} or \u{2019}1\u{2019}=\u{2019}1",
    "\u{ff07} or 1=1 --",
];

/// What a read may answer: nothing, or that it can't be.
fn is_harmless(place: &str, text: &str, (status, body): &(reqwest::StatusCode, Value)) {
    assert!(status.as_u16() < 500, "{place} with {text:?}: {status} {body}");
    assert!(!body.to_string().contains(HIDDEN), "{place} with {text:?} leaks: {body}");
    if status.is_success() && body.get("items").is_some() {
        assert_eq!(body["items"], json!([]), "{place} with {text:?}");
    }
}

async fn query(api: &Api, path: &str, name: &str, text: &str) {
    is_harmless(&format!("{path}?{name}"), text, &get(api, path, &[(name, text)]).await);
}

/// The path with these parameters, as a careful client writes them.
async fn get(api: &Api, path: &str, pairs: &[(&str, &str)]) -> (reqwest::StatusCode, Value) {
    let url = reqwest::Url::parse_with_params(&format!("http://{}{path}", api.addr), pairs).unwrap();
    api.send(api.client.get(url)).await
}

async fn segment(api: &Api, method: Method, path: &str, text: &str) -> u16 {
    let mut url = reqwest::Url::parse(&format!("http://{}/", api.addr)).unwrap();
    url.path_segments_mut().unwrap().pop().extend(path.split('/').map(|part| if part == "{}" { text } else { part }));
    let answer = api.send(api.client.request(method, url)).await;
    is_harmless(path, text, &answer);
    answer.0.as_u16()
}

#[tokio::test]
async fn fifty_strings_leak_nothing_change_nothing_and_break_nothing() {
    let db = TestLedger::new().await;
    let waiting = db.job(HIDDEN).await;
    let dead = db.job(HIDDEN).await;
    db.bring(dead, Status::DeadLetter).await;
    let api = Server::on(&db.config).start().await;
    for text in STRINGS {
        for (path, name) in [
            ("/api/jobs", "status"),
            ("/api/jobs", "kind"),
            ("/api/jobs", "lane"),
            ("/api/jobs", "before"),
            ("/api/jobs", "limit"),
            ("/api/dead-letters", "before"),
            ("/api/dead-letters", "limit"),
            ("/api/queue-stats", "exact"),
            ("/api/jobs", text),
        ] {
            query(&api, path, name, text).await;
        }
        for (method, path) in
            [(Method::GET, "api/jobs/{}"), (Method::POST, "api/jobs/{}/cancel"), (Method::POST, "api/jobs/{}/requeue")]
        {
            assert!(matches!(segment(&api, method, path, text).await, 400 | 404), "{path} with {text:?}");
        }
        for path in ["/api/dead-letters/requeue", "/api/dead-letters/discard"] {
            let answer = api.post(path, &json!({"kind": text})).await;
            is_harmless(path, text, &answer);
            assert_eq!(answer.1["done"], json!([]), "{path} with {text:?}");
            is_harmless(path, text, &api.post(path, &json!({"ids": [text]})).await);
        }
    }
    let untouched = "select count(*) from jobs where kind = $1 and status in ('pending', 'dead_letter')";
    assert_eq!(db.client.query_one(untouched, &[&HIDDEN]).await.unwrap().get::<_, i64>(0), 2, "job {waiting}");
    assert_eq!(db.number("select count(*) from jobs").await, 2);
    assert_eq!(db.number("select count(*) from paused_lanes").await, 0);
}

#[tokio::test]
async fn what_is_stored_is_what_was_sent() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    for (n, text) in STRINGS.iter().enumerate() {
        let job = json!({"kind": text, "lane": text, "idempotency_key": text, "args": {*text: text}, "force": true});
        let answer = api.post("/api/jobs", &job).await;
        assert_eq!(answer.0.as_u16(), 201, "{text:?}: {answer:?}");
        let bulk = api.post("/api/jobs/bulk", &json!({"jobs": [job]})).await;
        assert!(bulk.0.is_success() && bulk.1.to_string().contains("existing"), "{text:?}: {bulk:?}");
        let listed = get(&api, "/api/jobs", &[("kind", text), ("lane", text)]).await;
        assert_eq!(listed.1["items"].as_array().map(Vec::len), Some(1), "{text:?}: {listed:?}");
        let (_, shown) = api.get(&format!("/api/jobs/{}", answer.1["id"])).await;
        for field in ["kind", "lane", "idempotency_key"] {
            assert_eq!(shown[field], *text, "{shown}");
        }
        assert_eq!(shown["args"], json!({*text: text}));
        assert_eq!(segment(&api, Method::POST, "api/lanes/{}/pause", text).await, 200, "{text:?}");
        assert_eq!(db.number("select count(*) from paused_lanes").await, i64::try_from(n).unwrap() + 1);
    }
    assert_eq!(db.number("select count(*) from jobs").await, 50);
    assert_eq!(db.number("select count(*) from pg_roles where rolname = 'evil'").await, 0);
}
