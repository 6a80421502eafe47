//! The server dies between a commit and its answer.

use crate::support::{LONG, died, jobs, trial};
use docket::fleet::crash::Point;
use serde_json::json;
use tokio::time::timeout;

#[test]
fn a_caller_without_an_answer_asks_again_and_gets_the_same_job() {
    trial("F16b", "server dies after an enqueue's commit, before its answer", async |t| {
        t.scheduler().await;
        t.worker(2).await;
        let server = t.mortal("server", Point::AfterEnqueue.as_str()).await;
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let mut job = jobs::body();
        job["idempotency_key"] = json!(format!("once-{}", std::process::id()));
        let ask = || client.post(format!("http://{}/api/jobs", server.address())).json(&job).timeout(LONG).send();
        ask().await.expect_err("it dies before it answers");
        let dead = died(&server).await;
        server.start().expect("it starts again");
        server.ready(LONG).await.expect("ready");
        let answer = timeout(LONG, ask()).await.expect("in time").expect("an answer");
        assert_eq!(answer.status().as_u16(), 409, "it is there already");
        t.measure("answered_seconds", dead.elapsed().as_secs_f64());
        let made = t.count("select count(*) from jobs where id > $1").await;
        assert_eq!(made, 1, "the first request's job, and no other");
        t.settled().await;
    });
}
