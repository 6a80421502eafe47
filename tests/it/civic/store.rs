//! What the domain's tables keep, and what they refuse.

use super::support::{count, database, demo};
use docket::civic::{
    SyncError,
    document::Extraction,
    enqueue_sync,
    model::{City, Fingerprint, MeetingStatus, ParsedAttachment, ParsedItem, ParsedMeeting, SourceMeetingId, WebUrl},
    settings::CivicSettings,
    store::{
        MeetingId, aliases,
        cities::{self, CityError},
        documents, extractions, items, meetings,
        refs::{self, NewRef},
        revisions::{self, Content},
        summaries::{self, NewSummary, Subject},
    },
};
use serde_json::json;
use tokio_postgres::Client;

fn meeting() -> ParsedMeeting {
    serde_json::from_value(json!({
        "vendor_id": "7", "body_name": "City Council", "title": "City Council", "local_date": "2026-03-08",
        "local_time": "18:30:00", "time_text": "6:30 PM", "status": "scheduled", "status_evidence": null,
        "location": null, "agenda_url": null, "minutes_url": null, "page_url": null, "agenda_status": null,
        "comment": null,
    }))
    .unwrap()
}

fn item(id: &str, title: &str) -> ParsedItem {
    ParsedItem {
        vendor_id: id.into(),
        sequence: Some(1),
        number: None,
        title: title.into(),
        matter: None,
        attachments: vec![ParsedAttachment {
            vendor_id: None,
            name: "Report".into(),
            url: WebUrl::parse("https://city.example/r.pdf").unwrap(),
        }],
        note: None,
        action: None,
        consent: false,
    }
}

async fn stored(client: &Client, city: &City) -> MeetingId {
    let id = cities::add(client, city).await.unwrap();
    meetings::upsert(client, id, &city.zone, &meeting()).await.unwrap().id
}

/// What a listing shows of one meeting.
fn listed(id: &str, title: &str, aliases: &[&str]) -> ParsedMeeting {
    let aliases = aliases.iter().map(|alias| SourceMeetingId((*alias).to_owned())).collect();
    ParsedMeeting { vendor_id: SourceMeetingId(id.to_owned()), title: title.to_owned(), aliases, ..meeting() }
}

#[tokio::test]
async fn a_meeting_keeps_its_row_when_its_vendor_gives_it_another_id() {
    let (_, client) = database().await;
    let city = demo().await.city();
    let id = cities::add(&client, &city).await.unwrap();
    let put = async |meeting: &ParsedMeeting| meetings::upsert(&client, id, &city.zone, meeting).await.unwrap();

    let event = put(&listed("event-5", "Council", &["clip-9"])).await;
    let clip = put(&listed("clip-9", "Council, held", &[])).await;
    assert_eq!((clip.id, clip.vendor_id.as_str(), clip.listing_no), (event.id, "event-5", 2));

    // Legistar's calendar has other numbers than its API, and the same GUID.
    let of_api = put(&listed("5705", "Parks", &["guid-x"])).await;
    let of_calendar = put(&listed("insite-670695", "Parks", &["guid-x"])).await;
    assert_eq!((of_calendar.id, of_calendar.vendor_id.as_str()), (of_api.id, "5705"));
    assert_eq!(put(&listed("insite-670695", "Parks", &[])).await.id, of_api.id);

    // The event is gone from the list before the clip is there, and nothing names both.
    let board = put(&listed("event-6", "Board", &[])).await;
    let today = [listed("clip-10", "BOARD", &[])];
    aliases::adopt(&client, id, &today).await.unwrap();
    assert_eq!(put(&today[0]).await.id, board.id);
    aliases::adopt(&client, id, &today).await.unwrap();
    assert_eq!((count(&client, "meetings").await, count(&client, "meeting_aliases").await), (3, 4));
}

#[tokio::test]
async fn two_meetings_of_one_name_and_day_are_never_taken_for_one() {
    let (_, client) = database().await;
    let city = demo().await.city();
    let id = cities::add(&client, &city).await.unwrap();
    for event in ["event-1", "event-2", "event-3"] {
        meetings::upsert(&client, id, &city.zone, &listed(event, "Hearing", &[])).await.unwrap();
    }
    // One event is still listed; which of the two others became the clip, nobody knows.
    let shown = [listed("event-3", "Hearing", &[]), listed("clip-7", "Hearing", &[])];
    aliases::adopt(&client, id, &shown).await.unwrap();
    assert_eq!(count(&client, "meeting_aliases").await, 0);
    // An id of another meeting's own is no alias of this one.
    let confused = listed("event-1", "Hearing", &["event-2", ""]);
    assert!(meetings::upsert(&client, id, &city.zone, &confused).await.is_err(), "an empty id is refused");
    let confused = listed("event-1", "Hearing", &["event-2"]);
    meetings::upsert(&client, id, &city.zone, &confused).await.unwrap();
    assert_eq!((count(&client, "meetings").await, count(&client, "meeting_aliases").await), (3, 0));
}

