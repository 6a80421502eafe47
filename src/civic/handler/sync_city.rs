//! `sync_city`: which meetings there are.

use super::{FetchMeeting, FetchMeetingArgs, absent, listed, next};
use crate::{
    civic::{
        Services,
        city_label::city_label,
        model::{CitySlug, MeetingStatus, ParsedMeeting, SyncOutcome, meeting_priority},
        record::{Purpose, Scope},
        store::{
            cities::{self, StoredCity},
            meetings::Listed,
            syncs,
        },
        vendor::{self, VendorError, Window},
    },
    fleet::{
        handler::{Component, Context, Effects, Handler, HandlerError},
        job::NewJob,
        ledger::PgTx,
    },
    telemetry::names,
};
use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Lists a city's meetings in a window around today, and has the agenda of each new or changed one read.
#[derive(Clone, Debug)]
pub struct SyncCity(pub Arc<Services>);

/// Which city, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncCityArgs {
    /// The city.
    pub city: CitySlug,
    /// The slot of time that this listing is for: part of the keys of agendas that are read at each listing.
    pub slot: i64,
}

/// What the listing held.
#[derive(Debug, Serialize)]
pub struct Listing {
    /// Meetings in the window.
    pub meetings: usize,
    /// Of those, cancelled.
    pub cancelled: usize,
    /// Rows that were left out or repaired.
    pub warnings: usize,
    /// No row was left out, in which a meeting that is missing may have stood.
    pub complete: bool,
    #[serde(skip)]
    window: Window,
    #[serde(skip)]
    values: Vec<ParsedMeeting>,
    #[serde(skip)]
    city: StoredCity,
    #[serde(skip)]
    slot: i64,
}

impl Handler for SyncCity {
    type Args = SyncCityArgs;
    type Output = Listing;
    const KIND: &'static str = "sync_city";
    const COMPONENT: Component = Component::Vendor;

    async fn run(&self, args: SyncCityArgs, ctx: Context) -> Result<Listing, HandlerError> {
        let city = cities::find(&*self.0.db().await?, &args.city).await?;
        let (source, window) = (&city.city.source, self.window(city.today()));
        let mut scope = Scope::new(Purpose::Listing, source.vendor, ctx.job.0).of(city.id);
        scope.window = Some(window);
        let site = vendor::open(&self.0.http_for(scope), source, city.synced_at.is_some())?;
        let call = async {
            let listed = site.meetings(window).await;
            if let Err(error) = &listed
                && !error.is_not_now()
            {
                self.note(&city, error).await;
            }
            listed
        };
        let listed = self.0.ask(&site.group(), source.vendor, VendorError::reach, call).await?;
        let complete = !listed.warnings.iter().any(|warning| warning.code.loses_a_row());
        Ok(Listing {
            meetings: listed.values.len(),
            cancelled: listed.values.iter().filter(|m| m.status == MeetingStatus::Cancelled).count(),
            warnings: listed.warnings.len(),
            complete,
            window,
            values: listed.values,
            city,
            slot: args.slot,
        })
    }
}

impl Effects<PgTx> for SyncCity {
    async fn apply(&self, tx: &mut PgTx, listing: &Listing, ctx: &Context) -> Result<(), HandlerError> {
        let StoredCity { id, city, .. } = &listing.city;
        let fetch = |meeting: &ParsedMeeting, listed: &Listed| self.fetch(listing, meeting, listed, ctx);
        let shown = listed::write(tx, &listing.city, &listing.values, fetch).await?;
        cities::mark_synced(tx, *id).await?;
        let outcome = syncs::listed(tx, *id, u32::try_from(listing.meetings).unwrap_or(u32::MAX)).await?;
        if listing.complete && outcome != SyncOutcome::Suspect {
            absent::note(tx, *id, (listing.window, listing.city.today()), &shown).await?;
        }
        let (slug, vendor) = (city_label(&city.slug), city.source.vendor.as_str());
        let synced = metrics::counter!(names::MEETINGS_SYNCED, "city" => slug, "vendor" => vendor);
        tx.count(synced, listing.values.len() as u64);
        Ok(())
    }
}

impl SyncCity {
    /// Writes down why no listing came. Without a database the job's own end meets the same trouble, and tells it.
    async fn note(&self, city: &StoredCity, error: &VendorError) {
        if let Ok(db) = self.0.db().await {
            let _ = syncs::failed(&*db, city.id, error.outcome(), &error.to_string()).await;
        }
    }

    fn window(&self, today: Date) -> Window {
        let settings = &self.0.settings;
        let (past, ahead) = (i64::from(settings.past_days), i64::from(settings.ahead_days));
        Window { from: today.saturating_sub(past.days()), to: today.saturating_add(ahead.days()) }
    }

    /// An agenda is read when the listing shows something new, and at each listing when the meeting is near. The number
    /// tells a restored meeting from what it was before it was cancelled.
    fn fetch(
        &self,
        listing: &Listing,
        meeting: &ParsedMeeting,
        listed: &Listed,
        ctx: &Context,
    ) -> Result<NewJob, HandlerError> {
        let city = &listing.city.city.slug;
        let Listed { vendor_id, listing_no, .. } = listed;
        let mut key = format!("mtg:{city}:{vendor_id}:{listing_no}:{}", meeting.fingerprint());
        let days = listing.city.days_to(meeting.local_date);
        if days.unsigned_abs() <= self.0.settings.reread_days.into() {
            key = format!("{key}:{}", listing.slot);
        }
        let args = FetchMeetingArgs { city: city.clone(), meeting: vendor_id.clone(), as_of: None };
        Ok(next::next::<FetchMeeting>(&args, key, ctx)?.priority(meeting_priority(days)))
    }
}
