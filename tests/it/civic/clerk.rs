//! A city at CivicClerk with one meeting today and one item, whose attachments and their answers a test chooses.

use super::support::{Ends, count, database, drain, ledger};
use crate::vendor::site::{Answer, Site, answer};
use docket::{
    civic::{
        Services, enqueue_sync,
        model::{City, CitySlug, Source, Vendor, Zone},
        settings::CivicSettings,
        store::cities,
    },
    db::{PoolOptions, PoolPurpose, pool},
    fleet::ledger::PgLedger,
};
use jiff::Zoned;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio_postgres::Client;

pub(super) struct Clerk {
    pub(super) client: Client,
    pub(super) site: Site,
    pub(super) services: Arc<Services>,
    ledger: PgLedger,
    city: City,
}

/// An attachment at a path of the site, or at another address.
pub(super) fn attachment(id: u32, name: &str, url: &str) -> Value {
    json!({"id": id, "fileName": name, "pdfVersionFullPath": url})
}

impl Clerk {
    /// `attachments` is asked at each look at the agenda; `documents` answers all other paths, from path and head.
    pub(super) async fn start(
        attachments: impl Fn() -> Vec<Value> + Send + Sync + 'static,
        documents: impl Fn(&str, &str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let zone = Zone::new("America/Denver").unwrap();
        let day = Zoned::now().with_time_zone(zone.rules().clone()).date();
        let (config, client) = database().await;
        let site = Site::start_with_heads(move |path, head| {
            let json = |body: Value| answer(200, "Connection: close\r\n", body.to_string());
            if path.contains("/Events") {
                json(json!({"value": [{"id": 5, "eventName": "City Council", "agendaId": 9,
                    "startDateTime": format!("{day}T18:00:00Z")}]}))
            } else if path.contains("/Meetings/9") {
                json(json!({"items": [{"id": 1, "agendaObjectItemName": "Lease of the old library",
                    "attachmentsList": attachments()}]}))
            } else {
                documents(path, head)
            }
        })
        .await;
        let params = [("base_url".to_owned(), site.url("/"))].into();
        let source = Source { vendor: Vendor::CivicClerk, client: "exampleville".to_owned(), params };
        let city = City { slug: CitySlug("clerk-ville".to_owned()), name: "Exampleville".to_owned(), zone, source };
        cities::add(&client, &city).await.unwrap();
        // Each call of a test is a listing of its own, and asks for each document again.
        let settings =
            CivicSettings { sync_every: Duration::ZERO, document_recheck: Duration::ZERO, ..CivicSettings::default() };
        let mut services = Services::new(pool(&config, PoolOptions::new(PoolPurpose::General, 4)), settings).unwrap();
        services.http = site.client();
        Self { client, site, services: Arc::new(services), ledger: ledger(&config), city }
    }

    /// Lists the city, and runs all that follows.
    pub(super) async fn sync(&self) -> Ends {
        // A listing in the same second would be the same listing.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        enqueue_sync(&self.client, &self.city.slug, &self.services.settings).await.unwrap();
        let ends = drain(&self.ledger, &self.services).await;
        assert_eq!(
            self.count("jobs where status in ('pending', 'queued', 'processing')").await,
            0,
            "nothing waits for ever"
        );
        ends
    }

    pub(super) async fn count(&self, sql: &str) -> i64 {
        count(&self.client, sql).await
    }

    /// The current summary of the item.
    pub(super) async fn summary(&self) -> String {
        let sql = "select s.body from agenda_items i join summaries s on s.id = i.summary_id";
        self.client.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// How often a path was asked for.
    pub(super) fn asked(&self, path: &str) -> usize {
        self.site.asked().iter().filter(|head| head.starts_with(&format!("GET {path} "))).count()
    }
}

/// How many attempts of each kind completed.
pub(super) fn completed(ends: &Ends) -> Vec<(&str, usize)> {
    ends.iter().filter(|((_, end), _)| *end == "completed").map(|((kind, _), n)| (kind.as_str(), *n)).collect()
}
