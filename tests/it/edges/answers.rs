//! A browser that is led to any answer finds nothing to run, and no other site may read it.

use crate::{api::support::Server, support::TestLedger};
use reqwest::Method;
use serde_json::json;

/// What would run if an answer were taken for a page.
const SCRIPTS: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "javascript:alert(1)",
    "<!DOCTYPE html><html><body>",
    "\u{feff}<?xml version=\"1.0\"?><x xmlns=\"http://www.w3.org/1999/xhtml\"/>",
];

#[tokio::test]
async fn no_answer_is_a_page() {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let (mut paths, mut kinds) = (Vec::new(), 0);
    for text in SCRIPTS {
        let body = json!({"kind": text, "lane": text, "idempotency_key": text, "args": {text: text}, "force": true});
        let (status, told) = api.post("/api/jobs", &body).await;
        assert_eq!(status.as_u16(), 201, "{told}");
        let word = url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        for path in [
            format!("/api/jobs/{}", told["id"]),
            format!("/api/jobs?kind={word}"),
            format!("/api/jobs?status={word}"),
            format!("/api/jobs?{word}=1"),
            format!("/api/jobs/{word}"),
            format!("/{word}"),
        ] {
            paths.push((Method::GET, path));
        }
        paths.push((Method::POST, format!("/api/lanes/{word}/pause")));
        paths.push((Method::DELETE, format!("/api/jobs/{word}")));
    }
    let fixed =
        ["/metrics", "/livez", "/readyz", "/api/lanes", "/api/queue-stats", "/api/dead-letters", "/api/openapi.json"];
    paths.extend(fixed.map(|path| (Method::GET, path.to_owned())));
    for (method, path) in paths {
        let response = api.request(method.clone(), &path).header("accept", "text/html").send().await.unwrap();
        let headers = response.headers();
        assert!(response.status().as_u16() < 500, "{method} {path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{method} {path}");
        let kind = headers["content-type"].to_str().unwrap().to_owned();
        assert!(kind == "application/json" || kind.starts_with("text/plain; version="), "{method} {path}: {kind}");
        for name in ["access-control-allow-origin", "set-cookie", "location", "refresh"] {
            assert!(!headers.contains_key(name), "{method} {path} has {name}");
        }
        kinds += 1;
    }
    assert!(kinds > 50);
}
