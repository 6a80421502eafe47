//! Attachments that are no documents, or never arrive: each costs its own job, and the item is summarised from the rest.

use super::clerk::{Clerk, attachment};
use crate::{
    documents::made::pages,
    vendor::site::{Answer, answer},
};
use std::sync::{Arc, Mutex};

const TEXT: &str = "The council will consider the lease of the old library to the historical society for ten years.";
const PATHS: &[&str] =
    &["good.pdf", "empty.pdf", "huge.pdf", "cut.pdf", "circle.pdf", "rtf.pdf", "ruin.pdf", "missing.pdf", "page.pdf"];

fn reply(path: &str) -> Answer {
    let ok = |body: &[u8]| answer(200, "Connection: close\r\nContent-Type: application/pdf\r\n", body);
    match path {
        "/good.pdf" => ok(&pages(&[TEXT])),
        "/empty.pdf" => ok(b""),
        "/huge.pdf" => Answer::Silence(b"HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n".to_vec()),
        "/cut.pdf" => Answer::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n%PDF-1.4 and no more".to_vec()),
        "/circle.pdf" => answer(302, "Connection: close\r\nLocation: /circle.pdf\r\n", ""),
        "/rtf.pdf" => ok(b"{\\rtf1 minutes}"),
        "/ruin.pdf" => ok(b"%PDF-1.4 nothing follows"),
        "/page.pdf" => ok(b"<html><title>Not found</title><p>The page that you asked for was not found.</html>"),
        _ => answer(404, "Connection: close\r\n", "gone"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_attachments_cost_their_own_jobs_and_the_item_is_summarised_from_the_rest() {
    let root = Arc::new(Mutex::new(String::new()));
    let clerk = {
        let root = root.clone();
        let attachments = move || {
            let root = root.lock().unwrap();
            (1..).zip(PATHS).map(|(id, path)| attachment(id, path, &format!("{root}/{path}"))).collect()
        };
        Clerk::start(attachments, |path, _| reply(path)).await
    };
    *root.lock().unwrap() = clerk.site.url("");
    clerk.sync().await;
    assert!(clerk.summary().await.contains("ten years"), "{}", clerk.summary().await);
    let ended = async |path: &str| {
        let sql = "select status::text, coalesce(error_class::text, '') from jobs where kind = 'fetch_document' and args->>'url' like $1";
        let row = clerk.client.query_one(sql, &[&format!("%/{path}")]).await.unwrap();
        (row.get::<_, String>(0), row.get::<_, String>(1))
    };
    for (path, status, class) in [
        ("empty.pdf", "completed", ""),
        ("huge.pdf", "failed", "too_large"),
        ("cut.pdf", "dead_letter", "connect"),
        ("circle.pdf", "dead_letter", "malformed"),
        ("missing.pdf", "failed", "not_found"),
        ("ruin.pdf", "completed", ""),
    ] {
        assert_eq!(ended(path).await, (status.to_owned(), class.to_owned()), "{path}");
    }
    let flagged = async |path: &str| {
        let sql = "select e.flags from document_refs d join extractions e using (sha256) where d.url like $1";
        clerk.client.query_one(sql, &[&format!("%/{path}")]).await.unwrap().get::<_, Vec<String>>(0)
    };
    for (path, flags) in [
        ("good.pdf", vec![]),
        ("empty.pdf", vec!["empty"]),
        ("rtf.pdf", vec!["unsupported"]),
        ("ruin.pdf", vec!["damaged", "no_text"]),
        ("page.pdf", vec!["no_text"]),
    ] {
        assert_eq!(flagged(path).await, flags, "{path}");
    }
}
