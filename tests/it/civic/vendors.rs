//! A city at each vendor, from its listing to its meeting's summary.

use super::support::{count, database, drain, drain_some, ledger, total};
use crate::{
    documents::made::pages,
    vendor::site::{Answer, Site, answer},
};
use docket::{
    civic::{
        Services, enqueue_sync,
        model::{City, CitySlug, Source, Vendor, Zone},
        settings::CivicSettings,
        store::{cities, syncs},
    },
    db::{PoolOptions, PoolPurpose, pool},
};
use jiff::{Zoned, civil::Date};
use serde_json::json;
use std::sync::{Arc, Mutex};

fn agenda() -> Vec<u8> {
    pages(&["The council will consider the lease of the old library and the budget of the department of parks."])
}

/// Vendors whose made-up sites are one page and one document.
pub(super) const STUBS: [Vendor; 4] = [Vendor::PrimeGov, Vendor::Granicus, Vendor::CivicPlus, Vendor::CivicClerk];

/// What the stub of a vendor answers: one council meeting on that day, and its agenda.
pub(super) fn vendor_answer(vendor: Vendor, day: Date, path: &str) -> Answer {
    let page = |body: String| answer(200, "Connection: close\r\nContent-Type: text/html\r\n", body);
    let json = |body: serde_json::Value| answer(200, "Connection: close\r\n", body.to_string());
    let is_list =
        ["ListUpcoming", "ViewPublisher", "AgendaCenter/Search", "/Events"].iter().any(|list| path.contains(list));
    match vendor {
        _ if path.contains("ListArchived") => json(json!([])),
        _ if path.contains("/Meetings/9") => {
            json(json!({"items": [{"id": 1, "agendaObjectItemName": "Lease of the old library"}]}))
        }
        _ if !is_list => answer(200, "Connection: close\r\nContent-Type: application/pdf\r\n", agenda()),
        Vendor::PrimeGov => json(json!([{"id": 5, "dateTime": format!("{day}T18:00:00"), "title": "City Council",
            "documentList": [{"templateId": 4, "compileOutputType": 1, "templateName": "Agenda"}]}])),
        Vendor::Granicus => page(format!(
            "<table class='listingTable'><tr class='listingRow'><td class='listItem' headers='Name'>City Council</td>\
             <td class='listItem' headers='Date'>{} - 06:00 PM</td>\
             <td><a href='/AgendaViewer.php?view_id=3&event_id=5'>Agenda</a></td></tr></table>",
            day.strftime("%B %d, %Y")
        )),
        Vendor::CivicPlus => page(format!(
            "<h2>City Council</h2><table summary='List of Agendas'><tr class='catAgendaRow'><td><h4>\
             <a href='/AgendaCenter/ViewFile/Agenda/_{}-12'>{day}</a></h4><p>City Council 6:00 PM</p></td></tr></table>",
            day.strftime("%m%d%Y")
        )),
        Vendor::CivicClerk => json(json!({"value": [{"id": 5, "eventName": "City Council", "agendaId": 9,
            "startDateTime": format!("{day}T18:00:00Z"), "publishedFiles": [{"fileId": 7, "type": "Agenda", "name": "Agenda"}]}]})),
        Vendor::Legistar => unreachable!("it has a city of its own"),
    }
}

pub(super) async fn add(client: &tokio_postgres::Client, site: &Site, vendor: Vendor) -> City {
    let params = [("base_url".to_owned(), site.url("/")), ("view_id".to_owned(), "3".to_owned())].into();
    let source = Source { vendor, client: "exampleville".to_owned(), params };
    let slug = CitySlug(format!("{vendor}-ville"));
    let city = City { slug, name: "Exampleville".to_owned(), zone: Zone::new("America/Denver").unwrap(), source };
    cities::add(client, &city).await.unwrap();
    city
}

pub(super) fn services(config: &tokio_postgres::Config, site: &Site) -> Arc<Services> {
    // Each call of a test is a listing of its own.
    let settings = CivicSettings { sync_every: std::time::Duration::ZERO, ..CivicSettings::default() };
    let mut services = Services::new(pool(config, PoolOptions::new(PoolPurpose::General, 4)), settings).unwrap();
    services.http = site.client();
    Arc::new(services)
}

