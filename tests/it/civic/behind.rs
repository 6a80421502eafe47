//! Documents behind a page, and behind a cover sheet.

use super::{
    clerk::{Clerk, attachment, completed},
    support::total,
};
use crate::{
    documents::made::{page_objects, pages, pdf},
    vendor::site::{Answer, answer, redirect},
};
use serde_json::Value;
use std::sync::{Arc, Mutex};

const REPORT: &str = "The council will consider the lease of the old library to the historical society for ten years.";
const CONTRACT: &str =
    "The society shall pay one thousand dollars each month and keep the roof of the library in repair.";

fn page(body: &str) -> Answer {
    answer(200, "Connection: close\r\nContent-Type: text/html\r\n", format!("<!doctype html><html>{body}</html>"))
}

fn document(text: &str) -> Answer {
    answer(200, "Connection: close\r\nContent-Type: application/pdf\r\n", pages(&[text]))
}

/// A city whose item has these attachments, by path, and a site that answers like this.
async fn city(
    paths: &'static [(&str, &str)],
    documents: impl Fn(&str, &str) -> Answer + Send + Sync + 'static,
) -> (Clerk, Arc<Mutex<String>>) {
    let root = Arc::new(Mutex::new(String::new()));
    let clerk = {
        let (root, shown) = (root.clone(), root.clone());
        let attachments = move || -> Vec<Value> {
            let root = root.lock().unwrap();
            let numbered = (1..).zip(paths);
            numbered.map(|(id, (name, path))| attachment(id, name, &format!("{root}{path}"))).collect()
        };
        Clerk::start(attachments, move |path, _| documents(path, &shown.lock().unwrap())).await
    };
    *root.lock().unwrap() = clerk.site.url("");
    (clerk, root)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_leads_to_its_document_one_step_far_and_is_not_summarised() {
    let (clerk, _) = city(&[("Report", "/viewer?id=1")], |path, root| match path {
        "/viewer?id=1" => page(&format!(
            "<p>Please wait while the viewer of documents is loading, and enable scripts in your browser.\
             <iframe src='/real.pdf'></iframe><iframe src='/second'></iframe>\
             <a href='http://10.0.0.1/secret.pdf'>a</a><a href='javascript:open(\"b.pdf\")'>b</a>\
             <a href='file:///etc/passwd.pdf'>c</a><a href='/viewer?id=1#x.pdf'>d</a><a href='{root}/real.pdf'>again</a>"
        )),
        "/real.pdf" => document(REPORT),
        "/second" => page("<p>Another page<iframe src='/deeper.pdf'></iframe>"),
        _ => answer(404, "Connection: close\r\n", ""),
    })
    .await;
    let ends = clerk.sync().await;
    assert!(clerk.summary().await.contains("ten years"), "{}", clerk.summary().await);
    assert!(!clerk.summary().await.contains("Please wait"), "{}", clerk.summary().await);
    assert_eq!(clerk.count("extractions where 'shell' = any (flags) and kind = 'html'").await, 2);
    assert_eq!(clerk.asked("/deeper.pdf"), 0, "one step, no further");
    let found = "document_refs f join document_refs p on p.id = f.found_in where p.url like '%/viewer?id=1' and f.item_id = p.item_id";
    assert_eq!(clerk.count(found).await, 3, "the document, the other page, and the address that is refused");
    // The private address fails its own job.
    assert_eq!((total(&ends, "failed"), total(&ends, "dead_letter")), (1, 0), "{ends:?}");
    assert_eq!(clerk.count("jobs where status = 'failed' and error_class = 'refused_address'").await, 1);
    let early = "jobs p join jobs c on c.parent_id = p.id where c.finished_at > p.started_at";
    assert_eq!(clerk.count(early).await, 0, "the item waited for them");

    // Nothing new: each is asked for again, nothing is written.
    let (refs, summaries) = (clerk.count("document_refs").await, clerk.count("summaries").await);
    let ends = clerk.sync().await;
    assert_eq!(completed(&ends), [("fetch_document", 3), ("fetch_meeting", 1), ("sync_city", 1)]);
    assert_eq!((clerk.count("document_refs").await, clerk.count("summaries").await), (refs, summaries));

    // A new revision finds them again.
    clerk.client.execute("update meetings set revision_id = null", &[]).await.unwrap();
    let ends = clerk.sync().await;
    assert_eq!(total(&ends, "dead_letter"), 0, "{ends:?}");
    assert_eq!(clerk.count("document_refs where status = 'fetched'").await, 3);
    assert!(clerk.summary().await.contains("ten years"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_ten_thousand_links_is_bounded_and_what_the_agenda_names_is_not_fetched_twice() {
    let (clerk, _) = city(&[("Agenda", "/agenda"), ("Report", "/files/7.pdf")], |path, _| match path {
        "/agenda" => {
            let links: String = (0..10_000).map(|i| format!("<a href='/files/{i}.pdf'>{i}</a> ")).collect();
            page(&format!("<p>{REPORT}</p>{links}"))
        }
        "/files/7.pdf" => document(CONTRACT),
        _ => document(path),
    })
    .await;
    clerk.sync().await;
    assert_eq!(clerk.count("document_refs where found_in is not null").await, 24, "25, of which the agenda names one");
    assert_eq!(clerk.asked("/files/7.pdf"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cover_sheet_leads_to_the_contract_and_a_redirect_tells_what_links_are_relative_to() {
    let cover = |root: &str| {
        let mut objects =
            page_objects(&["Cover sheet of the staff report on the lease of the old library, with one contract"]);
        let link = format!("/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI({root}/contract.pdf)>>>>]");
        objects[3] = objects[3].replace("/Parent", &format!("{link}/Parent"));
        answer(200, "Connection: close\r\n", pdf(&objects))
    };
    let (clerk, _) = city(&[("Cover", "/cover.pdf"), ("Moved", "/old/page")], move |path, root| match path {
        "/cover.pdf" => cover(root),
        "/contract.pdf" => document(CONTRACT),
        "/old/page" => redirect("/new/place/page?x=1"),
        "/new/place/page?x=1" => page("<p>See the attachment<a href='report.pdf'>Report</a>"),
        "/new/place/report.pdf" => document(REPORT),
        _ => answer(404, "Connection: close\r\n", ""),
    })
    .await;
    let ends = clerk.sync().await;
    assert_eq!(total(&ends, "failed") + total(&ends, "dead_letter"), 0, "{ends:?}");
    let summary = clerk.summary().await;
    assert!(summary.contains("ten years") || summary.contains("one thousand dollars"), "{summary}");
    assert_eq!(clerk.count("document_refs where found_in is not null and status = 'fetched'").await, 2);
}
