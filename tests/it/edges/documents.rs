//! Documents and answers made to exhaust a worker: a real one survives them, and says what was wrong.

use super::process::{PATIENCE, Process};
use crate::{
    documents::made::{page_objects, pdf},
    fixtures::made,
    support::TestLedger,
    vendor::site::{Answer, Site},
};
use docket::{
    civic::{model::Fingerprint, store::documents},
    fleet::job::{JobId, NewJob},
};
use serde_json::{Value, json};
use std::{fs, time::Duration};
use tokio::time::{sleep, timeout};

/// No answer and no document may cost more than this.
const MAX_GROWTH_MIB: u64 = 64;

/// A worker without a broker.
async fn worker(db: &TestLedger, slots: u32, more: &[(&str, &str)]) -> Process {
    let vars = [&[("DATABASE_URL", db.url.as_str()), ("AMQP_URL", "amqp://127.0.0.1:1")], more].concat();
    Process::start(&format!("worker --slots {slots}"), &vars).await
}

/// Waits until the jobs have ended; bombs take a minute each at most, and two run at once.
async fn ended(db: &TestLedger) {
    let all = async {
        while db.number("select count(*) from jobs where finished_at is null").await > 0 {
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(5 * PATIENCE, all).await.expect("they end");
}

/// Objects within objects, deeper than any reader's stack.
fn deep() -> Vec<u8> {
    let mut objects = page_objects(&[]);
    objects[0] = format!("<</Type/Catalog/Pages 2 0 R/X {}1{}>>", "<</A ".repeat(100_000), ">>".repeat(100_000));
    pdf(&objects)
}

/// A table of contents whose predecessor is itself.
fn circle() -> Vec<u8> {
    let text = String::from_utf8(pdf(&page_objects(&["x"]))).unwrap();
    let table = text.rfind("xref\n0").unwrap();
    text.replace("/Root 1 0 R>>", &format!("/Root 1 0 R/Prev {table}>>")).into_bytes()
}

/// An archive with a name that says otherwise: nothing unpacks it.
fn archive() -> Vec<u8> {
    [b"PK\x03\x04".as_slice(), &made("zeros_8_mib.gz")].concat()
}

async fn extract(db: &TestLedger, content: &[u8]) -> JobId {
    let sha256 = Fingerprint::of_bytes(content);
    documents::put(&db.client, &sha256, "pdf", content).await.unwrap();
    let args = json!({"sha256": sha256, "reference": 1, "revision": 1});
    db.enqueue(NewJob::new("extract_document", &args).unwrap()).await
}

/// Processes below this one.
fn children(pid: u32) -> String {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().map(Result::unwrap);
    tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bombs_end_with_a_flag_and_cost_the_worker_nothing() {
    let db = TestLedger::new().await;
    let mut worker = worker(&db, 2, &[]).await;
    worker.until_ready(200).await;
    let rss = worker.rss_mib();
    let bombs = [made("pdf/one_gib_of_blanks.pdf"), deep(), circle(), archive(), b"%PDF-1.7\n".repeat(100_000)];
    for bomb in &bombs {
        extract(&db, bomb).await;
    }
    ended(&db).await;
    let rows = db.client.query("select status::text, output from jobs order by id", &[]).await.unwrap();
    for (row, bomb) in rows.iter().zip(&bombs) {
        let (status, output): (String, Option<Value>) = (row.get(0), row.get(1));
        let start = String::from_utf8_lossy(&bomb[..20]).into_owned();
        let flags = output.as_ref().and_then(|output| output["flags"].as_array()).map_or(0, Vec::len);
        assert!(status == "completed" && flags > 0, "{start:?} ended {status} with {output:?}");
    }
    let peak = worker.peak_mib();
    assert!(peak < rss + MAX_GROWTH_MIB, "{rss} MiB became {peak}");
    assert!(worker.is_alive() && children(worker.pid()).is_empty(), "it lives, and its children are gone");
    eprintln!("{} bombs: a worker of {rss} MiB had {peak} at most", bombs.len());
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_body_costs_no_more_than_the_largest_document() {
    let db = TestLedger::new().await;
    let site = Site::start(|path| match path {
        "/endless" => Answer::Forever(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'%'; 256 << 10], Duration::ZERO),
        _ => Answer::Silence(b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n".to_vec()),
    })
    .await;
    let mut worker = worker(&db, 1, &[("DOCKET_ALLOW_HOSTS", &site.addr.to_string())]).await;
    worker.until_ready(200).await;
    let rss = worker.rss_mib();
    for path in ["/endless", "/promised", "/endless"] {
        let args = json!({"reference": 1, "revision": 1, "url": site.url(path), "vendor": "legistar"});
        db.enqueue(NewJob::new("fetch_document", &args).unwrap()).await;
    }
    ended(&db).await;
    let refused = "select count(*) from jobs where status = 'failed' and error_class = 'too_large'";
    assert_eq!(db.number(refused).await, 3);
    let peak = worker.peak_mib();
    assert!(peak < rss + MAX_GROWTH_MIB, "{rss} MiB became {peak}");
    assert!(worker.is_alive());
    eprintln!("an endless body: a worker of {rss} MiB had {peak} at most");
    worker.stop().await;
}
