//! `fetch_meeting`: what is on a meeting's agenda.

use super::{changed, recheck, revision};
use crate::{
    civic::{
        Services,
        city_label::city_label,
        model::{CitySlug, Parsed, ParsedItem, SourceMeetingId},
        record::{Answers, Purpose, Scope},
        store::{
            MeetingId, RevisionId,
            cities::{self, StoredCity},
            meetings,
            revisions::{self, Content},
        },
        vendor::{self, VendorError},
    },
    fleet::{
        handler::{Component, Context, Effects, ErrorClass, Handler, HandlerError},
        ledger::PgTx,
    },
    telemetry::names,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Reads the agenda of a meeting. A new revision starts the work on its items and documents; the same again does
/// nothing.
#[derive(Clone, Debug)]
pub struct FetchMeeting(pub Arc<Services>);

/// Which meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchMeetingArgs {
    /// Its city.
    pub city: CitySlug,
    /// The vendor's id.
    pub meeting: SourceMeetingId,
    /// From the record, as it was then; none: from its site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
}

/// What the agenda held.
#[derive(Debug, Serialize)]
pub struct Agenda {
    /// Its items.
    pub items: usize,
    /// Documents attached to them.
    pub attachments: usize,
    /// Rows that were left out or repaired.
    pub warnings: usize,
    #[serde(skip)]
    pub(super) content: Content,
    #[serde(skip)]
    pub(super) meeting: MeetingId,
    #[serde(skip)]
    pub(super) city: StoredCity,
    /// The revision before this look.
    #[serde(skip)]
    current: Option<RevisionId>,
    #[serde(skip)]
    pub(super) as_of: Option<Timestamp>,
    /// Whether the items are to be found in the agenda's document.
    #[serde(skip)]
    pub(super) segment: bool,
}

impl Handler for FetchMeeting {
    type Args = FetchMeetingArgs;
    type Output = Agenda;
    const KIND: &'static str = "fetch_meeting";
    const COMPONENT: Component = Component::Vendor;

    async fn run(&self, args: FetchMeetingArgs, ctx: Context) -> Result<Agenda, HandlerError> {
        let db = self.0.db().await?;
        let city = cities::find(&*db, &args.city).await?;
        let meeting = meetings::find(&*db, &args.city, &args.meeting).await?;
        drop(db);
        let unknown = || format!("city {} has no meeting {}: list its meetings first", args.city, args.meeting);
        let meeting = meeting.ok_or_else(|| HandlerError::non_retryable(ErrorClass::InvalidArgs, unknown()))?;
        let source = &city.city.source;
        let http = match args.as_of {
            Some(until) => self.0.replay(Answers::AsOf(until)),
            None => self.0.http_for(Scope::new(Purpose::Agenda, source.vendor, ctx.job.0).of(city.id)),
        };
        let site = vendor::open(&http, source, city.synced_at.is_some())?;
        let (agenda, tells) = match site.agenda(&meeting.listing) {
            // No site can be down that isn't asked.
            Some(call) if args.as_of.is_some() => (call.await?, true),
            Some(call) => (self.0.ask(&site.group(), source.vendor, VendorError::reach, call).await?, true),
            // What the site told before; never what was found in a document: that is no revision's.
            None => {
                let values = revisions::items(&*self.0.db().await?, meeting.id).await?;
                (Parsed { values, ..Parsed::default() }, false)
            }
        };
        Ok(Agenda {
            items: agenda.values.len(),
            attachments: agenda.values.iter().map(|item: &ParsedItem| item.attachments.len()).sum(),
            warnings: agenda.warnings.len(),
            segment: !tells && agenda.values.is_empty(),
            content: Content { meeting: meeting.listing, items: agenda.values },
            meeting: meeting.id,
            city,
            current: meeting.revision,
            as_of: args.as_of,
        })
    }
}

impl Effects<PgTx> for FetchMeeting {
    async fn apply(&self, tx: &mut PgTx, agenda: &Agenda, ctx: &Context) -> Result<(), HandlerError> {
        // What was recorded then must not be written over what the source has said since.
        if let Some(as_of) = agenda.as_of
            && revisions::is_newer(tx, agenda.meeting, as_of).await?
        {
            return Ok(());
        }
        let Some(revision) = revisions::append(tx, agenda.meeting, &agenda.content).await? else {
            // Who has it parsed again means what is stored, also where its source says the same.
            if agenda.as_of.is_some() {
                return revision::rewrite(tx, agenda).await;
            }
            let Some(current) = agenda.current else { return Ok(()) };
            return recheck::start(tx, agenda, current, &self.0.settings, ctx).await;
        };
        revision::start(tx, agenda, revision, ctx).await?;
        changed::agenda(tx, agenda, revision).await?;
        let (city, vendor) = (city_label(&agenda.city.city.slug), agenda.city.city.source.vendor.as_str());
        let extracted = metrics::counter!(names::ITEMS_EXTRACTED, "city" => city, "vendor" => vendor);
        tx.count(extracted, agenda.items as u64);
        Ok(())
    }
}
