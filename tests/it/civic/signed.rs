//! Addresses that are signed and expire.

use super::{
    clerk::{Clerk, attachment, completed},
    support::total,
};
use crate::{documents::made::pages, vendor::site::answer};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

const TEXT: &str = "The council will consider the lease of the old library to the historical society for ten years.";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_address_is_asked_of_the_agenda_again_and_a_new_signature_is_no_news() {
    let (address, signed, valid) =
        (Arc::new(Mutex::new(String::new())), Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(2)));
    let clerk = {
        let (address, signed, valid) = (address.clone(), signed.clone(), valid.clone());
        let attachments = move || {
            let sig = signed.fetch_add(1, Ordering::SeqCst) + 1;
            vec![attachment(1, "Report", &format!("{}?sv=2021&se=2026&sp=r&id=7&sig={sig}", address.lock().unwrap()))]
        };
        Clerk::start(attachments, move |path, _| {
            let sig = path.rsplit_once("sig=").and_then(|(_, sig)| sig.parse().ok()).unwrap_or(0);
            match sig >= valid.load(Ordering::SeqCst) {
                true => answer(200, "Connection: close\r\n", pages(&[TEXT])),
                false => answer(403, "Connection: close\r\n", "AuthenticationFailed"),
            }
        })
        .await
    };
    *address.lock().unwrap() = clerk.site.url("/blob/a.pdf");
    let ends = clerk.sync().await;
    assert_eq!(total(&ends, "failed") + total(&ends, "dead_letter") + total(&ends, "retried"), 0, "{ends:?}");
    assert_eq!(signed.load(Ordering::SeqCst), 2, "the agenda was asked once more");
    assert!(clerk.summary().await.contains("ten years"));
    let plain =
        format!("document_refs where signed and url = '{}?id=7' and status = 'fetched'", clerk.site.url("/blob/a.pdf"));
    assert_eq!(clerk.count(&plain).await, 1);
    assert_eq!(clerk.count("meeting_revisions where content::text like '%sig=%'").await, 0, "a signature is not kept");

    let ends = clerk.sync().await;
    assert_eq!(completed(&ends), [("fetch_document", 1), ("fetch_meeting", 1), ("sync_city", 1)]);
    assert_eq!((clerk.count("meeting_revisions").await, clerk.count("document_refs").await), (1, 1));

    // One that stays forbidden fails as it did.
    valid.store(u32::MAX, Ordering::SeqCst);
    let ends = clerk.sync().await;
    assert_eq!((total(&ends, "failed"), total(&ends, "dead_letter")), (1, 0), "{ends:?}");
    assert!(clerk.summary().await.contains("ten years"), "and what is known stays");
}
