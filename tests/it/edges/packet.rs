//! A packet of thousands of pages: what it costs the worker, and the program that reads it.

use super::process::{PATIENCE, Process};
use crate::{documents::made::pages, support::TestLedger};
use docket::{
    civic::{model::Fingerprint, store::documents},
    fleet::job::NewJob,
};
use serde_json::json;
use std::{fs, time::Duration};
use tokio::time::{sleep, timeout};

/// As many as the longest packet that is known.
const PAGES: usize = 2_155;
/// What it may cost, in MiB.
const MAX_GROWTH: u64 = 16;
const MAX_CHILD: u64 = 300;

/// A page of 25 lines.
fn page(number: usize) -> String {
    let line = |n| format!("{number}.{n} The council will consider the budget of the department of parks");
    (1..=25).map(line).collect::<Vec<_>>().join(") Tj 0 -12 Td (")
}

/// The most memory that any process below this one has had, in KiB.
fn peak_of_children(pid: u32) -> u64 {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return 0 };
    let children = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let peak = |child: &str| {
        let status = fs::read_to_string(format!("/proc/{child}/status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
    };
    children.flat_map(|list| list.split_whitespace().filter_map(peak).collect::<Vec<u64>>()).max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_packet_of_2155_pages_stays_within_its_memory() {
    let db = TestLedger::new().await;
    let lines: Vec<String> = (1..=PAGES).map(page).collect();
    let packet = pages(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let vars = [("DATABASE_URL", db.url.as_str()), ("AMQP_URL", "amqp://127.0.0.1:1")];
    let mut worker = Process::start("worker --slots 1", &vars).await;
    worker.until_ready(200).await;
    // A first one, so that what every document needs (pools, statements, buffers) is there.
    for content in [pages(&[page(1).as_str()]), packet.clone()] {
        let sha256 = Fingerprint::of_bytes(&content);
        documents::put(&db.client, &sha256, "pdf", &content).await.unwrap();
        let before = worker.rss_mib();
        let args = json!({"sha256": sha256, "reference": 1, "revision": 1});
        let id = db.enqueue(NewJob::new("extract_document", &args).unwrap()).await;
        let mut child = 0;
        let ended = async {
            while db.number(&format!("select count(*) from jobs where id = {id} and finished_at is null")).await > 0 {
                for _ in 0..20 {
                    child = child.max(peak_of_children(worker.pid()));
                    sleep(Duration::from_millis(2)).await;
                }
            }
        };
        timeout(PATIENCE, ended).await.expect("it ends");
        let grown = worker.peak_mib().saturating_sub(before);
        let child = child / 1024;
        eprintln!(
            "{} MB: a worker of {before} MiB grew by {grown}, its largest child had {child}",
            content.len() >> 20
        );
        assert!(grown <= MAX_GROWTH && child < MAX_CHILD, "{grown} MiB, a child of {child} MiB");
    }
    let row = db
        .client
        .query_one(
            "select pages, chars, cardinality(page_chars), flags from extractions order by pages desc limit 1",
            &[],
        )
        .await;
    let row = row.unwrap();
    let (pages, chars, judged, flags): (i32, i32, i32, Vec<String>) = (row.get(0), row.get(1), row.get(2), row.get(3));
    assert_eq!((pages, judged, flags), (2_155, 2_155, vec![]));
    assert!(chars > 3_000_000, "{chars}");
    assert!(worker.is_alive());
    worker.stop().await;
}
