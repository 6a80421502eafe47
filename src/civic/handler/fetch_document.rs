//! `fetch_document`: the bytes of one document.

use super::{ExtractDocument, ExtractDocumentArgs, next, resolve};
use crate::{
    civic::{
        Services,
        document::{Kind, sniff},
        model::{Fingerprint, Vendor, WebUrl, unsigned},
        record::{Answers, Purpose, Scope},
        store::{RefId, RevisionId, documents, found, refs},
        vendor::{
            host_group,
            http::{Ask, FetchError, RequestId, Response, Validators},
        },
    },
    fleet::{
        enqueue::enqueue_one,
        handler::{Component, Context, Effects, ErrorClass, Handler, HandlerError},
        ledger::PgTx,
    },
};
use jiff::Timestamp;
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
    /// Its address, with its signature where it has one.
    pub url: String,
    /// The vendor, for the metrics.
    pub vendor: Vendor,
    /// It was fetched before: nothing is done unless its bytes are others now.
    #[serde(default)]
    pub recheck: bool,
    /// From the record, as it was then; none: from its site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// Whether it is an agenda in which items are to be found.
    #[serde(default)]
    pub segment: bool,
}

/// What was fetched.
#[derive(Debug, Serialize)]
pub struct Fetched {
    /// Hash of the bytes; none: they are what they were.
    pub sha256: Option<Fingerprint>,
    /// How many.
    pub bytes: usize,
    /// What they are.
    pub kind: Kind,
    #[serde(skip)]
    response: Option<Response>,
    #[serde(skip)]
    args: FetchDocumentArgs,
}

impl Handler for FetchDocument {
    type Args = FetchDocumentArgs;
    type Output = Fetched;
    const KIND: &'static str = "fetch_document";
    const COMPONENT: Component = Component::Document;

    async fn run(&self, args: FetchDocumentArgs, ctx: Context) -> Result<Fetched, HandlerError> {
        let (url, known) = match args.recheck {
            false => (args.url.clone(), Validators::default()),
            true => match self.known(&args, &ctx).await? {
                Some(known) => known,
                None => return Ok(Fetched::new(args, None)),
            },
        };
        let response = match self.ask(&url, &args, &known, &ctx).await {
            Err(error) if is_gone(&error) && args.as_of.is_none() => {
                match resolve::fresh(&self.0, args.reference, &ctx).await? {
                    Some(fresh) if fresh.as_str() != url => self.ask(fresh.as_str(), &args, &known, &ctx).await?,
                    _ => return Err(error),
                }
            }
            answer => answer?,
        };
        Ok(Fetched::new(args, response))
    }
}

/// What an expired signature is answered with.
fn is_gone(error: &HandlerError) -> bool {
    let gone = [ErrorClass::Forbidden, ErrorClass::NotFound, ErrorClass::ClientError];
    error.class().is_some_and(|class| gone.contains(&class))
}

impl FetchDocument {
    /// Where a document that was fetched before is now, and what is known of it. None: the agenda no longer names it.
    async fn known(
        &self,
        args: &FetchDocumentArgs,
        ctx: &Context,
    ) -> Result<Option<(String, Validators)>, HandlerError> {
        let Some(place) = refs::place(&*self.0.db().await?, args.reference).await? else { return Ok(None) };
        let known = Validators { etag: place.etag, last_modified: place.last_modified };
        if place.signed && unsigned(&args.url).is_none() {
            let fresh = resolve::fresh(&self.0, args.reference, ctx).await?;
            return Ok(fresh.map(|url| (url.to_string(), known)));
        }
        Ok(Some((args.url.clone(), known)))
    }

    async fn ask(
        &self,
        url: &str,
        args: &FetchDocumentArgs,
        known: &Validators,
        ctx: &Context,
    ) -> Result<Option<Response>, HandlerError> {
        let mut ask = Ask::document(args.vendor);
        ask.max_body = ask.max_body.min(self.0.settings.limits.max_input);
        ask.request_id = Some(RequestId { job: ctx.job.0, attempt: ctx.attempt });
        ask.known = known.clone();
        if let Some(until) = args.as_of {
            let replay = self.0.replay(Answers::OfReference(args.reference, until));
            return Ok(Some(replay.get(url, &ask).await?));
        }
        let group = Url::parse(url).map(|url| host_group(&url)).unwrap_or_default();
        let mut scope = Scope::new(Purpose::Document, args.vendor, ctx.job.0);
        scope.reference = Some(args.reference);
        let http = self.0.http_for(scope);
        let call = http.get_if_changed(url, &ask);
        self.0.ask(&group, args.vendor, FetchError::reach, call).await
    }
}

impl Fetched {
    fn new(args: FetchDocumentArgs, response: Option<Response>) -> Self {
        let content = response.as_ref().map(|response| response.body.as_slice());
        Self {
            sha256: content.map(Fingerprint::of_bytes),
            bytes: content.map_or(0, <[u8]>::len),
            kind: content.map_or(Kind::Other, sniff),
            response,
            args,
        }
    }
}

impl Effects<PgTx> for FetchDocument {
    async fn apply(&self, tx: &mut PgTx, fetched: &Fetched, ctx: &Context) -> Result<(), HandlerError> {
        let FetchDocumentArgs { reference, revision, recheck, as_of, segment, .. } = fetched.args;
        let (Some(sha256), Some(response)) = (&fetched.sha256, &fetched.response) else {
            return Ok(found::unchanged(tx, reference).await?);
        };
        documents::put(tx, sha256, fetched.kind.as_str(), &response.body).await?;
        let marks = (response.etag.as_deref(), response.last_modified.as_deref());
        let changed = match as_of {
            None => found::fetched(tx, reference, sha256, marks).await?,
            // Nobody was asked: what is known of the address stays.
            Some(_) => found::replayed(tx, reference, sha256).await.map(|()| false)?,
        };
        if recheck && !changed {
            return Ok(());
        }
        let args = ExtractDocumentArgs {
            sha256: sha256.clone(),
            reference,
            revision,
            base: base(&response.final_url),
            late: recheck,
            as_of,
            segment,
        };
        let mut key = format!("ext:{revision}:{reference}:{sha256}");
        if recheck || changed {
            // Bytes that return to what they were are news again.
            key = format!("{key}:{}", ctx.job);
        }
        let job = next::sibling(next::next::<ExtractDocument>(&args, key, ctx)?, ctx);
        enqueue_one(tx, job).await.map(drop).map_err(|e| next::refused(&e))
    }
}

/// What links of a page are relative to: the address that answered, without its query, which may be a signature.
fn base(url: &Url) -> Option<WebUrl> {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    WebUrl::parse(url.as_str()).ok()
}
