//! The examples of the documents do what the documents say.

use crate::support::{TestLedger, login};
use std::time::Duration;
use tokio::process::Command;

/// The fenced blocks of a document in this language.
fn examples<'a>(document: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    document.split(&fence).skip(1).map(|rest| rest.split("\n```").next().expect("split gives one")).collect()
}

/// Runs an example with these variables; it must succeed.
async fn run(program: &str, code: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(program);
    command.args(["-c", code]).envs(variables.iter().copied()).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_mins(1), command.output()).await.expect("ends").expect(program);
    assert!(output.status.success(), "{program}: {code}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn the_examples_of_sql_enqueue() {
    let ledger = TestLedger::new().await;
    let mut url = url::Url::parse(&ledger.url).unwrap();
    let producer = login(&ledger.db, "docket_producer").await;
    url.set_username(producer.get_user().unwrap()).unwrap();
    url.set_password(Some(std::str::from_utf8(producer.get_password().unwrap()).unwrap())).unwrap();
    let variables = [("DATABASE_URL", url.as_str())];
    let document = include_str!("../../docs/SQL.md");
    let [shell] = examples(document, "sh")[..] else { panic!("one example for the shell") };
    let [python] = examples(document, "python")[..] else { panic!("one example for Python") };
    assert!(run("bash", shell, &variables).await.trim().ends_with("|f"));
    // Debian's own, because the package belongs to it: another one may stand before it in the PATH.
    assert!(run("/usr/bin/python3", python, &variables).await.ends_with("enqueued\n"));
    assert!(run("bash", shell, &variables).await.trim().ends_with("|t"), "the key is there");
    assert!(run("/usr/bin/python3", python, &variables).await.ends_with("was there already\n"));
    assert_eq!(ledger.number("select count(*) from jobs where kind = 'sync_city' and due").await, 2);
    assert_eq!(ledger.number("select count(*) from jobs where max_attempts = 5").await, 1);
}