#[tokio::test]
async fn a_city_is_added_once_and_an_unknown_one_is_named() {
    let (_, client) = database().await;
    let city = demo().await.city();
    let unknown = enqueue_sync(&client, &city.slug, &CivicSettings::default()).await;
    assert!(matches!(unknown, Err(SyncError::City(CityError::Unknown { .. }))));
    let id = cities::add(&client, &city).await.unwrap();
    assert_eq!(cities::add(&client, &city).await.unwrap(), id);
    assert_eq!(cities::list(&client).await.unwrap()[0].city, city);
    let renamed = City { name: "Another".into(), ..city.clone() };
    assert!(matches!(cities::add(&client, &renamed).await, Err(CityError::Taken { .. })));
    let twin = City { slug: "twin".into(), ..city.clone() };
    assert!(matches!(cities::add(&client, &twin).await, Err(CityError::Taken { .. })), "one source, two names");
    let bad = City { slug: "Not A Slug".into(), ..city };
    assert!(matches!(cities::add(&client, &bad).await, Err(CityError::Slug(_))));
    let error = cities::find(&client, &"atlantis".into()).await.unwrap_err().to_string();
    assert!(error.contains("alder-falls"), "{error}");
}

#[tokio::test]
async fn a_revision_is_added_when_something_is_new_and_never_changed() {
    let (_, client) = database().await;
    let id = stored(&client, &demo().await.city()).await;
    let content = |title: &str| Content { meeting: meeting(), items: vec![item("1", title)] };
    let first = revisions::append(&client, id, &content("Lease")).await.unwrap();
    assert!(first.is_some());
    assert_eq!(revisions::append(&client, id, &content("Lease")).await.unwrap(), None, "the same again");
    assert!(revisions::append(&client, id, &content("Lease, amended")).await.unwrap() > first);
    assert!(revisions::append(&client, id, &content("Lease")).await.unwrap().is_some(), "back to an earlier state");
    assert_eq!(count(&client, "meeting_revisions").await, 3);
    assert!(client.execute("update meeting_revisions set content = '{}'", &[]).await.is_err());
}

#[tokio::test]
async fn what_an_agenda_drops_stays_unlisted_and_returns() {
    let (_, client) = database().await;
    let id = stored(&client, &demo().await.city()).await;
    let both = [item("2", "Second"), item("1", "First")];
    let rows = items::replace(&client, id, &both).await.unwrap();
    assert_eq!(items::replace(&client, id, &both).await.unwrap(), rows, "in the order of the call, and stable");
    let url = both[0].attachments[0].url.clone();
    let reference = |item| NewRef::new(item, "Report", &url);
    let all = [reference(None), reference(Some(rows[0])), reference(Some(rows[1]))];
    let before = refs::replace(&client, id, &all).await.unwrap();
    assert_eq!(before.len(), 3, "one address at three places");
    assert_eq!(items::replace(&client, id, &both[..1]).await.unwrap(), rows[..1]);
    assert_eq!(refs::replace(&client, id, &all[..2]).await.unwrap().len(), 2);
    assert_eq!(count(&client, "agenda_items where not listed").await, 1);
    assert_eq!(count(&client, "document_refs where status = 'withdrawn'").await, 1);
    items::replace(&client, id, &both).await.unwrap();
    assert_eq!(refs::replace(&client, id, &all).await.unwrap(), before);
    assert_eq!(items::replace(&client, id, &[]).await.unwrap(), []);
    assert_eq!(count(&client, "agenda_items where listed").await, 0);
}

