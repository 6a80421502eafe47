//! The life of a meeting: listed, changed, cancelled, restored, moved, dropped by its source, and listed again.

use super::support::{count, database, drain, ledger, without_breakers};
use crate::support::{metrics, sum};
use axum::{Json, Router, extract::State, routing::get};
use docket::{
    civic::{
        Services,
        handler::{SyncCity, SyncCityArgs},
        model::{City, CitySlug, Source, Vendor, Zone},
        settings::CivicSettings,
        store::{
            cities,
            read::{self, ChangeFilter, ChangeView},
        },
        vendor::http::Allowed,
    },
    db::{PoolOptions, PoolPurpose, pool},
    fleet::{enqueue::enqueue_one, handler::Handler, ledger::PgLedger},
};
use jiff::{ToSpan, Zoned, civil::Date};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio_postgres::Client;

type Said = Arc<Mutex<(Vec<Value>, Vec<Value>)>>;

/// A Legistar site that lists what it is told to, and has the same agenda for all.
struct Site {
    client: Client,
    ledger: PgLedger,
    services: Arc<Services>,
    city: CitySlug,
    said: Said,
    listings: i64,
}

fn day(days: i64) -> Date {
    let zone = Zone::new("America/Denver").unwrap();
    Zoned::now().with_time_zone(zone.rules().clone()).date().saturating_add(days.days())
}

fn event(id: u32, days: i64) -> Value {
    json!({
        "EventId": id, "EventGuid": format!("g{id}"), "EventBodyName": format!("Body {id}"),
        "EventDate": format!("{}T00:00:00", day(days)), "EventTime": "6:30 PM", "EventAgendaStatusName": "Final",
        "EventLocation": "Hall", "EventAgendaFile": null, "EventMinutesFile": null, "EventComment": null,
        "EventInSiteURL": null, "EventItems": [],
    })
}

fn with(mut event: Value, field: &str, value: &str) -> Value {
    event[field] = value.into();
    event
}

fn item(id: u32, number: &str, title: &str) -> Value {
    json!({
        "EventItemId": id, "EventItemAgendaSequence": id, "EventItemMinutesSequence": null, "EventItemAgendaNumber": number,
        "EventItemTitle": title, "EventItemConsent": 0, "EventItemMatterId": null, "EventItemMatterFile": null,
        "EventItemMatterName": null, "EventItemMatterType": null, "EventItemMatterStatus": null,
        "EventItemMatterAttachments": [],
    })
}

