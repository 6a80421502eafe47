//! A machine at its end: no room on its disks, no file descriptor left. The worker says so, lives, and recovers.

use super::process::{PATIENCE, Process};
use crate::{
    documents::made::pages,
    support::{TestLedger, Tiny, unique},
};
use docket::{
    civic::{model::Fingerprint, store::documents},
    fleet::job::{JobId, NewJob},
};
use serde_json::json;
use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use url::Url;

const NO_BROKER: &str = "amqp://127.0.0.1:1";
const LINE: &str = "Resolution 9: to accept the report on the bridge in Mill Lane, and to thank the committee";

async fn extract(db: &TestLedger, content: &[u8]) -> JobId {
    let sha256 = Fingerprint::of_bytes(content);
    documents::put(&db.client, &sha256, "pdf", content).await.unwrap();
    let args = json!({"sha256": sha256, "reference": 1, "revision": 1});
    db.enqueue(NewJob { max_attempts: 1, ..NewJob::new("extract_document", &args).unwrap() }).await
}

async fn end(db: &TestLedger, id: JobId) -> String {
    let ended = async {
        while db.column(id, "finished_at").await.is_none() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, ended).await.expect("it ends");
    let told = db.column(id, "format('%s %s %s', status, error_class, last_error)").await;
    told.expect("never null").trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_for_temporary_files_costs_only_the_job_that_needs_it() {
    let Some(tiny) = Tiny::mount("1m") else {
        eprintln!("\n!!! SKIPPED: only root may mount a file system of one MiB");
        return;
    };
    let db = TestLedger::new().await;
    let vars = [("DATABASE_URL", db.url.as_str()), ("AMQP_URL", NO_BROKER), ("TMPDIR", tiny.path().to_str().unwrap())];
    let mut worker = Process::start("worker", &vars).await;
    let large = pages(&vec![LINE; 12_000]);
    assert!(large.len() > 2 << 20, "{} bytes", large.len());
    let told = end(&db, extract(&db, &large).await).await;
    assert!(told.starts_with("dead_letter io ") && told.contains("No space left"), "{told}");
    let left: Vec<_> = std::fs::read_dir(tiny.path()).unwrap().collect();
    assert!(left.is_empty(), "half a file was left: {left:?}");
    assert_eq!(end(&db, extract(&db, &pages(&[LINE])).await).await, "completed");
    assert!(worker.is_alive());
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_for_logs_stops_no_work() {
    let db = TestLedger::new().await;
    let mut command = tokio::process::Command::new("sh");
    command.args([
        "-c",
        "exec \"$0\" worker --http 127.0.0.1:0 > /dev/full 2> /dev/full",
        env!("CARGO_BIN_EXE_docket"),
    ]);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DOCKET_")) {
        command.env_remove(name);
    }
    command.envs([("DATABASE_URL", db.url.as_str()), ("AMQP_URL", NO_BROKER), ("DOCKET_LOG", "debug")]);
    let mut worker = command
        .current_dir(Path::new(env!("CARGO_TARGET_TMPDIR")))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    for n in 0..20 {
        let line = format!("{LINE}, for the {n}th time");
        assert_eq!(end(&db, extract(&db, &pages(&[line.as_str()])).await).await, "completed");
    }
    assert!(worker.try_wait().unwrap().is_none(), "it lives");
    worker.kill().await.unwrap();
}

/// A connection that was open before there were none left. It is asked often enough not to be idle.
struct Kept(TcpStream);

impl Kept {
    async fn ready(&mut self) -> u16 {
        self.0.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        let text = loop {
            let mut chunk = [0; 4096];
            let read = self.0.read(&mut chunk).await.unwrap();
            assert!(read > 0, "it was closed");
            answer.extend_from_slice(&chunk[..read]);
            let text = String::from_utf8_lossy(&answer).into_owned();
            let length =
                |head: &str| head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            if let Some((head, body)) = text.split_once("\r\n\r\n")
                && length(head).is_some_and(|length| body.len() >= length)
            {
                break text;
            }
        };
        text[9..12].parse().unwrap()
    }

    async fn until(&mut self, status: u16) {
        let ready = async {
            while self.ready().await != status {
                sleep(Duration::from_millis(250)).await;
            }
        };
        timeout(PATIENCE, ready).await.unwrap_or_else(|_| panic!("/readyz never said {status}"));
    }
}

fn allow_files(pid: u32, files: &str) {
    let status = Command::new("prlimit").args([format!("--pid={pid}"), format!("--nofile={files}")]).status().unwrap();
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_file_descriptors_a_worker_is_not_ready_idles_and_recovers() {
    let db = TestLedger::new().await;
    let name = unique("exhausted");
    db.sql(&format!("create role {name} login superuser password 'x'")).await;
    let mut url = Url::parse(&db.url).unwrap();
    url.set_username(&name).unwrap();
    url.set_password(Some("x")).unwrap();
    let mut worker = Process::start("worker", &[("DATABASE_URL", url.as_str()), ("AMQP_URL", NO_BROKER)]).await;
    worker.until_ready(200).await;
    let mut kept = Kept(TcpStream::connect(worker.addr).await.unwrap());
    assert_eq!(kept.ready().await, 200);
    // What is open stays open; nothing new can be had, and every connection to the database ends.
    allow_files(worker.pid(), "4:");
    db.sql(&format!("select pg_terminate_backend(pid) from pg_stat_activity where usename = '{name}'")).await;
    kept.until(503).await;
    let waiting = TcpStream::connect(worker.addr).await.unwrap();
    let (before, begun) = (worker.cpu(), Instant::now());
    for _ in 0..20 {
        assert_eq!(kept.ready().await, 503);
        sleep(Duration::from_millis(250)).await;
    }
    let share = (worker.cpu() - before).as_secs_f64() / begun.elapsed().as_secs_f64();
    assert!(share < 0.2, "a processor was busy for {share:.2} of the time");
    allow_files(worker.pid(), "1024:");
    kept.until(200).await;
    drop(waiting);
    assert_eq!(end(&db, extract(&db, &pages(&[LINE])).await).await, "completed");
    assert!(worker.is_alive() && worker.has_logged("http.accept_failed"));
    let told = worker.log().matches("http.accept_failed").count();
    eprintln!("without file descriptors: {:.1} % of a processor, {told} lines about it", share * 100.0);
    worker.stop().await;
}
