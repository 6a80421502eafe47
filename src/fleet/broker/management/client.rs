//! One request to the management API.

use super::error::{ManagementError, quote};
use crate::telemetry::deepest;
use reqwest::{Client, Method, Response, StatusCode, redirect::Policy};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

/// Largest answer that is read: a page of 500 queues is some 200 kB.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// A host that doesn't take a connection for this long is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Deadline of a request, its whole answer included. The first statistics of a large broker take seconds.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// A client of one broker's management API. Cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct Management {
    client: Client,
    /// With user and password, which the HTTP client turns into a header. It is never shown.
    base: Url,
    limit: Duration,
}

impl std::fmt::Debug for Management {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Management").field(&self.at()).finish()
    }
}

impl Management {
    /// A client for a URL such as `http://user:password@host:15672`; a path before `/api` is kept. It sends nothing yet.
    ///
    /// # Errors
    /// [`ManagementError::Url`]: no http(s) URL, or one without a user and a password.
    pub fn new(url: &SecretString) -> Result<Self, ManagementError> {
        // The parser's error may show the URL.
        let mut base = Url::parse(url.expose_secret()).map_err(|_| ManagementError::Url("is not a URL"))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(ManagementError::Url("is not an http or https URL"));
        }
        if base.username().is_empty() || base.password().is_none() {
            return Err(ManagementError::Url("names no user and password"));
        }
        base.set_query(None);
        base.set_fragment(None);
        let client = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            // The password goes to the broker, not to what the environment names as a proxy.
            .no_proxy()
            .build()
            .map_err(|_| ManagementError::Url("can't be used, TLS is not available"))?;
        Ok(Self { client, base, limit: REQUEST_TIMEOUT })
    }

    /// The same with another deadline for each request.
    #[must_use]
    pub fn with_deadline(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Host and port, for people.
    #[must_use]
    pub fn at(&self) -> String {
        let port = self.base.port_or_known_default().unwrap_or_default();
        format!("{}:{port}", self.base.host_str().unwrap_or_default())
    }

    /// Asks for what `path` names below `/api`; `what` names it for people.
    pub(super) async fn get<T: DeserializeOwned>(&self, what: &str, path: &[&str]) -> Result<T, ManagementError> {
        self.get_with(what, path, &[]).await
    }

    /// The same with query parameters.
    pub(super) async fn get_with<T: DeserializeOwned>(
        &self,
        what: &str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, ManagementError> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let body = self.call(what, Method::GET, url, None).await?;
        self.parse(what, &body)
    }

    /// Orders something, and wants no answer but success.
    pub(super) async fn order(
        &self,
        what: &str,
        method: Method,
        path: &[&str],
        body: &Value,
    ) -> Result<(), ManagementError> {
        self.call(what, method, self.url(path), Some(body)).await.map(drop)
    }

    /// Orders something, and reads the answer.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        what: &str,
        method: Method,
        path: &[&str],
        body: &Value,
    ) -> Result<T, ManagementError> {
        let answer = self.call(what, method, self.url(path), Some(body)).await?;
        self.parse(what, &answer)
    }

    fn parse<T: DeserializeOwned>(&self, what: &str, body: &[u8]) -> Result<T, ManagementError> {
        serde_json::from_slice(body).map_err(|error| {
            let is_json = serde_json::from_slice::<Value>(body).is_ok();
            let detail = if is_json { format!("{what}: {error}") } else { format!("{what}: no JSON") };
            ManagementError::Stranger { at: self.at(), detail: quote(&detail) }
        })
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("api").extend(path);
        }
        url
    }

    async fn call(
        &self,
        what: &str,
        method: Method,
        url: Url,
        body: Option<&Value>,
    ) -> Result<Vec<u8>, ManagementError> {
        let late = |_| ManagementError::Timeout { at: self.at(), what: what.to_owned(), limit: self.limit };
        let (status, answer) = timeout(self.limit, self.send(what, method, url, body)).await.map_err(late)??;
        if status.is_success() {
            return Ok(answer);
        }
        Err(ManagementError::of_status(&self.at(), what, status, &answer))
    }

    async fn send(
        &self,
        what: &str,
        method: Method,
        url: Url,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Vec<u8>), ManagementError> {
        let request = self.client.request(method, url);
        let request = body.into_iter().fold(request, |request, body| request.json(body));
        let response = request.send().await.map_err(|e| self.broken(&e))?;
        let status = response.status();
        Ok((status, self.body(what, response).await?))
    }

    async fn body(&self, what: &str, mut response: Response) -> Result<Vec<u8>, ManagementError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.broken(&e))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(ManagementError::TooLarge {
                    at: self.at(),
                    what: what.to_owned(),
                    limit: MAX_ANSWER_BYTES,
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The deepest cause alone: the outer ones repeat the address.
    fn broken(&self, error: &reqwest::Error) -> ManagementError {
        let detail = if error.is_timeout() { "no answer".to_owned() } else { quote(&deepest(error).to_string()) };
        ManagementError::Unreachable { at: self.at(), detail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_taken_apart_and_never_shown() {
        let management = Management::new(&"https://user:p%40ss@host/rabbit/?q#f".into()).expect("a URL");
        let url = management.url(&["queues", "/", "a?b"]);
        assert_eq!(url.as_str(), "https://user:p%40ss@host/rabbit/api/queues/%2F/a%3Fb");
        assert_eq!(format!("{management:?}"), r#"Management("host:443")"#);
    }

    #[test]
    fn what_is_no_url_is_refused_without_being_shown() {
        let bad = [
            "",
            "host:15672",
            "amqp://user:s3cret@host",
            "http://host:15672",
            "http://user@host:15672",
            "http://:s3cret@host",
            "http://user:s3cret@host:notaport",
            "http://user:s3cret@",
            "s3cret",
        ];
        for url in bad {
            let error = Management::new(&url.into()).expect_err(url);
            assert!(matches!(error, ManagementError::Url(_)), "{url}");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }
}
