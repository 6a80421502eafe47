//! `docket enqueue` and `docket cities`.

use super::process::{docket, docket_args};
use crate::support::{TestDb, TestLedger};
use docket::fleet::job::MAX_ARGS_BYTES;
use serde_json::{Value, json};

const ARGS: &str = r#"{"city":"seattle-wa","slot":1}"#;

#[tokio::test]
async fn a_kind_brings_its_own_defaults_and_a_key_is_taken_once() {
    let db = TestDb::migrated().await;
    let enqueue = || docket_args(&["enqueue", "sync_city", "--args", ARGS, "--key", "k"]).database(db.url());
    let first = enqueue().json().await;
    assert_eq!((&first["existing"], &first["lane"]), (&json!(false), &json!("default")));
    let second = enqueue().json().await;
    assert_eq!((&second["existing"], &second["id"]), (&json!(true), &first["id"]));
    let told = enqueue().run().await;
    assert_eq!(told.code, 0);
    assert!(told.stdout.contains(&format!("job {}", first["id"])), "{told:?}");
    let job = docket(&format!("jobs show {}", first["id"])).database(db.url()).json().await;
    assert_eq!(
        (&job["args"]["city"], &job["priority"], &job["max_attempts"]),
        (&json!("seattle-wa"), &json!(100), &json!(3))
    );
}

#[tokio::test]
async fn what_is_said_wins_over_defaults() {
    let db = TestDb::migrated().await;
    let line =
        "enqueue sync_city --lane slow --priority -5 --max-attempts 7 --run-at 2999-01-01T00:00:00Z --args-file -";
    let told = docket(line).database(db.url()).stdin(ARGS.as_bytes()).json().await;
    let job = docket(&format!("jobs show {}", told["id"])).database(db.url()).json().await;
    assert_eq!((&job["lane"], &job["priority"], &job["max_attempts"]), (&json!("slow"), &json!(-5), &json!(7)));
    assert_eq!((&job["hold"], &job["hold_until"]), (&json!("scheduled"), &json!("2999-01-01T00:00:00Z")));
}

#[tokio::test]
async fn unknown_kinds_need_force() {
    let db = TestDb::migrated().await;
    docket("enqueue greet").database(db.url()).fails(64, &["greet", "sync_city", "--force"]).await;
    let told = docket("enqueue greet --force").database(db.url()).json().await;
    assert_eq!(told["kind"], "greet");
}

#[tokio::test]
async fn bad_arguments_are_refused_before_anything_is_written() {
    let db = TestLedger::new().await;
    let url = db.url.as_str();
    for bad in ["{", "", "{\"a\":1}}", "nul", "{\"a\":\"\\ud800\"}", &"[".repeat(1000)] {
        docket_args(&["enqueue", "sync_city", "--args", bad]).database(url).fails(64, &["--args", "JSON"]).await;
    }
    docket_args(&["enqueue", "sync_city", "--args", r#""\u0000""#]).database(url).fails(64, &["U+0000"]).await;
    let file = || docket("enqueue sync_city --args-file -").database(url);
    let large = serde_json::to_vec(&"x".repeat(MAX_ARGS_BYTES)).unwrap();
    file().stdin(&large).fails(64, &["at most 65536"]).await;
    file().stdin(&vec![b' '; 2 << 20]).fails(64, &["more than"]).await;
    file().stdin(b"").fails(64, &["not JSON"]).await;
    docket("enqueue sync_city --args-file /nowhere/at/all").database(url).fails(64, &["/nowhere/at/all"]).await;
    docket_args(&["enqueue", "sync_city", "--key", ""]).database(url).fails(64, &["idempotency key"]).await;
    docket_args(&["enqueue", "sync_city", "--lane", "a\nb"]).database(url).fails(64, &["lane"]).await;
    assert_eq!(db.number("select count(*) from jobs").await, 0);
}

#[tokio::test]
async fn cities_are_added_listed_and_synced() {
    let db = TestDb::migrated().await;
    let run = |args: &[&str]| docket_args(args).database(db.url());
    let add = ["cities", "add", "seattle-wa", "--name", "Seattle, WA", "--zone", "America/Los_Angeles"];
    let source = ["--vendor", "legistar", "--client", "seattle", "--param", "attachment_base=a=b"];
    let add = [add.as_slice(), source.as_slice()].concat();
    let first = run(&add).json().await;
    assert_eq!(run(&add).json().await, first, "once more is the same");
    let list = run(&["cities", "list"]).json().await;
    let city = &list["items"][0];
    assert_eq!((&city["zone"], &city["synced_at"]), (&json!("America/Los_Angeles"), &Value::Null));
    assert_eq!(
        city["source"],
        json!({"vendor": "legistar", "client": "seattle", "params": {"attachment_base": "a=b"}})
    );
    assert!(run(&["cities", "list"]).run().await.stdout.contains("Seattle, WA"));
    let sync = run(&["cities", "sync", "seattle-wa"]).json().await;
    let job = run(&["jobs", "show", &sync["id"].to_string()]).json().await;
    assert_eq!((&job["kind"], &job["args"]["city"]), (&json!("sync_city"), &json!("seattle-wa")));

    run(&["cities", "sync", "atlantis"]).fails(64, &["atlantis", "seattle-wa"]).await;
    let mut other = add.clone();
    other[4] = "Another";
    run(&other).fails(64, &["exists already"]).await;
    other[2] = "No Slug";
    run(&other).fails(64, &["lower-case"]).await;
}