#[tokio::test]
async fn documents_and_summaries_are_kept_once() {
    let (_, client) = database().await;
    let id = stored(&client, &demo().await.city()).await;
    let rows = items::replace(&client, id, &[item("1", "First"), item("2", "Second")]).await.unwrap();
    let sha256 = Fingerprint::of_bytes(b"");
    let extraction = Extraction { text: "text".into(), chars: 4, extractor: "e/1".into(), ..Extraction::default() };
    for _ in 0..2 {
        documents::put(&client, &sha256, "empty", b"").await.unwrap();
        extractions::put(&client, &sha256, &extraction).await.unwrap();
    }
    let large = vec![7; (2 << 20) + 1];
    let of_large = Fingerprint::of_bytes(&large);
    documents::put(&client, &of_large, "other", &large).await.unwrap();
    for (hash, bytes) in [(&sha256, &Vec::new()), (&of_large, &large)] {
        let mut file = Vec::new();
        assert!(documents::save(&client, hash, &mut file).await.unwrap());
        assert_eq!(&file, bytes);
    }
    let unknown = Fingerprint::of_bytes(b"unknown");
    assert!(!documents::save(&client, &unknown, &mut Vec::new()).await.unwrap());
    assert_eq!(extractions::find(&client, &sha256, "e/1").await.unwrap(), Some(extraction));
    assert_eq!(extractions::find(&client, &sha256, "e/2").await.unwrap(), None);

    let new = |cost| NewSummary {
        input_hash: sha256.clone(),
        model: "small".into(),
        prompt_version: "1",
        body: "It is decided.".into(),
        tokens_in: 10,
        tokens_out: 2,
        cost_micro_usd: cost,
        reasons: Vec::new(),
        pages: Vec::new(),
    };
    assert_eq!(summaries::known(&client, &sha256, "1", "small").await.unwrap(), None);
    let first = summaries::put(&client, Subject::Item(rows[0]), &new(5)).await.unwrap();
    assert!(first.is_some());
    let refused = NewSummary { reasons: vec!["number".into()], ..new(5) };
    let held_back = summaries::put(&client, Subject::Item(rows[0]), &refused).await.unwrap();
    assert_eq!(held_back, None, "what is shown is not what is held back");
    assert_eq!(summaries::put(&client, Subject::Item(rows[0]), &new(5)).await.unwrap(), first);
    assert_ne!(summaries::put(&client, Subject::Item(rows[1]), &new(0)).await.unwrap(), first);
    assert_eq!(summaries::known(&client, &sha256, "1", "small").await.unwrap().as_deref(), Some("It is decided."));
    assert_eq!(summaries::known(&client, &sha256, "1", "large").await.unwrap(), None);
    items::set_summary(&client, rows[0], first.unwrap()).await.unwrap();
    assert_eq!(items::summarised(&client, id).await.unwrap().len(), 1);
    assert!(client.execute("update summaries set body = 'x'", &[]).await.is_err());
}

#[tokio::test]
async fn a_meeting_that_moves_to_another_day_keeps_its_row() {
    let (_, client) = database().await;
    let city = demo().await.city();
    let id = cities::add(&client, &city).await.unwrap();
    let mut board = listed("7", "Board", &[]);
    let before = meetings::upsert(&client, id, &city.zone, &board).await.unwrap();
    board.local_date = board.local_date.tomorrow().unwrap();
    let after = meetings::upsert(&client, id, &city.zone, &board).await.unwrap();
    assert_eq!((after.id, before.listing_no, after.listing_no), (before.id, 1, 2));
    let day: String = client.query_one("select local_date::text from meetings", &[]).await.unwrap().get(0);
    assert_eq!(day, board.local_date.to_string());
}

#[tokio::test]
async fn a_meeting_that_is_cancelled_and_restored_is_listed_anew_each_time() {
    let (_, client) = database().await;
    let city = demo().await.city();
    let id = cities::add(&client, &city).await.unwrap();
    let list = async |status: MeetingStatus| {
        let meeting = ParsedMeeting { status, ..meeting() };
        meetings::upsert(&client, id, &city.zone, &meeting).await.unwrap().listing_no
    };
    let mut numbers = Vec::new();
    for status in
        [MeetingStatus::Scheduled, MeetingStatus::Scheduled, MeetingStatus::Cancelled, MeetingStatus::Scheduled]
    {
        numbers.push(list(status).await);
    }
    assert_eq!(numbers, [1, 1, 2, 3]);
    let sql = "select status, local_time::text, starts_at = '2026-03-09 00:30:00Z' from meetings";
    let row = client.query_one(sql, &[]).await.unwrap();
    // Clocks went forward in the night before: 18:30 is six hours from UTC.
    assert_eq!((row.get::<_, &str>(0), row.get::<_, &str>(1), row.get::<_, bool>(2)), ("scheduled", "18:30:00", true));
}
