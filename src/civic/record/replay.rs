//! Answers from the record, and no request: neither breaker nor pace has a say.

use crate::{
    civic::{
        model::Fingerprint,
        store::{
            RefId,
            replay::{self, Recorded},
        },
        vendor::http::{Ask, FetchError, HttpClient, Response, Transport, redacted},
    },
    db::Pool,
};
use flate2::read::GzDecoder;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::io::Read as _;
use tokio::task::spawn_blocking;
use url::Url;
use uuid::Uuid;

/// Which answers are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// Those of one listing.
    OfListing(Uuid),
    /// The last good one of each address until then.
    AsOf(Timestamp),
    /// The same, of a document to which this refers.
    OfReference(RefId, Timestamp),
}

/// The record in the place of the network.
#[derive(Debug)]
pub struct Replay {
    pool: Pool,
    answers: Answers,
}

impl Replay {
    /// Answers from the record in this database.
    #[must_use]
    pub const fn new(pool: Pool, answers: Answers) -> Self {
        Self { pool, answers }
    }

    async fn answer(&self, text: &str, ask: &Ask) -> Result<Response, FetchError> {
        let bad = || FetchError::BadUrl { url: "an unreadable address".to_owned() };
        let url = Url::parse(text).map_err(|_| bad())?;
        let not_recorded = || FetchError::NotRecorded { url: redacted(&url) };
        if let Some(recorded) = self.find(&url).await? {
            return response(recorded, &url, ask.max_body).await;
        }
        let Answers::OfReference(reference, _) = self.answers else { return Err(not_recorded()) };
        let client = self.pool.get().await.map_err(|error| FetchError::Database(error.to_string()))?;
        let body = replay::of_reference(&*client, reference, text).await.map_err(|error| database(&error))?;
        Ok(Response {
            status: 200,
            content_type: None,
            etag: None,
            last_modified: None,
            final_url: url.clone(),
            body: body.ok_or_else(not_recorded)?,
        })
    }

    async fn find(&self, url: &Url) -> Result<Option<Recorded>, FetchError> {
        let client = self.pool.get().await.map_err(|error| FetchError::Database(error.to_string()))?;
        let key = Fingerprint::of_bytes(url.as_str().as_bytes());
        let found = match self.answers {
            Answers::OfListing(ask) => replay::of_ask(&*client, ask, &key).await,
            Answers::AsOf(until) | Answers::OfReference(_, until) => replay::as_of(&*client, until, &key).await,
        };
        found.map_err(|error| database(&error))
    }
}

fn database(error: &tokio_postgres::Error) -> FetchError {
    FetchError::Database(crate::db::describe(error))
}

impl Transport for Replay {
    fn get<'a>(&'a self, _: &'a HttpClient, url: &'a str, ask: &'a Ask) -> BoxFuture<'a, Result<Response, FetchError>> {
        Box::pin(self.answer(url, ask))
    }
}

/// What the live client would have made of it: also of an error, after which some vendors are asked otherwise.
async fn response(recorded: Recorded, url: &Url, limit: usize) -> Result<Response, FetchError> {
    let Recorded { status, error, final_url, content_type, etag, gzip, document } = recorded;
    let Some(status) = status else {
        let reason = format!("recorded as {}", error.unwrap_or_default());
        return Err(FetchError::Connect { url: redacted(url), reason });
    };
    if !(200..300).contains(&status) {
        return Err(FetchError::Status { url: redacted(url), status, retry_after: None });
    }
    let body = match gzip {
        Some(gzip) => plain(gzip, limit).await,
        None => document,
    };
    let body = body.ok_or_else(|| FetchError::NotRecorded { url: redacted(url) })?;
    if body.len() > limit {
        return Err(FetchError::TooLarge { url: redacted(url), limit });
    }
    let final_url = final_url.and_then(|last| Url::parse(&last).ok()).unwrap_or_else(|| url.clone());
    Ok(Response { status, content_type, etag, last_modified: None, final_url, body })
}

/// Beside the other work of the process. None: damaged.
async fn plain(gzip: Vec<u8>, limit: usize) -> Option<Vec<u8>> {
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let work = spawn_blocking(move || {
        let mut body = Vec::new();
        GzDecoder::new(&gzip[..]).take(most).read_to_end(&mut body).ok().map(|_| body)
    });
    work.await.ok().flatten()
}
