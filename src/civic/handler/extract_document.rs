//! `extract_document`: the text of one document.

use super::{FetchDocument, FetchDocumentArgs, SegmentAgenda, SegmentAgendaArgs, late, next};
use crate::{
    civic::{
        Services,
        agenda::SEGMENTER,
        document::{ExtractError, Extraction, Flag, Kind, targets},
        model::{Fingerprint, WebUrl},
        store::{
            RefId, RevisionId,
            documents::{self, SaveError},
            extractions, found,
            refs::{self, NewRef, Place},
            revisions,
        },
    },
    fleet::{
        enqueue::{Notify, enqueue, will_begin},
        handler::{Component, Context, Effects, ErrorClass, Handler, HandlerError},
        job::NewJob,
        ledger::PgTx,
    },
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tempfile::NamedTempFile;

/// Reads a document's text, in a child process. What is empty, damaged or locked is a result with a flag.
#[derive(Clone, Debug)]
pub struct ExtractDocument(pub Arc<Services>);

/// Which document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtractDocumentArgs {
    /// Hash of its bytes.
    pub sha256: Fingerprint,
    /// Where an agenda refers to it.
    pub reference: RefId,
    /// The revision that asked for it.
    pub revision: RevisionId,
    /// What its links are relative to; none: its reference's address.
    #[serde(default)]
    pub base: Option<WebUrl>,
    /// Its bytes are others than those that were summarised: nobody waits for them, and what they say is summarised anew.
    #[serde(default)]
    pub late: bool,
    /// What it leads to is read from the record, as it was then; none: from its site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// Whether it is an agenda in which items are to be found.
    #[serde(default)]
    pub segment: bool,
}

/// What was read.
#[derive(Debug, Serialize)]
pub struct Extracted {
    /// Pages; 0 when unknown.
    pub pages: u32,
    /// Characters that are no white space.
    pub chars: u64,
    /// What was wrong.
    pub flags: Vec<&'static str>,
    /// True: the text was there already.
    pub reused: bool,
    #[serde(skip)]
    args: ExtractDocumentArgs,
    #[serde(skip)]
    extraction: Extraction,
}

impl Handler for ExtractDocument {
    type Args = ExtractDocumentArgs;
    type Output = Extracted;
    const KIND: &'static str = "extract_document";
    const COMPONENT: Component = Component::Document;

    async fn run(&self, args: ExtractDocumentArgs, _: Context) -> Result<Extracted, HandlerError> {
        let reader = self.0.settings.reader();
        let version = reader.version().await.map_err(|e| failed(&e))?;
        let db = self.0.db().await?;
        if let Some(known) = extractions::find(&*db, &args.sha256, &version).await? {
            return Ok(Extracted::new(args, known, true));
        }
        // Readable by this user only, and removed when dropped.
        let mut file = NamedTempFile::with_prefix("docket-").map_err(|e| failed(&e.into()))?;
        let found = documents::save(&*db, &args.sha256, &mut file).await;
        drop(db);
        if !found.map_err(unsaved)? {
            let unknown = format!("document {} is not stored: fetch it first", args.sha256);
            return Err(HandlerError::non_retryable(ErrorClass::InvalidArgs, unknown));
        }
        let file = file.into_temp_path();
        let extraction = Box::pin(reader.read_file(&file)).await.map_err(|e| failed(&e))?;
        Ok(Extracted::new(args, extraction, false))
    }
}

impl Effects<PgTx> for ExtractDocument {
    async fn apply(&self, tx: &mut PgTx, output: &Extracted, ctx: &Context) -> Result<(), HandlerError> {
        extractions::put(tx, &output.args.sha256, &output.extraction).await?;
        let Some(place) = refs::place(tx, output.args.reference).await? else { return Ok(()) };
        let further = further(tx, &place, output).await?;
        if output.args.segment && place.item.is_none() && !output.is_shell_of(&further) {
            let mut jobs = fetch(&further, &place, output, ctx)?;
            jobs.push(segment(&place, output, ctx)?);
            return enqueue(tx, &jobs, Notify::Yes).await.map(drop).map_err(|e| next::refused(&e));
        }
        let late = match ctx.parent {
            Some(parent) => output.args.late || !will_begin(tx, parent).await?,
            None => output.args.late,
        };
        let jobs = if late {
            let who = (place.meeting, place.item);
            // The bytes are there whatever revision asked for them: it is the newest one that they belong to.
            let revision = revisions::current(tx, place.meeting).await?.unwrap_or(output.args.revision);
            let Some(waiting) = late::again(tx, who, revision, !further.is_empty(), ctx).await? else {
                return Ok(());
            };
            fetch(&further, &place, output, ctx)?.into_iter().map(|job| job.child_of(waiting)).collect()
        } else {
            fetch(&further, &place, output, ctx)?
        };
        enqueue(tx, &jobs, Notify::Yes).await.map(drop).map_err(|e| next::refused(&e))
    }
}

