//! `fetch_document`: the bytes of one document.

use super::{ExtractDocument, ExtractDocumentArgs, next};
use crate::{
    civic::{
        Services,
        model::{Fingerprint, Vendor},
        store::{RefId, RevisionId, documents, refs},
        vendor::{
            host_group,
            http::{Ask, FetchError, RequestId},
        },
    },
    fleet::{
        enqueue::enqueue_one,
        handler::{Component, Context, Effects, Handler, HandlerError},
        ledger::PgTx,
    },
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use url::Url;

/// Fetches a document and keeps it by its hash.
#[derive(Clone, Debug)]
pub struct FetchDocument(pub Arc<Services>);

/// Which document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchDocumentArgs {
    /// Where an agenda refers to it.
    pub reference: RefId,
    /// The revision that asked for it: behind the same address may be other bytes each time.
    pub revision: RevisionId,
    /// Its address.
    pub url: String,
    /// The vendor, for the metrics.
    pub vendor: Vendor,
    /// Whether it is an agenda in which items are to be found.
    #[serde(default)]
    pub segment: bool,
}

/// What was fetched.
#[derive(Debug, Serialize)]
pub struct Fetched {
    /// Hash of the bytes.
    pub sha256: Fingerprint,
    /// How many.
    pub bytes: usize,
    /// What they look like.
    pub kind: &'static str,
    #[serde(skip)]
    content: Vec<u8>,
    #[serde(skip)]
    reference: RefId,
    #[serde(skip)]
    revision: RevisionId,
    #[serde(skip)]
    segment: bool,
}

impl Handler for FetchDocument {
    type Args = FetchDocumentArgs;
    type Output = Fetched;
    const KIND: &'static str = "fetch_document";
    const COMPONENT: Component = Component::Document;

    async fn run(&self, args: FetchDocumentArgs, ctx: Context) -> Result<Fetched, HandlerError> {
        let mut ask = Ask::document(args.vendor);
        ask.max_body = ask.max_body.min(self.0.settings.limits.max_input);
        ask.request_id = Some(RequestId { job: ctx.job.0, attempt: ctx.attempt });
        let group = Url::parse(&args.url).map(|url| host_group(&url)).unwrap_or_default();
        let call = self.0.http.get(&args.url, &ask);
        let content = self.0.ask(&group, args.vendor, FetchError::reach, call).await?.body;
        Ok(Fetched {
            sha256: Fingerprint::of_bytes(&content),
            bytes: content.len(),
            kind: kind(&content),
            content,
            reference: args.reference,
            revision: args.revision,
            segment: args.segment,
        })
    }
}

impl Effects<PgTx> for FetchDocument {
    async fn apply(&self, tx: &mut PgTx, fetched: &Fetched, ctx: &Context) -> Result<(), HandlerError> {
        let Fetched { sha256, reference, revision, segment, .. } = fetched;
        documents::put(tx, sha256, fetched.kind, &fetched.content).await?;
        refs::set_fetched(tx, *reference, sha256).await?;
        let args = ExtractDocumentArgs {
            sha256: sha256.clone(),
            reference: *reference,
            revision: *revision,
            segment: *segment,
        };
        let key = format!("ext:{revision}:{reference}:{sha256}");
        let job = next::sibling(next::next::<ExtractDocument>(&args, key, ctx)?, ctx);
        enqueue_one(tx, job).await.map(drop).map_err(|e| next::refused(&e))
    }
}

/// What bytes look like, whatever the site calls them: sites send an HTML page with status 200 for a missing file.
fn kind(content: &[u8]) -> &'static str {
    let head = &content[..content.len().min(1_024)];
    let has = |mark: &[u8]| head.windows(mark.len()).any(|window| window.eq_ignore_ascii_case(mark));
    match head {
        [] => "empty",
        _ if has(b"%PDF-") => "pdf",
        _ if has(b"<html") || has(b"<!doctype html") => "html",
        [b'P', b'K', 3, 4, ..] => "zip",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_tell_what_they_are() {
        assert_eq!(kind(b""), "empty");
        assert_eq!(kind(b"\r\n%PDF-1.7"), "pdf");
        assert_eq!(kind(b"<!DOCTYPE HTML><title>Error</title>"), "html");
        assert_eq!(kind(b"PK\x03\x04 a word document"), "zip");
        assert_eq!(kind(b"\xff\xfe"), "other");
        assert_eq!(kind(&[&[b' '; 2_000], b"%PDF-1.7".as_slice()].concat()), "other");
    }
}
