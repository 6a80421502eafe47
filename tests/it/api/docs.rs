//! The examples of docs/API.md, as they stand there, against a real server.

use super::support::{Api, Server, tokens};
use crate::support::{TestLedger, examples, run_example};
use docket::{fleet::job::Status, http::HttpSettings};

const PAGE: &str = include_str!("../../../docs/API.md");

async fn guarded(db: &TestLedger) -> (Api, String) {
    let (tokens, [_, operator, _]) = tokens();
    let settings = HttpSettings { tokens, ..HttpSettings::default() };
    (Server { settings, ..Server::on(&db.config) }.start().await, operator)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_work() {
    let db = TestLedger::new().await;
    let (api, token) = guarded(&db).await;
    let languages: [(&str, &[&str], usize); 2] = [("sh", &["sh", "-eu"], 8), ("python", &["/usr/bin/python3", "-"], 2)];
    for (language, program, least) in languages {
        let blocks = examples(PAGE, language);
        assert!(blocks.len() >= least, "{} blocks of {language}", blocks.len());
        for block in blocks {
            let variables = [
                ("DOCKET", format!("http://{}", api.addr)),
                ("TOKEN", token.clone()),
                ("JOB", db.job("greet").await.to_string()),
                ("DEAD", db.job_in(Status::DeadLetter).await.to_string()),
            ];
            let told = run_example(program, block, &variables).await;
            assert!(!told.is_empty(), "{block}");
            // What the page shows on purpose is a key that is taken.
            let told = told.replace(r#""code":"exists""#, "");
            assert!(!told.contains(r#""code":"#), "{block}\n{told}");
        }
    }
    for key in ["seattle-2", "seattle-4"] {
        assert_eq!(db.number(&format!("select count(*) from jobs where idempotency_key = '{key}'")).await, 1);
    }
    let acts = "select count(distinct event) from job_events where actor = 'api:operator'";
    assert_eq!(db.number(acts).await, 3, "cancelled, requeued, discarded");
}
