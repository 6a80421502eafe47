//! `reparse_city`: a city's meetings once more, from the record of its listings alone.

use super::{FetchMeeting, FetchMeetingArgs, listed, merged::Merged, next};
use crate::{
    civic::{
        Services,
        model::{CitySlug, MeetingStatus, ParsedMeeting, SourceMeetingId, matter_priority},
        record::Answers,
        store::{
            aliases,
            cities::{self, StoredCity},
            replay::{self, RecordedListing},
        },
        vendor::{self, VendorError},
    },
    fleet::{
        handler::{Component, Context, Effects, ErrorClass, Handler, HandlerError},
        ledger::PgTx,
    },
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, sync::Arc, time::Duration};
use uuid::Uuid;

/// Parses the listings of a city that are in the record, and writes what they say as `sync_city` would. No site is asked, by
/// this job or by those that follow from it.
#[derive(Clone, Debug)]
pub struct ReparseCity(pub Arc<Services>);

/// Which city, and how much of its record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReparseCityArgs {
    /// The city.
    pub city: CitySlug,
    /// From when on.
    pub since: Timestamp,
    /// Until when.
    pub as_of: Timestamp,
    /// The run that it belongs to: part of its jobs' keys.
    pub run: Uuid,
}

/// What the record held.
#[derive(Debug, Serialize)]
pub struct Reparsed {
    /// Listings, those with the same answers as a later one left out.
    pub listings: usize,
    /// Of those, the ones that can't be read, or are no longer there in full.
    pub unreadable: usize,
    /// Meetings that the others speak of.
    pub meetings: usize,
    /// Of those, cancelled.
    pub cancelled: usize,
    #[serde(skip)]
    values: Vec<ParsedMeeting>,
    #[serde(skip)]
    city: StoredCity,
    #[serde(skip)]
    args: ReparseCityArgs,
}

impl Handler for ReparseCity {
    type Args = ReparseCityArgs;
    type Output = Reparsed;
    const KIND: &'static str = "reparse_city";
    const COMPONENT: Component = Component::Vendor;
    /// Less urgent than any listing.
    const PRIORITY: i16 = 0;
    /// Thousands of pages, each of which takes a tenth of a second.
    const TIMEOUT: Duration = Duration::from_mins(30);

    async fn run(&self, args: ReparseCityArgs, ctx: Context) -> Result<Reparsed, HandlerError> {
        let db = self.0.db().await?;
        let city = cities::find(&*db, &args.city).await?;
        let recorded = replay::listings(&*db, city.id, args.since, args.as_of).await?;
        drop(db);
        let (mut merged, mut unreadable) = (Merged::default(), 0);
        let recorded = distinct(recorded);
        for listing in &recorded {
            if ctx.token.is_cancelled() {
                return Err(HandlerError::Snooze(Duration::ZERO));
            }
            match self.read(&city, listing).await {
                Ok(meetings) => merged.add(meetings),
                Err(error) if error.is_not_now() => return Err(error.into()),
                Err(error) => {
                    unreadable += 1;
                    tracing::debug!(city = %args.city, %error, "a recorded listing was left out");
                }
            }
        }
        if !recorded.is_empty() && unreadable == recorded.len() {
            let message = format!("none of the {unreadable} recorded listings of {} can be read", args.city);
            return Err(HandlerError::non_retryable(ErrorClass::Malformed, message));
        }
        let values = merged.into_meetings();
        Ok(Reparsed {
            listings: recorded.len(),
            unreadable,
            meetings: values.len(),
            cancelled: values.iter().filter(|m| m.status == MeetingStatus::Cancelled).count(),
            values,
            city,
            args,
        })
    }
}

impl ReparseCity {
    async fn read(&self, city: &StoredCity, listing: &RecordedListing) -> Result<Vec<ParsedMeeting>, VendorError> {
        let http = self.0.replay(Answers::OfListing(listing.ask));
        let site = vendor::open(&http, &city.city.source, true)?;
        Ok(site.meetings(listing.window).await?.values)
    }
}

impl Effects<PgTx> for ReparseCity {
    async fn apply(&self, tx: &mut PgTx, output: &Reparsed, ctx: &Context) -> Result<(), HandlerError> {
        let Reparsed { values, city, args, .. } = output;
        // What the listings of today lack is not brought back by those of then.
        let gone = aliases::withdrawn(tx, city.id).await?;
        let values: Vec<ParsedMeeting> = values.iter().filter(|m| !is_one_of(m, &gone)).cloned().collect();
        listed::write(tx, city, &values, |meeting, row| {
            let key = format!("mtg:reparse:{}:{}:{}", args.run, args.city, row.vendor_id);
            let fetch =
                FetchMeetingArgs { city: args.city.clone(), meeting: row.vendor_id.clone(), as_of: Some(args.as_of) };
            let days = city.days_to(meeting.local_date);
            // What is new goes before what is done again.
            Ok(next::next::<FetchMeeting>(&fetch, key, ctx)?.priority(matter_priority(days)))
        })
        .await
        .map(drop)
    }
}

fn is_one_of(meeting: &ParsedMeeting, ids: &HashSet<SourceMeetingId>) -> bool {
    std::iter::once(&meeting.vendor_id).chain(&meeting.aliases).any(|id| ids.contains(id))
}

/// Of listings with the same answers of the same days the last one.
fn distinct(mut listings: Vec<RecordedListing>) -> Vec<RecordedListing> {
    let mut seen = HashSet::new();
    listings.reverse();
    listings.retain(|listing| seen.insert((listing.content.clone(), listing.window.from, listing.window.to)));
    listings.reverse();
    listings
}
