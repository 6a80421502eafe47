//! What comes back of a request, and what may stand before the network.

use super::{Ask, FetchError, HttpClient, redacted};
use futures_util::future::BoxFuture;
use std::{fmt::Debug, time::Duration};
use url::Url;

/// A complete answer with a status of success.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status, 200 to 299.
    pub status: u16,
    /// The type without its parameters, in lower case; what the site says, not what the bytes are.
    pub content_type: Option<String>,
    /// The entity tag.
    pub etag: Option<String>,
    /// When the site says it changed.
    pub last_modified: Option<String>,
    /// The address that answered, after redirects. It may be signed and expire: store the one that was asked.
    pub final_url: Url,
    /// The bytes, decompressed.
    pub body: Vec<u8>,
}

/// An answer of any status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// As in [`Response`].
    pub content_type: Option<String>,
    /// As in [`Response`].
    pub etag: Option<String>,
    /// As in [`Response`].
    pub last_modified: Option<String>,
    /// The Retry-After header of a 429 or 503, as a delay.
    pub retry_after: Option<Duration>,
    /// As in [`Response`].
    pub final_url: Url,
    /// The bytes, decompressed; of an error the first 64 KiB.
    pub body: Vec<u8>,
}

/// How a request ended.
#[derive(Debug)]
pub struct Fetched {
    /// What came.
    pub answer: Result<Answer, FetchError>,
    /// How long it took.
    pub took: Duration,
    /// Whether a certificate on the way was not verified.
    pub tls_unverified: bool,
}

impl Fetched {
    /// The answer, if it is one of success.
    ///
    /// # Errors
    /// When there is none, or its status is an error's.
    pub fn response(self) -> Result<Response, FetchError> {
        let Answer { status, content_type, etag, last_modified, retry_after, final_url, body } = self.answer?;
        if !(200..300).contains(&status) {
            return Err(FetchError::Status { url: redacted(&final_url), status, retry_after });
        }
        Ok(Response { status, content_type, etag, last_modified, final_url, body })
    }
}

/// What stands before the network: it may ask it by [`HttpClient::fetch`], now or later, or answer by itself.
pub trait Transport: Debug + Send + Sync {
    /// Answers a request.
    fn get<'a>(
        &'a self,
        http: &'a HttpClient,
        url: &'a str,
        ask: &'a Ask,
    ) -> BoxFuture<'a, Result<Response, FetchError>>;
}
