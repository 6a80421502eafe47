//! `segment_agenda`: the items of an agenda that is only a document.

use super::{SummariseItem, SummariseItemArgs, SummariseMeeting, SummariseMeetingArgs, late, next, revision};
use crate::{
    civic::{
        Services,
        agenda::{Segmented, Suspect, parsed_items, segment, shared},
        city_label::city_label,
        model::{Fingerprint, ParsedItem, matter_priority},
        store::{
            ItemId, MeetingId, RevisionId,
            cities::{self, StoredCity},
            extractions, items, revisions, segments,
        },
    },
    fleet::{
        enqueue::{Notify, enqueue, enqueue_one, will_begin},
        handler::{Component, Context, Effects, ErrorClass, Handler, HandlerError},
        job::JobId,
        ledger::PgTx,
    },
    telemetry::names,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Finds the items in the text of a meeting's own agenda, where the site tells of none. What can't be believed is a result
/// too: the meeting is then summarised from the whole document.
#[derive(Clone, Debug)]
pub struct SegmentAgenda(pub Arc<Services>);

/// Which agenda.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentAgendaArgs {
    /// The meeting.
    pub meeting: MeetingId,
    /// Its revision.
    pub revision: RevisionId,
    /// Hash of the document's bytes.
    pub sha256: Fingerprint,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Segments {
    /// Items.
    pub items: usize,
    /// By what they were found.
    pub method: &'static str,
    /// Why none are believed; none: they are.
    pub suspect: Option<String>,
    /// What was left out.
    pub warnings: Vec<String>,
    #[serde(skip)]
    args: SegmentAgendaArgs,
    #[serde(skip)]
    found: Result<Segmented, Suspect>,
    #[serde(skip)]
    city: StoredCity,
    /// Days to the meeting.
    #[serde(skip)]
    days: i32,
}

impl Handler for SegmentAgenda {
    type Args = SegmentAgendaArgs;
    type Output = Segments;
    const KIND: &'static str = "segment_agenda";
    const COMPONENT: Component = Component::Document;

    async fn run(&self, args: SegmentAgendaArgs, _: Context) -> Result<Segments, HandlerError> {
        let extractor = self.0.settings.reader().version().await;
        let extractor = extractor.map_err(|e| HandlerError::retryable(ErrorClass::Other, e.to_string()))?;
        let db = self.0.db().await?;
        let unknown = |what: String| HandlerError::non_retryable(ErrorClass::InvalidArgs, what);
        let subject = segments::subject(&*db, args.meeting).await?;
        let subject = subject.ok_or_else(|| unknown(format!("no meeting {}", args.meeting)))?;
        let city = cities::find(&*db, &subject.city).await?;
        let others = segments::sharing(&*db, &subject, args.meeting, &args.sha256).await?;
        let extraction = extractions::find(&*db, &args.sha256, &extractor).await?;
        drop(db);
        let text =
            extraction.ok_or_else(|| unknown(format!("document {} has no text: extract it first", args.sha256)))?.text;
        // A packet of a thousand pages takes a tenth of a second.
        let work = tokio::task::spawn_blocking(move || shared(segment(&text), &text, subject.day, &others));
        let found = work.await.unwrap_or_else(|broken| std::panic::resume_unwind(broken.into_panic()));
        let days = city.days_to(subject.day);
        Ok(Segments::new(args, found, city, days))
    }
}

impl Segments {
    fn new(args: SegmentAgendaArgs, found: Result<Segmented, Suspect>, city: StoredCity, days: i32) -> Self {
        let (method, items, warnings, suspect) = match &found {
            Ok(found) => (found.method, found.items.len(), found.warnings.clone(), None),
            Err(suspect) => (suspect.method, 0, Vec::new(), Some(suspect.why.clone())),
        };
        Self { items, method: method.as_str(), suspect, warnings, args, found, city, days }
    }
}

impl Effects<PgTx> for SegmentAgenda {
    async fn apply(&self, tx: &mut PgTx, output: &Segments, ctx: &Context) -> Result<(), HandlerError> {
        let SegmentAgendaArgs { meeting, revision, sha256 } = &output.args;
        // A newer revision reads its own agenda, and this one must not write over it.
        if !revisions::hold_current(tx, *meeting, *revision).await? {
            return Ok(());
        }
        segments::put(tx, (*meeting, *revision), sha256, &output.found).await?;
        let parsed = output.found.as_ref().map(|found| parsed_items(&found.items)).unwrap_or_default();
        let rows = items::replace(tx, *meeting, &parsed).await?;
        output.count(tx);
        if rows.is_empty() {
            return match ctx.parent {
                Some(_) => late::resummarise(tx, *meeting, None, *revision, ctx).await,
                // Other bytes behind the agenda's address: nobody waits for them.
                None => late::again(tx, (*meeting, None), *revision, false, ctx).await.map(drop),
            };
        }
        output.start(tx, &parsed, &rows, ctx).await
    }
}

impl Segments {
    /// Enqueues the work on the items: under the meeting's summary while it waits, else under a further one.
    async fn start(
        &self,
        tx: &PgTx,
        parsed: &[ParsedItem],
        rows: &[ItemId],
        ctx: &Context,
    ) -> Result<(), HandlerError> {
        let revision = self.args.revision;
        let (parent, late) = match ctx.parent {
            Some(parent) if will_begin(tx, parent).await? => (parent, String::new()),
            _ => self.late(tx, ctx).await?,
        };
        let mut jobs = Vec::with_capacity(rows.len());
        let whose = (&self.city.city.slug, self.city.city.source.vendor);
        for (item, &row) in parsed.iter().zip(rows) {
            let args = SummariseItemArgs { item: row, revision };
            // By attempt: the same item may have other words than when this revision's were first read.
            let key = format!("sum:item:{revision}:{row}{late}:{}", ctx.job);
            let job = next::next::<SummariseItem>(&args, key, ctx)?;
            jobs.push(job.child_of(parent).priority(ctx.priority.into()));
            let track = revision::track(whose, item, row, ctx)?;
            jobs.extend(track.map(|job| job.priority(matter_priority(self.days))));
        }
        enqueue(tx, &jobs, Notify::Yes).await.map(drop).map_err(|e| next::refused(&e))
    }

    /// A further summary of the meeting, which waits for the items. Keyed by attempt, as all that comes late.
    async fn late(&self, tx: &PgTx, ctx: &Context) -> Result<(JobId, String), HandlerError> {
        let SegmentAgendaArgs { meeting, revision, .. } = self.args;
        let late = format!(":late:{}:{}", ctx.job, ctx.epoch);
        let args = SummariseMeetingArgs { meeting, revision };
        let top = next::next::<SummariseMeeting>(&args, format!("sum:meeting:{revision}{late}"), ctx)?;
        let top = enqueue_one(tx, top.waits_for_children()).await.map_err(|e| next::refused(&e))?;
        Ok((top.id(), late))
    }

    fn count(&self, tx: &mut PgTx) {
        let result = if self.found.is_ok() { "segmented" } else { "suspect" };
        tx.count(metrics::counter!(names::SEGMENTATIONS, "method" => self.method, "result" => result), 1);
        let (city, vendor) = (city_label(&self.city.city.slug), self.city.city.source.vendor.as_str());
        let extracted = metrics::counter!(names::ITEMS_EXTRACTED, "city" => city, "vendor" => vendor);
        tx.count(extracted, self.items as u64);
    }
}
