//! Legistar's client against an API that has its habits.

use super::site::{Answer, Site, answer};
use docket::{
    civic::{
        model::{Parsed, ParsedMeeting, SourceMeetingId, WarningCode},
        vendor::{ParseError, VendorError, Window, http::FetchError, legistar::LegistarClient},
    },
    fleet::handler::{ErrorClass, HandlerError},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Mutex, time::Duration};
use url::Url;

fn client(site: &Site) -> LegistarClient {
    LegistarClient::new(site.client(), &site.url("/v1"), "exampleville").unwrap()
}

fn window() -> Window {
    Window { from: "2031-01-01".parse().unwrap(), to: "2031-12-31".parse().unwrap() }
}

async fn ask(script: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Result<Parsed<ParsedMeeting>, VendorError> {
    client(&Site::start(script).await).events(window()).await
}

fn event(id: usize) -> Value {
    json!({"EventId": id, "EventBodyName": "Council", "EventDate": "2031-05-05T00:00:00", "EventTime": "7:00 PM"})
}

fn number(path: &str, name: &str) -> usize {
    let url = Url::parse("http://x").unwrap().join(path).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map_or(0, |(_, value)| value.parse().unwrap())
}

/// A page as the API cuts it: never more than 1,000 rows.
fn page(rows: &[usize], path: &str) -> Answer {
    let top = number(path, "$top").min(1_000);
    let rows: Vec<Value> = rows.iter().skip(number(path, "$skip")).take(top).map(|id| event(*id)).collect();
    answer(200, "", Value::from(rows).to_string())
}

#[tokio::test]
async fn a_list_of_thousands_is_read_to_its_end() {
    for count in [0, 1, 999, 1_000, 1_001, 2_500] {
        let rows: Vec<usize> = (1..=count).collect();
        let parsed = ask(move |path| page(&rows, path)).await.unwrap();
        assert_eq!((parsed.values.len(), parsed.warnings.len()), (count, 0));
    }
}

/// Between two pages, meetings before the cut are withdrawn and others appear: every one that stays must be found.
#[tokio::test]
async fn rows_that_shift_between_pages_are_neither_lost_nor_doubled() {
    let rows = Mutex::new((1..=2_500).collect::<Vec<usize>>());
    let parsed = ask(move |path| {
        let mut rows = rows.lock().unwrap();
        let answer = page(&rows, path);
        rows.drain(10..50);
        let late = 100_000 + rows.len();
        rows.insert(0, late);
        answer
    })
    .await
    .unwrap();
    let ids: Vec<usize> = parsed.values.iter().map(|m| m.vendor_id.as_str().parse().unwrap()).collect();
    let unique: BTreeSet<usize> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "doubled");
    let lost: Vec<usize> = (200..=2_500).filter(|id| !unique.contains(id)).collect();
    assert!(lost.is_empty(), "lost {lost:?}");
}

#[tokio::test]
async fn a_vendor_that_ignores_skip_is_an_error_and_no_loop() {
    let site = Site::start(|_| page(&(1..=1_000).collect::<Vec<_>>(), "/?$top=1000")).await;
    let error = client(&site).events(window()).await.unwrap_err();
    assert!(
        matches!(&error, VendorError::Parse { source: ParseError::Shape(why), .. } if why.contains("$skip")),
        "{error}"
    );
    assert_eq!(site.asked().len(), 2);
}

#[tokio::test]
async fn a_filter_that_is_ignored_is_applied_here() {
    let body = json!([
        {"EventId": 1, "EventBodyName": "Council", "EventDate": "2030-12-31T00:00:00"},
        {"EventId": 2, "EventBodyName": "Council", "EventDate": "2031-01-01T00:00:00"},
        {"EventId": 3, "EventBodyName": "Council", "EventDate": "2031-12-31T00:00:00"},
        {"EventId": 4, "EventBodyName": "Council", "EventDate": "2032-01-01T00:00:00"},
    ]);
    let site = Site::start(move |_| answer(200, "", body.to_string())).await;
    let parsed = client(&site).events(window()).await.unwrap();
    assert_eq!(parsed.values.iter().map(|m| m.vendor_id.as_str()).collect::<Vec<_>>(), ["2", "3"]);
    let asked = site.asked().remove(0);
    let path = asked.split(' ').nth(1).unwrap().to_owned();
    let url = Url::parse("http://x").unwrap().join(&path).unwrap();
    assert_eq!(url.path(), "/v1/exampleville/events");
    let filter = url.query_pairs().find(|(key, _)| key == "$filter").unwrap().1.into_owned();
    assert_eq!(filter, "EventDate ge datetime'2031-01-01' and EventDate lt datetime'2032-01-01'");
}