pub(super) fn today() -> Date {
    Zoned::now().with_time_zone(Zone::new("America/Denver").unwrap().rules().clone()).date()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_of_each_vendor_ends_in_a_summary() {
    for vendor in STUBS {
        let (config, client) = database().await;
        let day = today();
        let site = Site::start(move |path| vendor_answer(vendor, day, path)).await;
        let (city, services) = (add(&client, &site, vendor).await, services(&config, &site));
        enqueue_sync(&client, &city.slug, &services.settings).await.unwrap();
        let ends = drain(&ledger(&config), &services).await;
        assert_eq!((total(&ends, "failed"), total(&ends, "dead_letter")), (0, 0), "{vendor}: {ends:?}");
        assert_eq!(count(&client, "meetings where summary_id is not null").await, 1, "{vendor}");
        assert_eq!(count(&client, "extractions where chars > 0").await, 1, "{vendor}");
        let urgent = "jobs where kind in ('fetch_meeting', 'fetch_document', 'extract_document', 'summarise_meeting') and priority = 150";
        assert_eq!(count(&client, urgent).await, 4, "{vendor}: it is today");
        let items = i64::from(vendor == Vendor::CivicClerk);
        assert_eq!(count(&client, "agenda_items").await, items, "{vendor}");
        assert_eq!(
            count(&client, "meetings where starts_at is not null and local_time = '18:00'").await,
            1,
            "{vendor}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_becomes_a_clip_stays_one_meeting_with_one_history() {
    let (config, client) = database().await;
    let day = today();
    let row = |id: &str| {
        format!(
            "<table class='listingTable'><tr class='listingRow'><td class='listItem' headers='Name'>City Council</td>\
             <td class='listItem' headers='Date'>{}</td><td><a href='/AgendaViewer.php?view_id=3&{id}'>Agenda</a>\
             <a href='/MediaPlayer.php?view_id=3&{id}'>Video</a></td></tr></table>",
            day.strftime("%B %d, %Y")
        )
    };
    let shown = Arc::new(Mutex::new(row("event_id=5")));
    let site = {
        let shown = shown.clone();
        Site::start(move |path| match path.contains("ViewPublisher") {
            true => answer(200, "Connection: close\r\n", shown.lock().unwrap().clone()),
            false => answer(200, "Connection: close\r\n", agenda()),
        })
        .await
    };
    let (city, services) = (add(&client, &site, Vendor::Granicus).await, services(&config, &site));
    let ledger = ledger(&config);
    for (listing, status) in [(row("event_id=5"), "scheduled"), (row("clip_id=9"), "held")] {
        *shown.lock().unwrap() = listing;
        // A listing in the same second would be the same listing.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        enqueue_sync(&client, &city.slug, &services.settings).await.unwrap();
        let ends = drain(&ledger, &services).await;
        assert_eq!((total(&ends, "failed"), total(&ends, "dead_letter")), (0, 0), "{ends:?}");
        let one = format!("meetings where vendor_id = 'event-5' and status = '{status}'");
        assert_eq!((count(&client, &one).await, count(&client, "meetings").await), (1, 1), "{status}");
    }
    assert_eq!(count(&client, "meeting_aliases where alias = 'clip-9'").await, 1);
    assert_eq!(count(&client, "meeting_revisions").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_listing_is_silent() {
    let (config, client) = database().await;
    let day = today();
    let answers = Arc::new(Mutex::new(Vec::new()));
    let site = {
        let answers = answers.clone();
        Site::start(move |_| {
            answers.lock().unwrap().pop().unwrap_or_else(|| answer(200, "Connection: close\r\n", "[]"))
        })
        .await
    };
    let (city, services) = (add(&client, &site, Vendor::PrimeGov).await, services(&config, &site));
    let meetings = |count: u32| {
        let row = |id| json!({"id": id, "dateTime": format!("{day}T18:00:00"), "title": format!("CANCELLED {id}")});
        answer(200, "Connection: close\r\n", json!((0..count).map(row).collect::<Vec<_>>()).to_string())
    };
    let said = |status: u16, body: &str| answer(status, "Connection: close\r\n", body);
    let ledger = ledger(&config);
    let listed = async |first: Answer| {
        answers.lock().unwrap().push(first);
        // A listing in the same second would be the same listing.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        enqueue_sync(&client, &city.slug, &services.settings).await.unwrap();
        drain_some(&ledger, &services, 1).await;
        client.execute("update jobs set status = 'cancelled', epoch = epoch + 1, finished_at = now(), hold = null, hold_until = null where status = 'pending'", &[]).await.unwrap();
        let coverage = syncs::coverage(&client).await.unwrap().remove(0);
        (coverage.outcome.unwrap(), coverage.meetings_seen.unwrap(), coverage.meetings_expected)
    };
    for _ in 0..3 {
        assert_eq!(listed(meetings(10)).await.0, "success");
    }
    assert_eq!(listed(meetings(9)).await, ("success".to_owned(), 9, Some(10)));
    assert_eq!(listed(meetings(0)).await, ("suspect".to_owned(), 0, Some(10)));
    assert_eq!(listed(meetings(2)).await, ("suspect".to_owned(), 2, Some(10)));
    assert_eq!(syncs::suspect(&client).await.unwrap(), 1);
    assert_eq!(listed(said(403, "no")).await.0, "blocked");
    assert_eq!(listed(said(503, "")).await.0, "failed");
    assert_eq!(listed(said(200, "<html>a new site</html>")).await.0, "suspect");
    let coverage = syncs::coverage(&client).await.unwrap().remove(0);
    assert!(coverage.detail.unwrap().contains("HTML") && coverage.nonempty_at.is_some());

    // Someone looked: there are no more meetings than that.
    let id = cities::find(&client, &city.slug).await.unwrap().id;
    assert_eq!(syncs::accept(&client, id).await.unwrap(), 3);
    assert_eq!(listed(meetings(2)).await.0, "success");
    assert_eq!(syncs::suspect(&client).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_that_no_vendor_has_is_broken_and_one_that_was_never_listed_has_no_outcome() {
    let (config, client) = database().await;
    let site = Site::start(|_| answer(404, "Connection: close\r\n", "")).await;
    let (city, services) = (add(&client, &site, Vendor::CivicClerk).await, services(&config, &site));
    assert_eq!(syncs::coverage(&client).await.unwrap()[0].outcome, None);
    enqueue_sync(&client, &city.slug, &services.settings).await.unwrap();
    drain_some(&ledger(&config), &services, 1).await;
    assert_eq!(syncs::coverage(&client).await.unwrap()[0].outcome.as_deref(), Some("broken"));
}
