//! The examples of docs/API.md, as they stand there, against a real server.

use super::support::{Api, Server, tokens};
use crate::support::TestLedger;
use docket::{fleet::job::Status, http::HttpSettings};
use std::process::{Output, Stdio};
use tokio::{io::AsyncWriteExt, process::Command};

const PAGE: &str = include_str!("../../../docs/API.md");

/// The contents of the fenced blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    PAGE.split(fence.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// Runs a program that reads its text from standard input. None: it isn't on this machine.
async fn run(program: &[&str], text: &str, env: &[(&str, String)]) -> Option<Output> {
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).envs(env.iter().map(|(name, value)| (name, value))).env("NO_PROXY", "*");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => panic!("{program:?}: {error}"),
    };
    child.stdin.take().unwrap().write_all(text.as_bytes()).await.unwrap();
    Some(child.wait_with_output().await.unwrap())
}

async fn guarded(db: &TestLedger) -> (Api, String) {
    let (tokens, [_, operator, _]) = tokens();
    let settings = HttpSettings { tokens, ..HttpSettings::default() };
    (Server { settings, ..Server::on(&db.config) }.start().await, operator)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_work() {
    let db = TestLedger::new().await;
    let (api, token) = guarded(&db).await;
    let has_curl = run(&["curl", "--version"], "", &[]).await.is_some();
    let languages: [(&str, &[&str], usize, bool); 2] =
        [("sh", &["sh", "-eu"], 8, has_curl), ("python", &["python3", "-"], 2, true)];
    for (language, program, least, can) in languages {
        let blocks = blocks(language);
        assert!(blocks.len() >= least, "{} blocks of {language}", blocks.len());
        for block in blocks {
            let env = [
                ("DOCKET", format!("http://{}", api.addr)),
                ("TOKEN", token.clone()),
                ("JOB", db.job("greet").await.to_string()),
                ("DEAD", db.job_in(Status::DeadLetter).await.to_string()),
            ];
            let Some(output) = (if can { run(program, block, &env).await } else { None }) else {
                println!("skipped: what runs {language} examples is not on this machine");
                break;
            };
            assert!(output.status.success() && !output.stdout.is_empty(), "{block}\n{output:?}");
            // What the page shows on purpose is a key that is taken.
            let told = String::from_utf8_lossy(&output.stdout).replace(r#""code":"exists""#, "");
            assert!(!told.contains(r#""code":"#), "{block}\n{told}");
        }
    }
    if has_curl {
        for key in ["seattle-2", "seattle-4"] {
            assert_eq!(db.number(&format!("select count(*) from jobs where idempotency_key = '{key}'")).await, 1);
        }
        let acts = "select count(distinct event) from job_events where actor = 'api:operator'";
        assert_eq!(db.number(acts).await, 3, "cancelled, requeued, discarded");
    }
}
