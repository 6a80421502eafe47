//! `docket token`, `docket lanes`, and a server's file of tokens.

use super::process::{docket, docket_args};
use crate::support::{TestDb, TestLedger};
use serde_json::json;
use std::{fs, os::unix::fs::PermissionsExt};

#[tokio::test]
async fn a_new_token_is_printed_once_with_its_entry() {
    let told = docket("token new --name ci --role operator").json().await;
    let (token, entry) = (told["token"].as_str().unwrap(), told["entry"].as_str().unwrap());
    assert!(token.starts_with("docket_") && token.len() > 60, "{told}");
    assert!(entry.starts_with("[[token]]\n") && entry.contains(told["sha256"].as_str().unwrap()), "{entry}");
    assert!(
        !entry.contains(token) && entry.contains("name = \"ci\"") && entry.contains("role = \"operator\""),
        "{entry}"
    );
    let shown = docket("token new --name ci --role viewer").run().await;
    assert_eq!((shown.code, shown.stdout.matches("docket_").count()), (0, 1), "{shown:?}");
    docket_args(&["token", "new", "--name", "a b", "--role", "viewer"]).fails(64, &["--name"]).await;
    docket("token new --name ci --role root").fails(64, &["viewer", "operator", "admin"]).await;
}

#[tokio::test]
async fn a_server_refuses_a_file_of_tokens_that_it_cant_trust() {
    let db = TestDb::migrated().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.toml");
    let path = path.to_str().unwrap();
    let entry = docket("token new --name ci --role viewer").json().await["entry"].as_str().unwrap().to_owned();
    let server = || {
        let server = docket("server --http 127.0.0.1:0 --no-wait").database(db.url());
        server.env("AMQP_URL", "amqp://127.0.0.1:1").env("DOCKET_HTTP_TOKENS_FILE", path)
    };
    server().fails(64, &["DOCKET_HTTP_TOKENS_FILE", path]).await;
    for (text, mode, said) in [
        (entry.clone(), 0o644, "chmod o-rwx"),
        (String::new(), 0o600, "0 tokens"),
        ("[[token".to_owned(), 0o600, "no list of tokens"),
        (format!("{entry}\n{entry}"), 0o600, "token 2"),
    ] {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        server().fails(64, &["DOCKET_HTTP_TOKENS_FILE", said]).await;
    }
    // The file is fine: what it lacks now is a broker.
    fs::write(path, entry).unwrap();
    assert_eq!(server().run().await.code, 69);
}

#[tokio::test]
async fn lanes_are_listed_paused_and_resumed() {
    let db = TestLedger::new().await;
    db.job("greet").await;
    let run = |args: &str| docket(args).database(&db.url);
    let told = |paused: bool, changed: bool| json!({"lane": "default", "paused": paused, "changed": changed});
    assert_eq!(run("lanes pause default").json().await, told(true, true));
    assert_eq!(run("lanes pause default").json().await, told(true, false));
    let list = run("lanes list").json().await;
    let lane = &list["items"][0];
    assert_eq!((&lane["lane"], &lane["paused"], &lane["runnable"]), (&json!("default"), &json!(true), &json!(1)));
    assert!(lane["paused_by"].as_str().unwrap().starts_with("cli:"), "{lane}");
    let table = run("lanes list").run().await.stdout;
    assert!(table.contains("default") && table.contains("cli:"), "{table}");
    assert_eq!(run("lanes resume default").json().await, told(false, true));
    assert_eq!(run("lanes resume default").json().await, told(false, false));
    docket_args(&["lanes", "pause", ""]).database(&db.url).fails(64, &["lane"]).await;
}
