//! Other bytes behind the same address.

use super::clerk::{Clerk, attachment, completed};
use crate::{documents::made::pages, vendor::site::answer};
use std::sync::{Arc, Mutex};

const FIRST: &str = "The council will consider the lease of the old library to the historical society for ten years.";
const SECOND: &str = "The council will consider the sale of the old library to a developer for two million dollars.";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swapped_bytes_are_seen_and_summarised_and_unchanged_ones_cost_one_304() {
    let (shown, address) = (Arc::new(Mutex::new(FIRST)), Arc::new(Mutex::new(String::new())));
    let clerk = {
        let (shown, address) = (shown.clone(), address.clone());
        let attachments = move || vec![attachment(1, "Report", &address.lock().unwrap())];
        Clerk::start(attachments, move |_, head| {
            let shown = *shown.lock().unwrap();
            let tag = format!("\"{}\"", if shown == FIRST { "v1" } else { "v2" });
            let headers = format!("Connection: close\r\nETag: {tag}\r\n");
            match head.to_ascii_lowercase().contains(&format!("if-none-match: {tag}")) {
                true => answer(304, &headers, ""),
                false => answer(200, &headers, pages(&[shown])),
            }
        })
        .await
    };
    *address.lock().unwrap() = clerk.site.url("/a.pdf");
    clerk.sync().await;
    assert!(clerk.summary().await.contains("ten years"), "{}", clerk.summary().await);
    let before = clerk.count("summaries").await;

    let ends = clerk.sync().await;
    assert_eq!(completed(&ends), [("fetch_document", 1), ("fetch_meeting", 1), ("sync_city", 1)]);
    assert_eq!((clerk.asked("/a.pdf"), clerk.count("documents").await), (2, 1));
    assert_eq!((clerk.count("document_changes").await, clerk.count("summaries").await), (0, before));
    assert_eq!(clerk.count("document_refs where checked_at > fetched_at").await, 1);

    *shown.lock().unwrap() = SECOND;
    let ends = clerk.sync().await;
    let once =
        ["extract_document", "fetch_document", "fetch_meeting", "summarise_item", "summarise_meeting", "sync_city"];
    assert_eq!(completed(&ends), once.map(|kind| (kind, 1)), "{ends:?} {:?}", clerk.site.asked().last());
    assert!(clerk.summary().await.contains("two million dollars"), "{}", clerk.summary().await);
    let change = "document_changes c join document_refs d on d.id = c.ref_id and d.sha256 = c.new_sha256";
    assert_eq!((clerk.count(change).await, clerk.count("documents").await), (1, 2));
    assert_eq!(clerk.count("summaries where body like '%ten years%' and subject_kind = 'item'").await, 1, "it is kept");
    assert_eq!(clerk.count("meeting_revisions").await, 1, "the agenda says what it said");
    assert!(clerk.client.execute("update document_changes set seen_at = now()", &[]).await.is_err());

    *shown.lock().unwrap() = FIRST;
    clerk.sync().await;
    assert!(clerk.summary().await.contains("ten years"), "what returns is news again");
    assert_eq!((clerk.count("document_changes").await, clerk.count("documents").await), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_without_marks_of_a_version_is_asked_and_nothing_follows() {
    let address = Arc::new(Mutex::new(String::new()));
    let clerk = {
        let address = address.clone();
        Clerk::start(
            move || vec![attachment(1, "Report", &address.lock().unwrap())],
            |_, _| answer(200, "Connection: close\r\n", pages(&[FIRST])),
        )
        .await
    };
    *address.lock().unwrap() = clerk.site.url("/a.pdf");
    clerk.sync().await;
    let ends = clerk.sync().await;
    assert_eq!(completed(&ends), [("fetch_document", 1), ("fetch_meeting", 1), ("sync_city", 1)]);
    // A document that has gone costs its job, and nothing else.
    assert_eq!(clerk.count("document_changes").await, 0);
}