/// Writes which documents a page or a cover sheet leads to, one step far: each with the address to ask.
async fn further(tx: &PgTx, place: &Place, output: &Extracted) -> Result<Vec<(RefId, WebUrl)>, HandlerError> {
    // What a PDF links at its items is theirs: it is looked for with them.
    if output.args.segment && output.extraction.kind == Kind::Pdf {
        return Ok(Vec::new());
    }
    let base = output.args.base.clone().or_else(|| WebUrl::parse(&place.url).ok());
    let Some(base) = base.filter(|_| place.found_in.is_none()) else { return Ok(Vec::new()) };
    let targets = targets(&output.extraction.links, &base, &place.url);
    let mut new: Vec<(NewRef, WebUrl)> = Vec::with_capacity(targets.len());
    for (name, url) in targets {
        let named = NewRef::new(place.item, &name, &url);
        // Two signatures of one address are one document.
        if new.iter().all(|(known, _)| known.url != named.url) {
            new.push((named, url));
        }
    }
    let refs: Vec<NewRef> = new.iter().map(|(named, _)| named.clone()).collect();
    let rows = found::replace(tx, (place.meeting, place.item), output.args.reference, &refs).await?;
    let address = |url: &str| new.iter().find(|(named, _)| named.url == url).map(|(_, address)| address.clone());
    Ok(rows.into_iter().filter_map(|row| Some((row.id, address(&row.url)?))).collect())
}

/// Looks for the items in an agenda's text.
fn segment(place: &Place, output: &Extracted, ctx: &Context) -> Result<NewJob, HandlerError> {
    let ExtractDocumentArgs { sha256, revision, .. } = &output.args;
    // By revision and attempt: an agenda that returns to an earlier state has the items of that state again.
    let key = format!("seg:{revision}:{sha256}:{SEGMENTER}:{}", ctx.job);
    let (reference, as_of) = (Some(output.args.reference), output.args.as_of);
    let args =
        SegmentAgendaArgs { meeting: place.meeting, revision: *revision, sha256: sha256.clone(), reference, as_of };
    Ok(next::sibling(next::next::<SegmentAgenda>(&args, key, ctx)?, ctx))
}

/// Their jobs: as this one's successors they keep its place among the children of who waits.
fn fetch(
    further: &[(RefId, WebUrl)],
    place: &Place,
    output: &Extracted,
    ctx: &Context,
) -> Result<Vec<NewJob>, HandlerError> {
    let Some(vendor) = place.vendor else { return Ok(Vec::new()) };
    let (revision, as_of) = (output.args.revision, output.args.as_of);
    let segment = output.args.segment && output.is_shell_of(further);
    let job = |(id, url): &(RefId, WebUrl)| {
        let args = FetchDocumentArgs {
            reference: *id,
            revision,
            url: url.to_string(),
            vendor,
            recheck: false,
            as_of,
            segment,
        };
        // By attempt, so that it is never one that is there already: who waits for children must get them.
        let key = format!("doc:{revision}:{id}:{}:{}", ctx.job, ctx.epoch);
        Ok(next::sibling(next::next::<FetchDocument>(&args, key, ctx)?, ctx))
    };
    further.iter().map(job).collect()
}

impl Extracted {
    fn new(args: ExtractDocumentArgs, extraction: Extraction, reused: bool) -> Self {
        let Extraction { pages, chars, .. } = extraction;
        let flags = extraction.flags.iter().map(|flag| flag.as_str()).collect();
        Self { pages, chars, flags, reused, args, extraction }
    }

    /// Whether it is only a page around one document: that one is meant, then.
    fn is_shell_of(&self, further: &[(RefId, WebUrl)]) -> bool {
        further.len() == 1 && self.extraction.flags.contains(&Flag::Shell)
    }
}

fn unsaved(error: SaveError) -> HandlerError {
    match error {
        SaveError::Database(error) => error.into(),
        SaveError::File(error) => failed(&error.into()),
    }
}

/// The machine's fault, never the document's: another worker may have what is missing here.
fn failed(error: &ExtractError) -> HandlerError {
    let class = if matches!(error, ExtractError::Io(_)) { ErrorClass::Io } else { ErrorClass::Other };
    HandlerError::retryable(class, error.to_string())
}