#[tokio::test]
async fn an_unknown_client_is_told_from_an_outage() {
    let broken = ask(|_| answer(500, "", "")).await.unwrap_err();
    assert!(matches!(&broken, VendorError::UnknownClient(name) if name == "exampleville"), "{broken}");
    assert!(matches!(HandlerError::from(broken), HandlerError::NonRetryable { class: ErrorClass::UnknownClient, .. }));
    let one = |path: &str| if path.contains("/bodies") { answer(200, "", "[]") } else { answer(500, "", "") };
    let outage = ask(one).await.unwrap_err();
    assert!(matches!(outage, VendorError::Fetch(FetchError::Status { status: 500, .. })), "{outage}");
    assert!(matches!(HandlerError::from(outage), HandlerError::Retryable { class: ErrorClass::ServerError, .. }));
    let site = Site::start(|_| answer(500, "", "")).await;
    let known = client(&site).proven(true).events(window()).await.unwrap_err();
    assert!(matches!(known, VendorError::Fetch(_)), "{known}");
    assert_eq!(site.asked().len(), 1, "a client that has answered before is not asked about");
}

#[tokio::test]
async fn a_closed_client_is_not_asked_again() {
    let error = ask(|_| answer(403, "", "{\"Message\":\"Token is required\"}")).await.unwrap_err();
    assert!(matches!(HandlerError::from(error), HandlerError::NonRetryable { class: ErrorClass::Forbidden, .. }));
}

#[tokio::test]
async fn too_many_requests_wait_as_long_as_told() {
    let error = ask(|_| answer(429, "Retry-After: 30\r\n", "")).await.unwrap_err();
    let error = HandlerError::from(error);
    assert!(
        matches!(error, HandlerError::Retryable { class: ErrorClass::RateLimited, after, .. }
            if after == Some(Duration::from_secs(30))),
        "{error:?}"
    );
}

#[tokio::test]
async fn what_is_no_list_is_an_error_and_never_no_meetings() {
    for (body, expected) in [
        ("<!DOCTYPE html><html>Something went wrong</html>", ParseError::Html),
        ("<ArrayOfGranicusEvent/>", ParseError::Xml),
        ("", ParseError::Empty),
        ("[{\"IndexId\": 1}]", ParseError::Schema("EventId")),
    ] {
        let error = ask(move |_| answer(200, "Content-Type: application/json\r\n", body)).await.unwrap_err();
        assert!(matches!(&error, VendorError::Parse { source, .. } if *source == expected), "{body}: {error}");
        assert!(matches!(HandlerError::from(error), HandlerError::Retryable { class: ErrorClass::Malformed, .. }));
    }
}

#[tokio::test]
async fn a_broken_second_page_fails_the_whole_list() {
    let rows: Vec<usize> = (1..=1_500).collect();
    let error = ask(move |path| if number(path, "$skip") == 0 { page(&rows, path) } else { answer(200, "", "") }).await;
    assert!(matches!(error, Err(VendorError::Parse { source: ParseError::Empty, .. })), "{error:?}");
}

#[tokio::test]
async fn items_are_asked_with_their_attachments_and_the_token_stays_secret() {
    let site =
        Site::start(|path| if path.contains("/7/") { answer(200, "", ITEMS) } else { answer(404, "", "") }).await;
    let client = client(&site).with_token(Some("hush".into()));
    let parsed = client.event_items(&SourceMeetingId("7".to_owned())).await.unwrap();
    assert_eq!((parsed.values.len(), parsed.values[0].attachments.len()), (1, 0));
    assert_eq!(parsed.warnings[0].code, WarningCode::RelativeLink);
    let path = site.asked().remove(0);
    assert!(path.starts_with("GET /v1/exampleville/events/7/eventitems?"), "{path}");
    assert!(path.contains("Attachments=1") && path.contains("token=hush"), "{path}");
    let missing = client.event_items(&SourceMeetingId("8".to_owned())).await.unwrap_err().to_string();
    assert!(missing.contains("404") && !missing.contains("hush"), "{missing}");
    for hostile in ["../../admin", "7?token=x", "", "7/../8"] {
        assert!(client.event_items(&SourceMeetingId(hostile.to_owned())).await.is_err(), "{hostile}");
    }
    assert_eq!(site.asked().len(), 2);
}

const ITEMS: &str = r#"[{"EventItemId": 1, "EventItemAgendaSequence": 1, "EventItemTitle": "A title",
    "EventItemMatterAttachments": [{"MatterAttachmentId": 2, "MatterAttachmentHyperlink": "bare.pdf"}]}]"#;
