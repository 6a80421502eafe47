//! `extract_document`: the text of one document.

use super::{SegmentAgenda, SegmentAgendaArgs, late, next};
use crate::{
    civic::{
        Services,
        agenda::SEGMENTER,
        document::{ExtractError, Extraction, extract, extractor_version},
        model::Fingerprint,
        store::{RefId, RevisionId, documents, extractions, refs},
    },
    fleet::{
        enqueue::enqueue_one,
        handler::{Component, Context, Effects, ErrorClass, Handler, HandlerError},
        ledger::PgTx,
    },
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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
        let version = extractor_version().await.map_err(|e| failed(&e))?;
        let db = self.0.db().await?;
        if let Some(known) = extractions::find(&*db, &args.sha256, version).await? {
            return Ok(Extracted::new(args, known, true));
        }
        let content = documents::content(&*db, &args.sha256).await?;
        drop(db);
        let unknown = || format!("document {} is not stored: fetch it first", args.sha256);
        let content = content.ok_or_else(|| HandlerError::non_retryable(ErrorClass::InvalidArgs, unknown()))?;
        let extraction = extract(content, &self.0.settings.limits).await.map_err(|e| failed(&e))?;
        Ok(Extracted::new(args, extraction, false))
    }
}

impl Effects<PgTx> for ExtractDocument {
    async fn apply(&self, tx: &mut PgTx, output: &Extracted, ctx: &Context) -> Result<(), HandlerError> {
        extractions::put(tx, &output.args.sha256, &output.extraction).await?;
        let ExtractDocumentArgs { sha256, reference, revision, segment } = &output.args;
        let Some((meeting, item)) = refs::place(tx, *reference).await? else { return Ok(()) };
        if !segment || item.is_some() {
            return late::resummarise(tx, meeting, item, *revision, ctx).await;
        }
        // By revision: an agenda that returns to an earlier state has the items of that state again.
        let key = format!("seg:{revision}:{sha256}:{SEGMENTER}");
        let args = SegmentAgendaArgs { meeting, revision: *revision, sha256: sha256.clone() };
        let job = next::sibling(next::next::<SegmentAgenda>(&args, key, ctx)?, ctx);
        enqueue_one(tx, job).await.map(drop).map_err(|e| next::refused(&e))
    }
}

impl Extracted {
    fn new(args: ExtractDocumentArgs, extraction: Extraction, reused: bool) -> Self {
        let Extraction { pages, chars, .. } = extraction;
        let flags = extraction.flags.iter().map(|flag| flag.as_str()).collect();
        Self { pages, chars, flags, reused, args, extraction }
    }
}

/// The machine's fault, never the document's: another worker may have what is missing here.
fn failed(error: &ExtractError) -> HandlerError {
    let class = if matches!(error, ExtractError::Io(_)) { ErrorClass::Io } else { ErrorClass::Other };
    HandlerError::retryable(class, error.to_string())
}
