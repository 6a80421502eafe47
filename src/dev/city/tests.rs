//! The city over real HTTP.

use super::{
    CitySpec, DemoCity, Fault,
    plan::{Plan, RowKind},
};
use crate::civic::vendor::legistar::parse_event_items;
use jiff::civil::date;
use serde_json::Value;
use std::{collections::HashSet, time::Duration};

fn spec() -> CitySpec {
    CitySpec { meetings: 9, seed: 1, today: date(2026, 3, 1), slow: Duration::ZERO, ..CitySpec::default() }
}

async fn get(city: &DemoCity, path: &str) -> (u16, Vec<u8>) {
    let response = reqwest::get(format!("http://{}{path}", city.address())).await.unwrap();
    (response.status().as_u16(), response.bytes().await.unwrap().into())
}

async fn json(city: &DemoCity, path: &str) -> Value {
    let (status, body) = get(city, path).await;
    assert_eq!(status, 200, "{path}");
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn the_same_recipe_gives_the_same_city() {
    let bytes = |spec: &CitySpec| Plan::new(spec).documents().map(|d| (d.id, d.bytes.clone())).collect::<Vec<_>>();
    assert_eq!(bytes(&spec()), bytes(&spec()));
    assert_ne!(bytes(&spec()), bytes(&CitySpec { seed: 2, ..spec() }));
    assert_eq!(Plan::new(&CitySpec { meetings: 0, ..spec() }).meetings.len(), 0);
}

#[test]
fn a_larger_city_without_faults() {
    let plan = Plan::new(&CitySpec { meetings: 7, business: 20, faults: false, ..spec() });
    assert!(plan.documents().all(|document| document.fault.is_none()));
    let business = |row: &&super::plan::Row| row.kind == RowKind::Business;
    assert_eq!(plan.meetings[0].rows.iter().filter(business).count(), 20);
}

#[test]
fn as_many_papers_as_are_asked_for_and_no_two_alike() {
    for count in [0, 1, 100, 500] {
        let papers = super::papers(count, 1);
        assert_eq!((papers.len(), papers.iter().collect::<HashSet<_>>().len()), (count, count));
    }
}

#[test]
fn the_usual_city_has_every_kind_of_trouble() {
    let plan = Plan::new(&CitySpec { meetings: 7, ..spec() });
    let faults: HashSet<Fault> = plan.documents().filter_map(|document| document.fault).collect();
    assert_eq!(faults.len(), 4, "{faults:?}");
    let ids: HashSet<usize> = plan.documents().map(|document| document.id).collect();
    assert_eq!(ids.len(), plan.documents().count(), "an address each");
    let rows = || plan.held().flat_map(|meeting| &meeting.rows);
    assert!(rows().any(|row| row.kind == RowKind::Chrome && row.sequence.is_none()));
    assert!(rows().any(|row| row.kind == RowKind::Business && row.attachments.is_empty()));
    assert_eq!(plan.meetings.len() - plan.held().count(), 1, "one is cancelled");
    assert!((35..=60).contains(&plan.documents().count()), "{}", plan.documents().count());
}

#[tokio::test]
async fn listings_have_windows_and_pages() {
    let city = DemoCity::start(&spec()).await.unwrap();
    let list = async |query: &str| json(&city, &format!("/v1/alderfalls/events?{query}")).await;
    let ids = |list: Value| list.as_array().unwrap().iter().map(|e| e["EventId"].as_i64().unwrap()).collect::<Vec<_>>();
    let all = ids(list("").await);
    assert_eq!(all.len(), 9);
    assert_eq!(ids(list("%24top=2&%24skip=3").await), all[3..5]);
    let window = "$filter=EventDate ge datetime'2026-03-02' and EventDate lt datetime'2026-03-04'";
    assert_eq!(ids(list(window).await), all[..2]);
    assert_eq!(ids(list("$skip=99").await), Vec::<i64>::new());
}

#[tokio::test]
async fn what_is_wrong_is_wrong_as_it_is_at_legistar() {
    let city = DemoCity::start(&spec()).await.unwrap();
    assert_eq!(get(&city, "/v1/atlantis/events").await.0, 500);
    assert_eq!(get(&city, "/v1/atlantis/bodies").await.0, 500);
    assert_eq!(get(&city, "/v1/alderfalls/bodies?$top=1").await.0, 200);
    let (status, body) = get(&city, "/v1/alderfalls/events?$filter=Nonsense").await;
    assert_eq!(status, 400);
    assert!(serde_json::from_slice::<Value>(&body).unwrap()["Message"].is_string());
    assert_eq!(get(&city, "/v1/alderfalls/events/5/eventitems").await.0, 404);
    assert_eq!(get(&city, "/files/5.pdf").await.0, 404);
    assert_eq!(get(&city, "/files/..%2f..%2fetc%2fpasswd").await.0, 404);
}

#[tokio::test]
async fn agendas_are_read_by_the_real_parser() {
    let city = DemoCity::start(&spec()).await.unwrap();
    let plan = Plan::new(&spec());
    let meeting = &plan.meetings[0];
    let (_, body) = get(&city, &format!("/v1/alderfalls/events/{}/eventitems?Attachments=1", meeting.id)).await;
    let parsed = parse_event_items(&body).unwrap();
    let real: Vec<&str> =
        meeting.rows.iter().filter(|row| row.kind != RowKind::Chrome).map(|row| row.title.as_str()).collect();
    assert_eq!(parsed.values.iter().map(|item| item.title.as_str()).collect::<Vec<_>>(), real);
    assert_eq!(parsed.warnings.len(), 3, "a line, a page break, a row of the minutes: {:?}", parsed.warnings);
}

#[tokio::test]
async fn each_fault_answers_as_it_should() {
    let city = DemoCity::start(&spec()).await.unwrap();
    let plan = Plan::new(&spec());
    let asked = async |fault: Option<Fault>| {
        let document = plan.documents().find(|document| document.fault == fault).unwrap();
        let mut statuses = Vec::new();
        for _ in 0..4 {
            let (status, body) = get(&city, &format!("/files/{}.pdf", document.id)).await;
            assert_eq!(status == 200, body == document.bytes);
            statuses.push(status);
        }
        statuses
    };
    assert_eq!(asked(None).await, [200; 4]);
    assert_eq!(asked(Some(Fault::Slow)).await, [200; 4]);
    assert_eq!(asked(Some(Fault::Missing)).await, [404; 4]);
    assert_eq!(asked(Some(Fault::Broken)).await, [500; 4]);
    assert_eq!(asked(Some(Fault::FailsTwice)).await, [503, 503, 200, 200]);
}
