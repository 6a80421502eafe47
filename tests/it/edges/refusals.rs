//! Wrong passwords, malformed addresses, secrets in wrong places: what refuses to start says why, and not with what.

use super::{
    planted::Planted,
    secrets::{LOUD, Said, with_login},
};
use crate::{
    cli::process::docket_args,
    support::{TestLedger, TestVhost, services},
};
use serde_json::json;
use std::fs;
use tempfile::NamedTempFile;

/// A command line, and its variables.
struct Case(Vec<String>, Vec<(&'static str, String)>);

fn case<const N: usize>(line: &str, vars: [(&'static str, String); N]) -> Case {
    Case(line.split_ascii_whitespace().map(str::to_owned).collect(), vars.into())
}

fn file(text: String) -> (NamedTempFile, String) {
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    (file, path)
}

/// Servers that are there, with wrong passwords; servers that are not; addresses that are none.
async fn connections(db: &TestLedger, vhost: &TestVhost, secrets: &Planted) -> Vec<Case> {
    const DATABASE: &str = "DATABASE_URL";
    const AMQP: &str = "AMQP_URL";
    const MANAGEMENT: &str = "DOCKET_MANAGEMENT_URL";
    let Planted { database, amqp, management, .. } = secrets;
    let (good, broker) = (db.url.clone(), vhost.url().to_owned());
    let (wrong_database, wrong_amqp) = (with_login(&good, "nobody", database), with_login(&broker, "nobody", amqp));
    let wrong_management = with_login(&services().await.management_url, "nobody", management);
    let worker =
        |database: &str, amqp: String| case("worker --no-wait", [(DATABASE, database.to_owned()), (AMQP, amqp)]);
    vec![
        worker(&wrong_database, broker.clone()),
        worker(&format!("postgres://u:{database}@127.0.0.1:9/d"), broker.clone()),
        worker(&format!("postgres://u:{database}@h:port/d"), broker),
        case("migrate status", [(DATABASE, format!("postgres://u:{database}"))]),
        worker(&good, wrong_amqp.clone()),
        worker(&good, format!("amqp://u:{amqp}@127.0.0.1:9/")),
        worker(&good, format!("amqp://u:{amqp}@h:port")),
        case("topology check", [(MANAGEMENT, wrong_management.clone())]),
        case("topology apply", [(MANAGEMENT, format!("http://u:{management}@127.0.0.1:9"))]),
        case("topology check", [(MANAGEMENT, format!("http//u:{management}@h"))]),
        case("doctor --json", [(DATABASE, wrong_database), (AMQP, wrong_amqp), (MANAGEMENT, wrong_management)]),
    ]
}

#[tokio::test]
async fn what_refuses_to_start_tells_no_secret() {
    let (secrets, mut said) = (Planted::new(), Said::default());
    let (db, vhost) = (TestLedger::new().await, TestVhost::new(&json!({})).await);
    let Planted { database, token, key, vendor, .. } = &secrets;
    let short: String = token.chars().take(12).collect();
    let (_kept, whole) =
        file(format!("[http]\ntoken = \"{token}\"\n[database]\nurl = \"postgres://u:{database}@h/d\"\n"));
    let (_also, broken) = file(format!("[openai]\nkey = \"{key}\nurl = \"https://u:{vendor}@h\""));
    let servers = [("DATABASE_URL", db.url.clone()), ("AMQP_URL", vhost.url().to_owned())];
    let mut cases = connections(&db, &vhost, &secrets).await;
    cases.extend([
        case("server --http 0.0.0.0:0", [servers[0].clone(), servers[1].clone(), ("DOCKET_HTTP_TOKEN", short.clone())]),
        case(
            "worker",
            [
                servers[0].clone(),
                servers[1].clone(),
                ("DOCKET_SUMMARISER", "openai".to_owned()),
                ("DOCKET_OPENAI_KEY", key.clone()),
                ("DOCKET_OPENAI_URL", format!("https://u:{vendor}@h")),
            ],
        ),
        case(&format!("config check {whole}"), []),
        case(&format!("config check {broken}"), []),
        case(&format!("config show --set http.token={token}"), [("DOCKET_HTTP_TOKN", token.clone())]),
    ]);
    for Case(args, vars) in cases {
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let command = vars.iter().fold(docket_args(&words), |d, (name, value)| d.env(name, value));
        let ended = command.env("DOCKET_LOG", LOUD).run().await;
        // The arguments themselves are no leak of ours.
        let line = words[..2.min(words.len())].join(" ");
        assert_ne!(ended.code, 0, "{line} {ended:?}");
        assert!(!ended.stderr.is_empty() || !ended.stdout.is_empty(), "{line} says why");
        said.add(format!("docket {line}"), format!("{}{}", ended.stdout, ended.stderr));
    }
    said.holds_nothing_of(&secrets);
    assert!(!said.0.iter().any(|(_, text)| text.contains(&short)), "not even a part of the token");
}
