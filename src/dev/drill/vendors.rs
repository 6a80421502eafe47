//! What the drills of the domain ask: a made-up city's site or a language model, behind a door that can be shut.

use super::Drill;
use crate::{
    civic::{
        enqueue_sync,
        model::{City, CitySlug},
        settings::CivicSettings,
        store::cities,
    },
    dev::{
        city::{CitySpec, DemoCity},
        models::{Fault, ModelServer},
    },
};
use anyhow::{Context, Result};
use serde_json::json;
use std::{fs, path::Path};
use tokio_postgres::Client;

/// Cities of one vendor: enough requests for a rate.
const CITIES: usize = 12;
/// The model's name.
const MODEL: &str = "drill-model";

/// The outside world.
pub(super) struct Vendors {
    /// Variables of the workers.
    pub(super) env: Vec<(String, String)>,
    city: DemoCity,
    model: Option<ModelServer>,
}

/// Starts what this drill asks.
pub(super) async fn start(drill: Drill, dir: &Path) -> Result<Vendors> {
    let spec = CitySpec { meetings: 2, faults: false, ..CitySpec::default() };
    let city = DemoCity::start(&spec).await.map_err(anyhow::Error::from)?;
    let allowed = city.allowed();
    let mut env = vec![("DOCKET_ALLOW_HOSTS".to_owned(), format!("{}:{}", allowed.host, allowed.port))];
    let mut model = None;
    if drill == Drill::Llm429 {
        let started = ModelServer::start().await?;
        let prices = dir.join("prices.json");
        let price = json!([{ "model": MODEL, "effective_from": "2020-01-01", "input": 1_000_000, "cached": 100_000,
                             "output": 4_000_000, "source": "made up for a drill" }]);
        fs::write(&prices, price.to_string()).with_context(|| format!("can't write {}", prices.display()))?;
        env.extend([
            ("DOCKET_SUMMARISER".to_owned(), "openai".to_owned()),
            ("DOCKET_OPENAI_MODEL".to_owned(), MODEL.to_owned()),
            ("DOCKET_OPENAI_URL".to_owned(), started.openai_url()),
            ("DOCKET_PRICES_FILE".to_owned(), prices.display().to_string()),
        ]);
        model = Some(started);
    }
    Ok(Vendors { env, city, model })
}

impl Vendors {
    /// From now on the city's site, or the model where there is one, refuses.
    pub(super) fn close(&self) {
        self.shut(true);
    }

    /// It answers again.
    pub(super) fn open(&self) {
        self.shut(false);
    }

    fn shut(&self, shut: bool) {
        match &self.model {
            // Without a delay: jobs that are told one would wait for it, and pay nothing.
            Some(model) => model.always(shut.then_some(Fault::Status(429))),
            None => self.city.refuse(shut),
        }
    }

    /// Lists the meetings of one city.
    pub(super) async fn sync_one(&self, client: &Client) -> Result<()> {
        self.sync(client, &self.city.city()).await
    }

    /// Lists the meetings of a dozen cities, all of them on the same site.
    pub(super) async fn sync_all(&self, client: &Client) -> Result<()> {
        for number in 1..=CITIES {
            let mut city = self.city.city();
            city.slug = CitySlug::from(format!("alder-falls-{number}").as_str());
            city.source.client = format!("{}-{number}", city.source.client);
            self.sync(client, &city).await?;
        }
        Ok(())
    }

    async fn sync(&self, client: &Client, city: &City) -> Result<()> {
        cities::add(client, city).await?;
        enqueue_sync(client, &city.slug, &CivicSettings::default()).await?;
        Ok(())
    }
}
