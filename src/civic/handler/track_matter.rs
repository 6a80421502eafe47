//! `track_matter`: that a matter has come up again.

use crate::{
    civic::{
        Services,
        city_label::city_label,
        model::{Fingerprint, Identity, identify},
        store::{
            ItemId,
            cities::{self, StoredCity},
            items::{self, StoredItem},
            matters,
        },
    },
    fleet::{
        handler::{Component, Context, Effects, ErrorClass, Handler, HandlerError},
        ledger::PgTx,
    },
    telemetry::names,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Writes that a matter appears as an agenda item.
#[derive(Clone, Debug)]
pub struct TrackMatter(pub Arc<Services>);

/// Which appearance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackMatterArgs {
    /// The item.
    pub item: ItemId,
    /// Hash of the addresses of its documents.
    pub attachments: Fingerprint,
}

/// What was tracked.
#[derive(Debug, Serialize)]
pub struct Tracked {
    /// The matter's identity in its city; none: nothing identifies it.
    pub matter: Option<Identity>,
    #[serde(skip)]
    city: StoredCity,
    #[serde(skip)]
    item: StoredItem,
    #[serde(skip)]
    attachments: Fingerprint,
}

impl Handler for TrackMatter {
    type Args = TrackMatterArgs;
    type Output = Tracked;
    const KIND: &'static str = "track_matter";
    const COMPONENT: Component = Component::Matter;

    async fn run(&self, args: TrackMatterArgs, _: Context) -> Result<Tracked, HandlerError> {
        let db = self.0.db().await?;
        let unknown = || HandlerError::non_retryable(ErrorClass::InvalidArgs, format!("no item {}", args.item));
        let item = items::find(&*db, args.item).await?.ok_or_else(unknown)?;
        let city = cities::find(&*db, &item.city).await?;
        let matter = identify(item.matter.as_ref(), &item.title, city.city.source.vendor.names_matters());
        Ok(Tracked { matter, city, item, attachments: args.attachments })
    }
}

impl Effects<PgTx> for TrackMatter {
    async fn apply(&self, tx: &mut PgTx, tracked: &Tracked, _: &Context) -> Result<(), HandlerError> {
        let Tracked { city, item, attachments, matter } = tracked;
        let Some(identity) = matter else { return Ok(()) };
        let told = (identity, item.matter.as_ref());
        matters::track(tx, city.id, (item.id, &item.title), told, attachments).await?;
        tx.count(metrics::counter!(names::MATTERS_TRACKED, "city" => city_label(&city.city.slug)), 1);
        Ok(())
    }
}