impl Site {
    async fn new(slug: &str) -> Self {
        let (config, client) = database().await;
        let said = Said::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/v1/{client}/events", get(async |State(said): State<Said>| Json(said.lock().unwrap().0.clone())))
            .route(
                "/v1/{client}/events/{id}/eventitems",
                get(async |State(said): State<Said>| Json(said.lock().unwrap().1.clone())),
            )
            .with_state(said.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut settings = CivicSettings::default();
        settings.http.allowed.push(Allowed { host: address.ip().to_string(), port: address.port() });
        let services = Services::new(pool(&config, PoolOptions::new(PoolPurpose::General, 2)), settings).unwrap();
        let params = [("base_url".to_owned(), format!("http://{address}/v1"))].into();
        let source = Source { vendor: Vendor::Legistar, client: slug.to_owned(), params };
        let zone = Zone::new("America/Denver").unwrap();
        let city = City { slug: CitySlug::from(slug), name: slug.to_owned(), zone, source };
        cities::add(&client, &city).await.unwrap();
        let (ledger, services) = (ledger(&config), without_breakers(services));
        Self { client, ledger, services, city: city.slug, said, listings: 0 }
    }

    /// Lists these, and does all that follows.
    async fn list(&mut self, events: &[Value]) {
        self.said.lock().unwrap().0 = events.to_vec();
        self.listings += 1;
        let args = SyncCityArgs { city: self.city.clone(), slot: self.listings };
        enqueue_one(&self.client, SyncCity::job(&args).unwrap()).await.unwrap();
        drain(&self.ledger, &self.services).await;
    }

    async fn status(&self, vendor_id: &str) -> String {
        let sql = "select status from meetings where vendor_id = $1";
        self.client.query_one(sql, &[&vendor_id]).await.unwrap().get(0)
    }

    /// The kinds of all changes of a meeting, oldest first.
    async fn kinds(&self, vendor_id: &str) -> Vec<String> {
        let sql = "select id from meetings where vendor_id = $1";
        let id: i64 = self.client.query_one(sql, &[&vendor_id]).await.unwrap().get(0);
        let mut all = self.changes().await;
        all.retain(|change| change.meeting_id == id);
        all.iter().rev().flat_map(|change| change.kinds.clone()).collect()
    }

    async fn changes(&self) -> Vec<ChangeView> {
        read::changes(&self.client, &ChangeFilter::default(), 500).await.unwrap().unwrap().items
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_meeting_that_three_complete_listings_lack_is_withdrawn_and_comes_back() {
    let mut site = Site::new("withdrawn-falls").await;
    let (stays, goes) = (event(1, 3), event(2, 5));
    // Far away, held, and cancelled ones say nothing when they are gone.
    let others = [event(3, -5), with(event(4, 6), "EventAgendaStatusName", "Cancelled")];
    site.list(&[&[stays.clone(), goes.clone()], &others[..]].concat()).await;
    for listing in 1..=3 {
        assert_eq!(site.status("2").await, "scheduled", "before listing {listing}");
        site.list(std::slice::from_ref(&stays)).await;
    }
    assert_eq!(site.status("2").await, "withdrawn");
    assert_eq!(
        [site.status("1").await, site.status("3").await, site.status("4").await],
        ["scheduled", "scheduled", "cancelled"]
    );
    let sql = "select status_evidence ->> 'text' from meetings where vendor_id = '2'";
    let why: String = site.client.query_one(sql, &[]).await.unwrap().get(0);
    assert!(why.contains("3 complete listings"), "{why}");
    site.list(&[stays.clone(), goes.clone()]).await;
    assert_eq!(site.status("2").await, "scheduled");
    assert_eq!(site.kinds("2").await, ["meeting_listed", "agenda_published", "status_changed", "status_changed"]);
    let back = &site.changes().await[0].changes[0];
    assert_eq!((back.before.as_deref(), back.after.as_deref()), (Some("withdrawn"), Some("scheduled")));
    // A single listing that lacks it, between others that show it, is nothing.
    for _ in 0..4 {
        site.list(std::slice::from_ref(&stays)).await;
        site.list(&[stays.clone(), goes.clone()]).await;
    }
    assert_eq!(site.status("2").await, "scheduled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_that_is_not_whole_withdraws_nothing() {
    let mut site = Site::new("half-falls").await;
    let all: Vec<Value> = (1..=8).map(|id| event(id, 2 + i64::from(id))).collect();
    for _ in 0..3 {
        site.list(&all).await;
    }
    // A row without an id may be any of those that are missing.
    for _ in 0..4 {
        let mut rows = all[..6].to_vec();
        rows.push(with(event(9, 3), "EventId", ""));
        rows[6]["EventId"] = Value::Null;
        site.list(&rows).await;
    }
    // A suspect listing: one of eight.
    for _ in 0..4 {
        site.list(&all[..1]).await;
    }
    assert_eq!(count(&site.client, "meetings where status = 'withdrawn'").await, 0);
    assert!(count(&site.client, "city_syncs where outcome = 'suspect'").await >= 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_meeting_that_is_cancelled_restored_and_moved_keeps_its_row_and_tells_each_change() {
    let before = metrics().render();
    let mut site = Site::new("moved-falls").await;
    site.said.lock().unwrap().1 = vec![item(1, "1.", "Lease of the ferry terminal"), item(2, "2.", "Budget")];
    site.list(&[event(1, 3)]).await;
    site.list(&[with(event(1, 3), "EventAgendaStatusName", "Cancelled")]).await;
    assert_eq!(site.status("1").await, "cancelled");
    site.list(&[event(1, 3)]).await;
    assert_eq!(site.status("1").await, "scheduled");
    site.list(&[with(event(1, 1), "EventComment", "Rescheduled to Friday")]).await;
    assert_eq!(site.status("1").await, "rescheduled");
    let known =
        ["meeting_listed", "agenda_published", "status_changed", "status_changed", "date_changed", "status_changed"];
    assert_eq!(site.kinds("1").await, known);
    site.said.lock().unwrap().1 = vec![item(1, "2.", "Lease of the ferry terminal, amended"), item(3, "3.", "Zoning")];
    site.list(&[with(event(1, 1), "EventComment", "Rescheduled to Friday")]).await;
    assert_eq!(site.kinds("1").await[6..], ["item_added", "item_removed", "item_renumbered", "item_retitled"]);
    assert_eq!((count(&site.client, "meetings").await, count(&site.client, "meeting_revisions").await), (1, 3));
    let newest = &site.changes().await[0];
    assert_eq!((newest.revision, newest.changes.len(), newest.more), (Some(3), 4, 0));
    let told = site.changes().await.iter().filter(|change| change.revision.is_none()).count();
    assert_eq!(told, 4, "listings");
    let page = metrics().render();
    let grew = |kind: &str| {
        let series = format!("docket_meeting_changes_total{{kind=\"{kind}\"}}");
        sum(&page, &series) - sum(&before, &series)
    };
    assert!(grew("status_changed") >= 3.0 && grew("item_retitled") >= 1.0 && grew("date_changed") >= 1.0);
    assert!(site.client.execute("update meeting_changes set kinds = '{x}'", &[]).await.is_err(), "append-only");
}
