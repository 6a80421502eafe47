//! Writing down what a site answered.

use super::{Purpose, Scope, live::host_key};
use crate::{
    civic::{
        model::Fingerprint,
        store::responses::{self, Body, NewResponse},
        vendor::http::{Answer, FetchError, Fetched, redacted},
    },
    db::Pool,
    telemetry::names::RECORD_LOST,
};
use flate2::{Compression, write::GzEncoder};
use std::{io::Write as _, time::Duration};
use tokio::{task::spawn_blocking, time::timeout};
use url::Url;

/// Longest time that a request's record may cost its job.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is larger is hashed and compressed beside the other work of the process: a megabyte takes some milliseconds.
const LARGE: usize = 64 << 10;

/// Writes the record.
#[derive(Clone, Debug)]
pub struct Recorder {
    pool: Pool,
}

impl Recorder {
    /// A record in this database.
    #[must_use]
    pub const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// Writes down how a request ended, unless none went out. What can't be written is counted, and fails no job.
    pub(super) async fn write(&self, scope: &Scope, url: &Url, fetched: &mut Fetched) {
        if !went_out(fetched) {
            return;
        }
        // Before the time limit: what is given away to be hashed must come back.
        let body = match &mut fetched.answer {
            Ok(answer) => Some(digest(answer, scope.purpose).await),
            Err(_) => None,
        };
        let put = timeout(PATIENCE, self.put(scope, url, fetched, body)).await;
        let lost = put.unwrap_or_else(|_| Err(format!("no answer from the database within {PATIENCE:?}"))).err();
        if let Some(error) = lost {
            metrics::counter!(RECORD_LOST).increment(1);
            tracing::warn!(event = "record.lost", vendor = scope.vendor.as_str(), error, "an answer was not recorded");
        }
    }

    async fn put(&self, scope: &Scope, url: &Url, fetched: &Fetched, body: Option<Body>) -> Result<(), String> {
        let answer = fetched.answer.as_ref();
        let final_url = answer.ok().map(|answer| bare(&answer.final_url)).filter(|last| *last != bare(url));
        let row = NewResponse {
            scope,
            host: host_key(url).unwrap_or_default(),
            url: redacted(url),
            url_sha256: Fingerprint::of_bytes(url.as_str().as_bytes()),
            final_url,
            status: answer.ok().map(|answer| answer.status),
            error: answer.err().map(|error| error.class().as_str()),
            bytes: answer.map_or(0, |answer| answer.body.len()),
            took: fetched.took,
            etag: answer.ok().and_then(|answer| answer.etag.as_deref()),
            content_type: answer.ok().and_then(|answer| answer.content_type.as_deref()),
            tls_unverified: fetched.tls_unverified,
            body,
        };
        let client = self.pool.get().await.map_err(|error| error.to_string())?;
        responses::add(&*client, &row).await.map_err(|error| crate::db::describe(&error))
    }
}

/// What links of an answer are relative to. A query may hold a signature.
fn bare(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    redacted(&url)
}

const fn went_out(fetched: &Fetched) -> bool {
    !matches!(fetched.answer, Err(FetchError::RefusedAddress { .. } | FetchError::BadUrl { .. } | FetchError::Setup(_)))
}

/// A document that was had is kept as a document, and not twice.
async fn digest(answer: &mut Answer, purpose: Purpose) -> Body {
    let is_kept_elsewhere = purpose == Purpose::Document && (200..300).contains(&answer.status);
    let work = move |bytes: &[u8]| {
        let sha256 = Fingerprint::of_bytes(bytes);
        Body { sha256, bytes: bytes.len(), gzip: if is_kept_elsewhere { None } else { gzip(bytes) } }
    };
    if answer.body.len() < LARGE {
        return work(&answer.body);
    }
    let bytes = std::mem::take(&mut answer.body);
    let beside = spawn_blocking(move || (work(&bytes), bytes));
    match beside.await {
        Ok((body, bytes)) => {
            answer.body = bytes;
            body
        }
        Err(broken) => std::panic::resume_unwind(broken.into_panic()),
    }
}

/// None: memory is no place that refuses bytes, and a body that could not be compressed is not worth a job.
fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_without_what_may_be_secret() {
        let url = Url::parse("https://u:p@city.example/a.pdf?sig=secret#x").unwrap();
        assert_eq!(bare(&url), "https://city.example/a.pdf");
        assert_eq!(host_key(&url).as_deref(), Some("city.example"));
        assert_eq!(host_key(&Url::parse("http://[::1]:81/").unwrap()).as_deref(), Some("[::1]:81"));
    }
}
