//! `segment_agenda`: the items of an agenda that is only a document.

use super::{
    FetchDocument, FetchDocumentArgs, SummariseItem, SummariseItemArgs, SummariseMeeting, SummariseMeetingArgs, late,
    next,
    revision::{self, Addresses},
};
use crate::{
    civic::{
        Services,
        agenda::{Segmented, Suspect, attached, parsed_items, segment, shared},
        city_label::city_label,
        document::{Kind, Link, targets},
        model::{Fingerprint, ParsedAttachment, ParsedItem, WebUrl, matter_priority},
        store::{
            ItemId, MeetingId, RefId, RevisionId,
            cities::{self, StoredCity},
            documents, extractions, found, items,
            refs::{self, StoredRef},
            revisions, segments,
        },
    },
    fleet::{
        enqueue::{Notify, enqueue, enqueue_one, will_begin},
        handler::{Component, Context, Effects, ErrorClass, Handler, HandlerError},
        job::{JobId, NewJob},
        ledger::PgTx,
    },
    telemetry::names,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};
use tempfile::NamedTempFile;

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
    /// Where the meeting refers to it; none: of an older version, which looked for no links.
    #[serde(default)]
    pub reference: Option<RefId>,
    /// What its items link is read from the record, as it was then; none: from its site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Segments {
    /// Items.
    pub items: usize,
    /// Documents that it links at them.
    pub attachments: usize,
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
    /// Of each item; without items one list, of what the agenda leads to.
    #[serde(skip)]
    linked: Vec<Vec<ParsedAttachment>>,
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
        let extractor = self.0.extractor().await?;
        let db = self.0.db().await?;
        let unknown = |what: String| HandlerError::non_retryable(ErrorClass::InvalidArgs, what);
        let subject = segments::subject(&*db, args.meeting).await?;
        let subject = subject.ok_or_else(|| unknown(format!("no meeting {}", args.meeting)))?;
        let city = cities::find(&*db, &subject.city).await?;
        let others = segments::sharing(&*db, &subject, args.meeting, &args.sha256).await?;
        let extraction = extractions::find(&*db, &args.sha256, &extractor).await?;
        drop(db);
        let extraction =
            extraction.ok_or_else(|| unknown(format!("document {} has no text: extract it first", args.sha256)))?;
        let (text, is_pdf, links) = (extraction.text, extraction.kind == Kind::Pdf, extraction.links);
        // A packet of a thousand pages takes a tenth of a second.
        let work = tokio::task::spawn_blocking(move || shared(segment(&text), &text, subject.day, &others));
        let found = work.await.unwrap_or_else(|broken| std::panic::resume_unwind(broken.into_panic()));
        let linked = match args.reference {
            Some(reference) if is_pdf => self.linked(&args.sha256, reference, &found, links).await?,
            _ => Vec::new(),
        };
        let days = city.days_to(subject.day);
        Ok(Segments::new(args, (found, linked), city, days))
    }
}

impl SegmentAgenda {
    /// The documents that a PDF links at each of its items; those of a cover sheet where it has none.
    async fn linked(
        &self,
        sha256: &Fingerprint,
        reference: RefId,
        found: &Result<Segmented, Suspect>,
        links: Vec<Link>,
    ) -> Result<Vec<Vec<ParsedAttachment>>, HandlerError> {
        let db = self.0.db().await?;
        let Some(place) = refs::place(&*db, reference).await? else { return Ok(Vec::new()) };
        let Ok(base) = WebUrl::parse(&place.url) else { return Ok(Vec::new()) };
        let attachment = |(name, url)| ParsedAttachment { vendor_id: None, name, url };
        let of = |links: &[Link]| targets(links, &base, &place.url).into_iter().map(attachment).collect();
        let Ok(found) = found else { return Ok(vec![of(&links)]) };
        let io = |error: std::io::Error| HandlerError::retryable(ErrorClass::Io, error.to_string());
        let mut file = NamedTempFile::with_prefix("docket-").map_err(io)?;
        let saved = documents::save(&*db, sha256, &mut file).await;
        drop(db);
        let saved = saved.map_err(|error| HandlerError::retryable(ErrorClass::Io, error.to_string()))?;
        if !saved {
            return Ok(Vec::new());
        }
        let lines = self.0.settings.reader().printed(&file.into_temp_path()).await.map_err(io)?;
        Ok(attached(&found.items, &lines).iter().map(|links| of(links)).collect())
    }
}

impl Segments {
    fn new(
        args: SegmentAgendaArgs,
        (found, linked): (Result<Segmented, Suspect>, Vec<Vec<ParsedAttachment>>),
        city: StoredCity,
        days: i32,
    ) -> Self {
        let attachments = linked.iter().map(Vec::len).sum();
        let (method, items, warnings, suspect) = match &found {
            Ok(found) => (found.method, found.items.len(), found.warnings.clone(), None),
            Err(suspect) => (suspect.method, 0, Vec::new(), Some(suspect.why.clone())),
        };
        Self { items, attachments, method: method.as_str(), suspect, warnings, args, found, linked, city, days }
    }

    /// The items with their documents, as the tables hold them.
    fn parsed(&self) -> Vec<ParsedItem> {
        let mut parsed = self.found.as_ref().map(|found| parsed_items(&found.items)).unwrap_or_default();
        for (item, linked) in parsed.iter_mut().zip(&self.linked) {
            item.attachments.clone_from(linked);
        }
        parsed
    }
}

