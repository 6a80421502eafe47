//! The document of the API against its routes.

use super::support::{Api, Server};
use crate::support::TestLedger;
use docket::fleet::job::Status;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn document() -> (TestLedger, Api, Value) {
    let db = TestLedger::new().await;
    let api = Server::on(&db.config).start().await;
    let (status, document) = api.get("/api/openapi.json").await;
    assert_eq!(status.as_u16(), 200);
    (db, api, document)
}

/// A path with something in the place of its parameters.
fn real(template: &str) -> String {
    template
        .replace("{id}", "4711")
        .replace("{lane}", "nowhere")
        .replace("{slug}", "nowhere")
        .replace("{sha256}", &"0".repeat(64))
}

#[tokio::test]
async fn the_document_and_the_routes_have_the_same_paths_and_methods() {
    let (_db, api, document) = document().await;
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 12, "{:?}", paths.keys());
    for (template, item) in paths {
        let told: BTreeSet<String> = item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        // What the router itself says that the path takes.
        let refused = api.request(Method::DELETE, &real(template)).send().await.unwrap();
        assert_eq!(refused.status().as_u16(), 405, "{template}");
        let allow = refused.headers()["allow"].to_str().unwrap().to_owned();
        let takes: BTreeSet<String> = allow.split(',').map(str::to_owned).filter(|method| method != "HEAD").collect();
        assert_eq!(told, takes, "{template}");
    }
    // Every route goes through the macro that documents it.
    let router = include_str!("../../../src/http/api/router.rs");
    let routes: usize = router.matches(".routes(routes!(").count();
    assert_eq!((routes, router.matches(".route(").count()), (paths.len(), 0));
}

#[tokio::test]
async fn every_example_is_accepted() {
    let (db, api, document) = document().await;
    db.job_in(Status::DeadLetter).await;
    let mut tried = 0;
    for (template, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            let Some(reference) = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str()
            else {
                continue;
            };
            let schema = document.pointer(&reference[1..]).unwrap_or_else(|| panic!("{reference}"));
            let (status, answer) = api.post(&real(template), &schema["example"]).await;
            assert!(status.is_success(), "{template}: {} {status} {answer}", schema["example"]);
            tried += 1;
        }
    }
    assert_eq!(tried, 4, "one, bulk, requeue, discard");
}

#[tokio::test]
async fn every_operation_tells_its_errors_and_every_reference_leads_somewhere() {
    let (_db, api, document) = document().await;
    for (template, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            for status in ["400", "401", "403", "429", "500", "503"] {
                assert!(responses.contains_key(status), "{method} {template} has no {status}");
            }
            assert_eq!(responses.contains_key("415"), method == "post", "{method} {template}");
            assert!(operation["summary"].is_string(), "{method} {template} has no summary");
        }
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
    let codes = &document["components"]["schemas"]["Error"]["properties"]["error"]["properties"]["code"]["enum"];
    let codes: BTreeSet<&str> = codes.as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    let source = include_str!("../../../src/http/problem.rs");
    let made: BTreeSet<&str> =
        source.split("Self::new(StatusCode::").skip(1).map(|rest| rest.split('"').nth(1).unwrap()).collect();
    assert_eq!(codes, made, "the codes that exist, and those that are told (and counted)");
    assert_eq!(api.get("/api/nothing").await.1["error"]["code"], json!("no_route"));
}