impl Effects<PgTx> for SegmentAgenda {
    async fn apply(&self, tx: &mut PgTx, output: &Segments, ctx: &Context) -> Result<(), HandlerError> {
        let SegmentAgendaArgs { meeting, revision, sha256, reference, .. } = &output.args;
        // A newer revision reads its own agenda, and this one must not write over it.
        if !revisions::hold_current(tx, *meeting, *revision).await? {
            return Ok(());
        }
        segments::put(tx, (*meeting, *revision), sha256, &output.found).await?;
        let parsed = output.parsed();
        let rows = items::replace(tx, *meeting, &parsed).await?;
        let (named, addresses) = revision::attachments(&parsed, &rows);
        let refs = match reference {
            Some(reference) => found::replace_of_items(tx, *meeting, *reference, &named).await?,
            None => Vec::new(),
        };
        output.count(tx);
        if rows.is_empty() {
            return output.behind(tx, ctx).await;
        }
        output.start(tx, (&parsed, &rows), (&refs, &addresses), ctx).await
    }
}

impl Segments {
    /// Enqueues the work on the items: under the meeting's summary while it waits, else under a further one.
    async fn start(
        &self,
        tx: &PgTx,
        (parsed, rows): (&[ParsedItem], &[ItemId]),
        (refs, addresses): (&[StoredRef], &Addresses),
        ctx: &Context,
    ) -> Result<(), HandlerError> {
        let (revision, as_of) = (self.args.revision, self.args.as_of);
        let (parent, late) = match ctx.parent {
            Some(parent) if will_begin(tx, parent).await? => (parent, String::new()),
            _ => self.late(tx, ctx).await?,
        };
        let vendor = self.city.city.source.vendor;
        let with_documents: BTreeSet<ItemId> = refs.iter().filter_map(|reference| reference.item).collect();
        let mut jobs = Vec::with_capacity(rows.len());
        for &row in rows {
            let args = SummariseItemArgs { item: row, revision };
            // By attempt: the same item may have other words than when this revision's were first read.
            let key = format!("sum:item:{revision}:{row}{late}:{}", ctx.job);
            let job = next::next::<SummariseItem>(&args, key, ctx)?.child_of(parent).priority(ctx.priority.into());
            jobs.push(if with_documents.contains(&row) { job.waits_for_children() } else { job });
        }
        let waiting: HashMap<ItemId, JobId> = rows.iter().copied().zip(revision::put(tx, jobs).await?).collect();
        let mut jobs = Vec::with_capacity(refs.len() + rows.len());
        for reference in refs {
            let Some(&waiting) = reference.item.as_ref().and_then(|item| waiting.get(item)) else { continue };
            let url = addresses.get(&(reference.item, reference.url.clone())).map_or(&*reference.url, WebUrl::as_str);
            let (reference, url) = (reference.id, url.to_owned());
            let args = FetchDocumentArgs { reference, revision, url, vendor, recheck: false, as_of, segment: false };
            let job = next::next::<FetchDocument>(&args, format!("doc:{revision}:{reference}:{}", ctx.job), ctx)?;
            jobs.push(job.child_of(waiting).priority(ctx.priority.into()));
        }
        for (item, &row) in parsed.iter().zip(rows) {
            let track = revision::track((&self.city.city.slug, vendor), item, row, ctx)?;
            jobs.extend(track.map(|job| job.priority(matter_priority(self.days))));
        }
        enqueue(tx, &jobs, Notify::Yes).await.map(drop).map_err(|e| next::refused(&e))
    }

    /// Without items: the meeting is summarised from the whole document, and from what it leads to, which is fetched first.
    async fn behind(&self, tx: &PgTx, ctx: &Context) -> Result<(), HandlerError> {
        let SegmentAgendaArgs { meeting, revision, reference, as_of, .. } = self.args;
        let shown = self.linked.iter().flatten().map(|linked| (None, linked.name.as_str(), &linked.url));
        let (named, addresses) = revision::distinct(shown);
        let refs = match reference {
            Some(reference) => found::replace(tx, (meeting, None), reference, &named).await?,
            None => Vec::new(),
        };
        let vendor = self.city.city.source.vendor;
        let job = |of: &StoredRef| {
            let url = addresses.get(&(None, of.url.clone())).map_or(&*of.url, WebUrl::as_str).to_owned();
            let args =
                FetchDocumentArgs { reference: of.id, revision, url, vendor, recheck: false, as_of, segment: false };
            next::next::<FetchDocument>(&args, format!("doc:{revision}:{}:{}", of.id, ctx.job), ctx)
        };
        let jobs = refs.iter().map(job).collect::<Result<Vec<_>, _>>()?;
        let waits = match ctx.parent {
            Some(parent) => will_begin(tx, parent).await?,
            None => false,
        };
        let jobs: Vec<NewJob> = if waits {
            jobs.into_iter().map(|job| next::sibling(job, ctx)).collect()
        } else {
            let again = late::again(tx, (meeting, None), revision, !jobs.is_empty(), ctx).await?;
            let Some(waiting) = again else { return Ok(()) };
            jobs.into_iter().map(|job| job.child_of(waiting)).collect()
        };
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
